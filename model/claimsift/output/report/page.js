"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const one = (selector, root = document) => root.querySelector(selector);

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

const chips = all(".chip[data-label]");
const labels = chips.map((chip) => chip.dataset.label);
const names = chips.map((chip) => chip.dataset.name);
const checkChip = one(".chip.check");
const threshold = one("#threshold");
const card = one(".card");
const main = one("main");

// What the page holds: articles, each with its lines, each with its sentences.

const articles = all("article").map((element, index) => {
  const sentences = all(".s", element).map((sentence) => ({
    element: sentence,
    label: labels.findIndex((label) => sentence.classList.contains(label)),
    shares: sentence.dataset.p.split(" ").map((share) => share / 1000),
    line: sentence.parentElement,
  }));
  for (const sentence of sentences) sentence.score = Math.max(...sentence.shares);
  const counts = labels.map((_, label) => sentences.filter((sentence) => sentence.label === label).length);
  element.id = `article-${index + 1}`;
  return { element, index, name: element.getAttribute("aria-label"), sentences, counts };
});
const sentences = articles.flatMap((article) => article.sentences);
const byElement = new Map(sentences.map((sentence) => [sentence.element, sentence]));
const doubtful = (sentence) => sentence.score * 100 < threshold.valueAsNumber;
const plural = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

function percent(share) {
  const rounded = Math.round(100 * share);
  if (rounded === 0) return "<1%";
  return rounded === 100 ? ">99%" : `${rounded}%`;
}

// The figures of a sentence, beside it or, on a phone, at the foot of the page.

let shown = null;

function showCard(sentence) {
  shown = sentence;
  card.replaceChildren(table(sentence), ...notes(sentence));
  card.hidden = false;
  placeCard();
}

function placeCard() {
  const sentence = shown;
  const box = sentence.element.getClientRects()[0];
  const column = sentence.line.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = card;
  const beside = column.right + 24 + width <= innerWidth;
  const below = sentence.element.getBoundingClientRect().bottom + 8;
  const left = beside ? column.right + 24 : Math.min(box.left, innerWidth - width - 12);
  const top = beside ? box.top : below + height < innerHeight ? below : box.top - height - 8;
  card.style.left = `${Math.max(12, left)}px`;
  card.style.top = `${Math.max(12, Math.min(top, innerHeight - height - 12))}px`;
}

function table(sentence) {
  const body = document.createElement("tbody");
  sentence.shares.forEach((share, label) => {
    const row = body.insertRow();
    row.className = labels[label] + (label === sentence.label ? " most" : "");
    row.append(make("th", "", names[label]));
    const rail = row.insertCell().appendChild(make("span", "rail"));
    rail.appendChild(make("span")).style.width = `${100 * share}%`;
    row.insertCell().textContent = percent(share);
  });
  const figures = document.createElement("table");
  figures.append(body);
  return figures;
}

const AROUND_WORD = /^[^\p{L}\p{N}]+(?=.)|(?<=.)[^\p{L}\p{N}]+$/gu; // its quotation mark or comma, say

function notes(sentence) {
  const words = all(".w3, .w2", sentence.element).map((word) => word.textContent.replace(AROUND_WORD, ""));
  return [
    doubtful(sentence) && make("p", "doubt", `Less sure than ${threshold.value}%: check this one.`),
    sentence.element.classList.contains("cut") && make("p", "", "Longer than the model reads: scored on its head."),
    words.length > 0 && make("p", "", `Carried by: ${words.join(" · ")}`),
  ].filter(Boolean);
}

function hideCard() {
  shown = null;
  card.hidden = true;
}

function announce(sentence) {
  const shares = sentence.shares.map((share, label) => `${names[label]} ${percent(share)}`);
  const said = notes(sentence).map((note) => note.textContent);
  one("#announcement").textContent = [`${names[sentence.label]}.`, shares.join(", ") + ".", ...said].join(" ");
}

const sentenceAt = (event) => byElement.get(event.target.closest?.(".s"));
const focused = () => byElement.get(document.activeElement);

main.addEventListener("mouseover", (event) => {
  const sentence = sentenceAt(event) ?? focused();
  if (sentence) showCard(sentence);
  else hideCard();
});
main.addEventListener("mouseleave", () => (focused() ? showCard(focused()) : hideCard()));
main.addEventListener("click", (event) => {
  const sentence = sentenceAt(event);
  if (sentence && getSelection().isCollapsed) focusOn(sentence);
});
main.addEventListener("focusin", (event) => {
  const sentence = sentenceAt(event);
  if (!sentence) return;
  showCard(sentence);
  announce(sentence);
});
main.addEventListener("focusout", hideCard);
for (const event of ["scroll", "resize"]) addEventListener(event, () => shown && placeCard(), { passive: true });

// One sentence of each article can be reached by Tab; arrows go on from there.

function focusOn(sentence) {
  for (const other of sentence.element.closest(".text").querySelectorAll("[tabindex]")) other.tabIndex = -1;
  sentence.element.tabIndex = 0;
  sentence.element.focus();
  sentence.element.scrollIntoView({ block: "nearest" });
}

const seen = (sentence) => !sentence.element.classList.contains("off");

function step(from, by) {
  const order = orderedArticles().flatMap((article) => article.sentences);
  let place = order.indexOf(from) + by;
  while (order[place] && !seen(order[place])) place += by;
  if (order[place]) focusOn(order[place]);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hideCard();
  const sentence = focused();
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!sentence || !by || event.altKey || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  step(sentence, by);
});

for (const article of articles) {
  const last = {};
  one(".strip", article.element).addEventListener("click", ({ target }) => {
    const label = labels.indexOf(target.dataset.label);
    const members = article.sentences.filter((sentence) => sentence.label === label);
    if (!members.length) return;
    if (!members.some(seen)) clearFilters();
    const found = members.filter(seen);
    last[label] = ((last[label] ?? -1) + 1) % found.length;
    focusOn(found[last[label]]);
  });
}

// What to show.

const isPressed = (chip) => chip.getAttribute("aria-pressed") === "true";

function clearFilters() {
  for (const chip of [...chips, checkChip]) chip.setAttribute("aria-pressed", "false");
  filter();
}

function filter() {
  hideCard();
  const wanted = chips.map(isPressed);
  const anyLabel = !wanted.includes(true);
  const toCheck = isPressed(checkChip);
  const isWanted = (sentence) => (anyLabel || wanted[sentence.label]) && (!toCheck || doubtful(sentence));
  let total = 0;
  for (const article of articles) {
    const lines = new Map(article.sentences.map((sentence) => [sentence.line, false]));
    article.shown = 0;
    for (const sentence of article.sentences) {
      const wants = isWanted(sentence);
      sentence.element.classList.toggle("off", !wants);
      sentence.element.removeAttribute("tabindex");
      if (!wants) continue;
      if (!article.shown) sentence.element.tabIndex = 0;
      article.shown += 1;
      lines.set(sentence.line, true);
    }
    for (const [line, holdsAny] of lines) line.hidden = !holdsAny;
    total += article.shown;
    const isFiltered = !anyLabel || toCheck;
    article.element.hidden = article.entry.hidden = isFiltered && !article.shown;
  }
  main.classList.toggle("filtered", !anyLabel || toCheck);
  const inArticles = articles.filter((article) => article.shown).length;
  one("#status").textContent =
    anyLabel && !toCheck
      ? `${plural(sentences.length, "sentence")} in ${plural(articles.length, "article")}`
      : `Showing ${plural(total, "sentence")} in ${inArticles} of ${plural(articles.length, "article")}`;
}

function mark() {
  for (const sentence of sentences) sentence.element.classList.toggle("low", doubtful(sentence));
  one("output").textContent = `${threshold.value}%`;
  one(".count", checkChip).textContent = sentences.filter(doubtful).length.toLocaleString("en");
  if (isPressed(checkChip)) filter();
}

one(".legend").addEventListener("click", ({ target }) => {
  const chip = target.closest(".chip");
  if (!chip) return;
  chip.setAttribute("aria-pressed", String(!isPressed(chip)));
  filter();
});
threshold.addEventListener("input", mark);
one("#words").addEventListener("change", ({ target }) => main.classList.toggle("tinted", target.checked));

// The index.

const orders = [
  ["order given", (article) => article.index],
  ["name", null],
  ...chips.slice(0, -1).map((chip, label) => [`most ${chip.dataset.names}`, (article) => -article.counts[label]]),
  ["most to check", (article) => -article.sentences.filter(doubtful).length],
  ["longest", (article) => -article.sentences.length],
];

function orderedArticles() {
  const key = orders[one("#sort").selectedIndex][1];
  const byName = (a, b) => a.name.localeCompare(b.name, "en", { numeric: true });
  return [...articles].sort(key ? (a, b) => key(a) - key(b) || a.index - b.index : byName);
}

function sort() {
  const ordered = orderedArticles();
  one("nav ol").append(...ordered.map((article) => article.entry));
  main.append(...ordered.map((article) => article.element));
}

function entry(article) {
  const link = make("a");
  link.href = `#${article.element.id}`;
  const told = all(".strip button", article.element).map((button) => button.textContent).join(", ");
  const bar = make("span", "bar");
  article.counts.forEach((count, label) => {
    if (count) bar.appendChild(make("span", labels[label])).style.flexGrow = count;
  });
  bar.setAttribute("role", "img");
  bar.setAttribute("aria-label", told);
  const title = article.sentences[0]?.element.textContent ?? "No sentences";
  one("h2", article.element).after(make("p", "headline", title));
  link.append(make("span", "title", title), make("span", "id", article.name), bar);
  const item = make("li");
  item.append(link);
  return item;
}

for (const article of articles) article.entry = entry(article);
for (const [name] of orders) one("#sort").append(make("option", "", name));
one("#sort").addEventListener("change", sort);
chips.forEach((chip, label) => {
  const count = articles.reduce((sum, article) => sum + article.counts[label], 0);
  one(".count", chip).textContent = count.toLocaleString("en");
});
one("summary").textContent = plural(articles.length, "article");
one(".contents").open = matchMedia("(min-width: 60rem)").matches;
one(".wordswitch").hidden = !one("i[class]", main);
for (const part of all(".filters, .contents, .keys")) part.hidden = false;
sort();
mark();
filter();
