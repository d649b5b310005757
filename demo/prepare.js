// Puts into public/ what the page loads besides its own code: the model as it was released, and the two WebAssembly
// binaries, compressed, since not every static host compresses what it serves.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const RELEASE = join(HERE, "..", "model", "claimsift", "release");
const MODEL_FILES = ["config.json", "tokenizer.json", "tokenizer_config.json", "onnx/model_quantized.onnx"];
const BINARIES = ["onnxruntime-web/ort-wasm-simd-threaded.wasm", "sentencex-wasm/sentencex_wasm_bg.wasm"];

const resolve = createRequire(import.meta.url).resolve;

for (const name of MODEL_FILES) {
  cpSync(join(RELEASE, name), join(HERE, "public", "model", name));
}
rmSync(join(HERE, "public", "runtime"), { recursive: true, force: true });
mkdirSync(join(HERE, "public", "runtime"), { recursive: true });
for (const name of BINARIES) {
  // Not .gz, which some hosts serve as an encoding of the file instead of the file.
  const target = join(HERE, "public", "runtime", `${basename(name)}.gzip`);
  writeFileSync(target, gzipSync(readFileSync(resolve(name)), { level: 9 }));
}
