// Splits and scores texts away from the page's own thread, with the released model as transformers.js loads it.
//
// Receives {type: "load", base} once, then {type: "score", job, text}; sends what main.js handles in `on`.

import { env, pipeline } from "@huggingface/transformers";
import startSplitter from "sentencex-wasm";

import { splitSentences } from "./sentences.js";

let base; // the page's own address
let loaded; // promise of the classifier
let newestJob;
let downloadedBytes = 0;
let missing; // why a file could not be had, which transformers.js does not pass on

onmessage = async ({ data }) => {
  try {
    if (data.type === "load") {
      base = data.base;
      loaded = load();
      await loaded;
      postMessage({ type: "ready" });
    } else {
      newestJob = data.job;
      await score(data.job, data.text);
    }
  } catch (error) {
    postMessage({ type: "error", message: missing ?? error.message });
  }
};

async function load() {
  env.fetch = countedFetch;
  env.useBrowserCache = false; // the service worker keeps the files
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = new URL(base).pathname; // given a full address, transformers.js 4.3.1 finds no tokenizer
  const { wasm } = env.backends.onnx;
  wasm.wasmPaths = undefined; // by default those of a content delivery network
  wasm.numThreads = 1; // threads need headers that a static host does not send
  const [runtime, splitter] = await Promise.all([
    fetchCompressed("runtime/ort-wasm-simd-threaded.wasm.gzip"),
    fetchCompressed("runtime/sentencex_wasm_bg.wasm.gzip"),
  ]);
  wasm.wasmBinary = runtime;
  await startSplitter({ module_or_path: splitter });
  return pipeline("text-classification", "model", { dtype: "q8", device: "wasm" });
}

async function score(job, text) {
  const classify = await loaded;
  const sentences = splitSentences(text);
  postMessage({ type: "sentences", job, sentences });
  // One at a time, since the weights are calibrated for sentences without padding, as Python scores them.
  for (const [index, sentence] of sentences.entries()) {
    const scores = await classify(sentence.text, { top_k: null });
    const truncated = classify.tokenizer.encode(sentence.text).length > classify.tokenizer.model_max_length;
    await turn();
    if (job !== newestJob) return;
    const byLabel = Object.fromEntries(scores.map(({ label, score }) => [label, score]));
    postMessage({ type: "scores", job, index, truncated, scores: byLabel });
  }
  postMessage({ type: "done", job });
}

/** Lets messages that wait be read: a newer text replaces the one at hand. */
function turn() {
  return new Promise((resolve) => setTimeout(resolve));
}

async function fetchCompressed(path) {
  const { body } = await countedFetch(base + path);
  return new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** fetch that reports how many bytes have come so far, over all files. */
async function countedFetch(url, options) {
  const response = await fetch(url, options).catch(() => Response.error());
  if (!response.ok) {
    missing = `${url} cannot be loaded (${response.status || "no network"})`;
    throw new Error(missing);
  }
  const counter = new TransformStream({
    transform(chunk, controller) {
      downloadedBytes += chunk.byteLength;
      postMessage({ type: "progress", share: Math.min(1, downloadedBytes / DOWNLOAD_BYTES) });
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(counter), response);
}
