// Written for this page; the people, places and outlets are invented.

export const EXAMPLES = [
  {
    name: "Wire report",
    text: `Blast halts loading at Port Varda grain terminal

PORT VARDA, 14 October – An explosion damaged a conveyor at the grain terminal of Port Varda on Wednesday night, and loading was suspended. Four workers were taken to hospital.

A drone had struck the roof of silo three, regional governor Ilse Maranth said on Thursday. She told reporters that two attackers had been detained near the rail bridge. The neighbouring republic of Orsk denied having anything to do with the blast. “We have fired nothing at Port Varda, and these accusations are invented,” its foreign ministry said.

Video circulating on social media appeared to show a burning object falling towards the harbour. The footage could not be independently verified. According to unconfirmed reports, a second device was found in the hold of a ship.

The terminal’s operator, Kestrel Bulk, said 9,000 tonnes of barley had been lost. It rejected suggestions that dust had been allowed to build up in the conveyor shaft as false. Three dockers, who asked not to be named, said the extractor fans had been broken since August.

Port Varda ships about a fifth of the country’s grain. The terminal opened in 1987. Grain futures closed 2.1 per cent higher.`,
  },
  {
    name: "Tabloid rumour",
    text: `IS IT ALL OVER FOR CASS AND DEX?

They were the golden couple of Saturday-night telly. Now Dancing Kings judge Cass Bellweather has reportedly moved out of the £3m mansion she shares with crooner Dex Malone.

A source close to the pair told us the rows had been going on “for months”. Insiders claim the singer has been seen three times with a mystery blonde at a hotel in Brackwater. One neighbour, Pam Whittle, 61, said a removal van stood outside the gates all day on Sunday.

Dex’s spokesman last night rubbished the story. “There is no split, there is no blonde, and the van brought a piano,” he said. Cass denies ever having set foot in an estate agent’s.

But fans are not so sure! It is rumoured that her wedding ring has been missing from every picture she has posted since July. Could the tour be next to go?

The pair met on the set of Dancing Kings in 2016. Cass’s new series starts on Friday at 8pm.`,
  },
  {
    name: "Local paper",
    text: `Parents want answers over brown water at Ellerby school

By Joan Tasker

Pupils at Ellerby Primary were sent home on Monday after brown water came out of the taps in the canteen. The school reopened on Tuesday with bottled water.

Head teacher Colin Abara said the water had been discoloured since the half-term break. Mother of two Ruth Pell told the Ellerby Courier that her son had been sick for three days.

Dalewater, which owns the mains, denied that the supply was to blame. “Our samples were clear, and it is not true that we were warned in September,” said its regional manager, Howard Stott. The council said a test on Friday had found iron at twice the usual level.

It is not yet known whether anyone fell ill because of the water. Posts on a residents’ page allege that a pipe was cut during work on the new roundabout, but the Courier has been unable to confirm this.

The school has 214 pupils and was built in 1962. Governors will meet on Thursday at 6.30pm. Should the canteen stay shut until then? Write to us at the usual address.`,
  },
];
