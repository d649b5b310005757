// Articles into sentences, as model/claimsift/sentences.py does it: boundaries are those of sentencex, and a line
// break always ends a sentence.

import { get_sentence_boundaries } from "sentencex-wasm";

// What Python's str.splitlines breaks at and str.strip removes, which is not what \s and trim mean in JavaScript.
const LINE = /[^\n\v\f\r\x1c-\x1e\x85\u2028\u2029]+/g;
const SPACE = "[\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const SPACE_AT_ENDS = new RegExp(`^${SPACE}|${SPACE}$`, "g");

/**
 * @param {string} text an article
 * @returns {{start: number, end: number, text: string}[]} its sentences in order; offsets count UTF-16 units, so that
 *   `article.slice(start, end) === text`
 */
export function splitSentences(text) {
  const offsets = codePointOffsets(text);
  const sentences = [];
  for (const boundary of get_sentence_boundaries("en", text)) {
    const first = offsets[boundary.start_index];
    for (const line of text.slice(first, offsets[boundary.end_index]).matchAll(LINE)) {
      const stripped = line[0].replace(SPACE_AT_ENDS, "");
      if (stripped) {
        const start = first + line.index + line[0].indexOf(stripped);
        sentences.push({ start, end: start + stripped.length, text: stripped });
      }
    }
  }
  return sentences;
}

/** Where each code point of a text starts, in UTF-16 units, and where the text ends: sentencex counts code points. */
function codePointOffsets(text) {
  const offsets = [0];
  for (const character of text) offsets.push(offsets.at(-1) + character.length);
  return offsets;
}
