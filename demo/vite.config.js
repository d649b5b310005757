import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vite";

const HERE = import.meta.dirname;

/** The files below a folder, as paths from it. */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** What the page downloads before it can score, in bytes. */
function downloadSize() {
  const folder = join(HERE, "public");
  return filesBelow(folder)
    .filter((name) => name.startsWith("model/") || name.startsWith("runtime/"))
    .reduce((size, name) => size + statSync(join(folder, name)).size, 0);
}

/** Keeps the uncompressed WebAssembly files out of the build: prepare.js puts compressed ones into public/. */
function withoutWasm() {
  return {
    name: "without-wasm",
    generateBundle(_, bundle) {
      for (const name of Object.keys(bundle)) {
        if (name.endsWith(".wasm")) delete bundle[name];
      }
    },
  };
}

/** Writes the service worker, which names the files of the page and changes whenever any file does. */
function serviceWorker() {
  return {
    name: "service-worker",
    apply: "build",
    writeBundle({ dir }) {
      copyFileSync(join(HERE, "README.md"), join(dir, "README.md")); // the header of a static Space
      const names = filesBelow(dir).filter((name) => !["README.md", "sw.js"].includes(name));
      const hash = createHash("sha256");
      for (const name of names) hash.update(name).update(readFileSync(join(dir, name)));
      const shell = names.filter((name) => !name.startsWith("model/") && !name.startsWith("runtime/"));
      const source = readFileSync(join(HERE, "src", "sw.js"), "utf8")
        .replace("__VERSION__", hash.digest("hex").slice(0, 16))
        .replace('"__SHELL__"', JSON.stringify(["./", ...shell]));
      writeFileSync(join(dir, "sw.js"), source);
    },
  };
}

export default defineConfig({
  base: "./", // so that the page runs from any folder of a host
  // transformers.js asks for the WebGPU build of ONNX Runtime, which is twice as large and not needed here.
  resolve: { alias: { "onnxruntime-web/webgpu": "onnxruntime-web/wasm" } },
  define: { DOWNLOAD_BYTES: downloadSize() },
  plugins: [withoutWasm(), serviceWorker()],
  worker: { format: "es", plugins: () => [withoutWasm()] },
  build: { target: "es2022", chunkSizeWarningLimit: 1000 },
});
