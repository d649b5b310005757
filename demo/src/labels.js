// The four labels, in the order in which the page shows them; their colours are in style.css.

export const LABELS = {
  claim: { name: "Claim", meaning: "on the word of an identified source" },
  denial: { name: "Denial", meaning: "somebody rejects it as untrue" },
  unverified_report: { name: "Unverified", meaning: "passed on as not established" },
  background: { name: "Background", meaning: "none of these" },
};
