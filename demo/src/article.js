// A text with its sentences tinted by label, the legend that filters them, and the probabilities of the chosen one.

import { LABELS } from "./labels.js";

const CHECK_BELOW = 0.6; // a label that is less probable is marked for checking, as in claimsift's report
const HINT = "Point at a sentence, tap it, or walk through with the arrow keys to see the four probabilities.";

export class ArticleView {
  #article = document.querySelector("#article");
  #legend = document.querySelector("#legend");
  #inspector = document.querySelector("#inspector");
  #sentences = []; // {element, scores, label, truncated}, in text order; without scores until tagged
  #chosen; // the sentence that has the focus, or had it last
  #filters = {}; // label -> its button in the legend

  constructor() {
    for (const label of Object.keys(LABELS)) this.#addFilter(label);
    this.#article.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse") this.#inspect(this.#sentenceAt(event) ?? this.#chosen);
    });
    this.#article.addEventListener("pointerleave", () => this.#inspect(this.#chosen));
    this.#article.addEventListener("focusin", (event) => this.#choose(this.#sentenceAt(event)));
    this.#article.addEventListener("keydown", (event) => this.#move(event));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#choose();
    });
    document.addEventListener("click", (event) => {
      if (!event.target.closest("#article .sentence, #inspector")) this.#choose();
    });
  }

  get count() {
    return this.#sentences.length;
  }

  /** Shows a text; its sentences, as splitSentences gives them, wait for their tags. */
  show(text, sentences) {
    this.#sentences = sentences.map(({ text }) => ({ element: sentenceElement(text) }));
    this.#article.replaceChildren(...paragraphs(text, sentences, this.#sentences));
    if (this.#sentences.length) this.#sentences[0].element.tabIndex = 0;
    for (const button of Object.values(this.#filters)) button.querySelector(".count").textContent = 0;
    this.#choose();
  }

  /** Tags a sentence with the probabilities of the labels. */
  tag(index, scores, truncated) {
    const sentence = this.#sentences[index];
    const label = Object.keys(scores).reduce((best, other) => (scores[other] > scores[best] ? other : best));
    Object.assign(sentence, { scores, label, truncated });
    sentence.element.dataset.label = label;
    sentence.element.style.setProperty("--sureness", scores[label]);
    sentence.element.classList.toggle("low", scores[label] < CHECK_BELOW);
    const count = this.#filters[label].querySelector(".count");
    count.textContent = Number(count.textContent) + 1;
    this.#filter([sentence]);
    if (sentence === this.#chosen) this.#inspect(sentence);
  }

  #addFilter(label) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.label = label;
    button.setAttribute("aria-pressed", "false");
    const { name, meaning } = LABELS[label];
    for (const [part, text] of Object.entries({ letter: name[0], name, meaning, count: "0" })) {
      button.append(element("span", part, text));
    }
    button.querySelector(".letter").setAttribute("aria-hidden", "true");
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(!isPressed(button)));
      this.#filter(this.#sentences);
    });
    this.#filters[label] = button;
    this.#legend.append(button);
  }

  /** Fades those of the sentences whose label is not among the pressed ones, if any is pressed. */
  #filter(sentences) {
    const asked = Object.keys(LABELS).filter((label) => isPressed(this.#filters[label]));
    for (const { element, label } of sentences) {
      element.classList.toggle("off", asked.length > 0 && label !== undefined && !asked.includes(label));
    }
  }

  #sentenceAt(event) {
    const element = event.target.closest(".sentence");
    return this.#sentences.find((sentence) => sentence.element === element);
  }

  /** Makes a sentence the one that Tab comes back to and that is shown when the mouse is elsewhere. */
  #choose(sentence) {
    for (const { element } of this.#sentences) {
      element.removeAttribute("aria-current");
      if (sentence) element.tabIndex = -1;
    }
    if (sentence) {
      sentence.element.tabIndex = 0;
      sentence.element.setAttribute("aria-current", "true");
    }
    this.#chosen = sentence;
    this.#inspect(sentence);
  }

  #move(event) {
    const shown = this.#sentences.filter(({ element }) => !element.classList.contains("off"));
    const here = this.#sentences.indexOf(this.#chosen);
    const steps = {
      ArrowRight: () => shown.find((sentence) => this.#sentences.indexOf(sentence) > here),
      ArrowLeft: () => shown.findLast((sentence) => this.#sentences.indexOf(sentence) < here),
      Home: () => shown[0],
      End: () => shown.at(-1),
    };
    steps.ArrowDown = steps.ArrowRight;
    steps.ArrowUp = steps.ArrowLeft;
    if (event.key in steps) {
      event.preventDefault();
      steps[event.key]()?.element.focus();
    }
  }

  #inspect(sentence) {
    const tagged = Boolean(sentence?.scores);
    this.#inspector.classList.toggle("filled", tagged);
    this.#inspector.replaceChildren(...(tagged ? figures(sentence) : [element("p", "hint", HINT)]));
  }
}

/** What the inspector says of a tagged sentence. */
function figures({ label, scores, truncated }) {
  const { name, meaning } = LABELS[label];
  const notes = [
    scores[label] < CHECK_BELOW && `Less sure than ${percent(CHECK_BELOW)}: check this one.`,
    truncated && "Longer than the model reads: scored on its head.",
  ];
  return [
    element("h2", "", `${name}: ${meaning}`),
    probabilities(scores, label),
    ...notes.filter(Boolean).map((note) => element("p", "hint", note)),
  ];
}

function probabilities(scores, chosen) {
  const table = document.createElement("table");
  for (const [label, { name }] of Object.entries(LABELS)) {
    const row = table.insertRow();
    row.dataset.label = label;
    row.classList.toggle("chosen", label === chosen);
    const heading = row.appendChild(element("th", "", name));
    heading.scope = "row";
    const bar = row.insertCell().appendChild(element("span", "bar", ""));
    bar.style.setProperty("--share", scores[label]);
    row.insertCell().textContent = percent(scores[label]);
  }
  return table;
}

/** The paragraphs of a text, one for each of its lines, with the sentences' elements in their places. */
function paragraphs(text, sentences, shown) {
  const blocks = [];
  let next = 0;
  for (const line of text.matchAll(/[^\n\r]*\S[^\n\r]*/g)) {
    const block = element("p", "", "");
    const end = line.index + line[0].length;
    let offset = line.index;
    for (; next < sentences.length && sentences[next].start < end; next += 1) {
      block.append(text.slice(offset, sentences[next].start), shown[next].element);
      offset = sentences[next].end;
    }
    block.append(text.slice(offset, end));
    blocks.push(block);
  }
  if (blocks.length > 1 && blocks[0].textContent.length <= 100) blocks[0].className = "headline";
  return blocks;
}

function sentenceElement(text) {
  const span = element("span", "sentence", "");
  span.append(element("span", "words", text));
  span.setAttribute("role", "button");
  span.tabIndex = -1;
  return span;
}

function element(tag, className, text) {
  const created = document.createElement(tag);
  if (className) created.className = className;
  created.textContent = text;
  return created;
}

function isPressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

function percent(share) {
  const rounded = Math.round(100 * share);
  return rounded === 0 ? "<1%" : rounded === 100 ? ">99%" : `${rounded}%`;
}
