// Keeps every file of the page once it has been loaded, so that the page works without a network from then on.
// The build fills in the version, which changes with any file, and the files of the page itself.

const CACHE = "claimsift-__VERSION__";
const SHELL = "__SHELL__";

addEventListener("install", (event) => {
  const requests = SHELL.map((path) => new Request(path, { cache: "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

addEventListener("activate", (event) => {
  event.waitUntil(removeOlder().then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && new URL(url).origin === location.origin) event.respondWith(answer(event));
});

async function removeOlder() {
  const names = await caches.keys(); // of all pages of the host
  const older = names.filter((name) => name.startsWith("claimsift-") && name !== CACHE);
  await Promise.all(older.map((name) => caches.delete(name)));
}

async function answer(event) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(event.request, { ignoreSearch: true, ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(event.request);
  if (response.status === 200) event.waitUntil(cache.put(event.request, response.clone()));
  return response;
}
