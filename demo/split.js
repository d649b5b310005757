// Splits texts as the page does: a JSON list of texts from standard input, a JSON list of the offsets of their
// sentences, in code points, to standard output. For agreement.py and the tests.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { initSync } from "sentencex-wasm";

import { splitSentences } from "./src/sentences.js";

initSync({ module: readFileSync(createRequire(import.meta.url).resolve("sentencex-wasm/sentencex_wasm_bg.wasm")) });

const texts = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(texts.map(spans)));

function spans(text) {
  const codePoints = []; // how many of them precede each UTF-16 unit
  for (const [index, character] of Array.from(text).entries()) {
    for (let unit = 0; unit < character.length; unit += 1) codePoints.push(index);
  }
  return splitSentences(text).map(({ start, end }) => [codePoints[start], codePoints[end - 1] + 1]);
}
