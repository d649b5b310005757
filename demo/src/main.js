// The page: takes a text, has the worker tag it, and shows what comes back.

import { ArticleView } from "./article.js";
import { EXAMPLES } from "./examples.js";

const form = document.querySelector("#composer");
const input = document.querySelector("#text");
const progress = document.querySelector("#progress");
const status = document.querySelector("#status");
const view = new ArticleView();

let job = 0; // counts the texts that were handed to the worker
let text = ""; // the newest of them

const on = {
  progress({ share }) {
    progress.value = share;
    if (share === 1) status.textContent = "Starting the model …";
  },
  ready() {
    progress.hidden = true;
  },
  sentences({ sentences }) {
    view.show(text, sentences);
    status.textContent = "Reading …";
  },
  scores({ index, scores, truncated }) {
    view.tag(index, scores, truncated);
  },
  done() {
    const { count } = view;
    status.textContent = count
      ? `${count} ${count === 1 ? "sentence" : "sentences"} tagged`
      : "There is no sentence in this text";
  },
  error({ message }) {
    progress.hidden = true;
    status.textContent = `This did not work (${message}). Reload the page to try again.`;
  },
};

status.textContent = `Loading the model, ${Math.round(DOWNLOAD_BYTES / 1e6)} MB`;
await keepForOffline();
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => {
  if (data.job === undefined || data.job === job) on[data.type](data);
};
worker.postMessage({ type: "load", base: new URL("./", document.baseURI).href });

for (const example of EXAMPLES) addExample(example);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  tag();
  const reader = document.querySelector("#reader");
  if (reader.getBoundingClientRect().top > innerHeight / 2) reader.scrollIntoView(); // on a phone it is out of sight
});
input.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
input.value = EXAMPLES[0].text;
tag();

function tag() {
  job += 1;
  text = input.value;
  view.show(text, []);
  if (progress.hidden) status.textContent = "Reading …"; // else it says how far loading has come
  worker.postMessage({ type: "score", job, text });
}

function addExample({ name, text }) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = name;
  button.addEventListener("click", () => {
    input.value = text;
    input.scrollTop = 0;
    tag();
  });
  document.querySelector("#examples").append(button);
}

/** Waits for the service worker, so that what is loaded from here on passes through it and is kept. */
async function keepForOffline() {
  try {
    const { installing } = await navigator.serviceWorker.register("sw.js");
    if (!installing || navigator.serviceWorker.controller) return;
    await new Promise((resolve) => {
      installing.addEventListener("statechange", () => {
        if (["activated", "redundant"].includes(installing.state)) resolve();
      });
    });
  } catch {
    // None to be had, as in some private windows and embedded pages: the page works all the same, with a network.
  }
}
