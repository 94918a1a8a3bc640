// The page's service worker: what the page is made of is kept, for when there is no network. Where there is one, it goes first, so that
// nobody sees an old page.

/** Of a service worker's scope what is used here; TypeScript knows a window. */
interface Waiting {
  waitUntil(done: Promise<unknown>): void;
}
interface Fetching {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
const scope = globalThis as unknown as {
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Waiting) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
};

const NAME = "vicinal-explorer";
const PAGE = "index.html";
const FILES = [PAGE, "page.js", "style.css", "worker.js"];

async function keep(): Promise<void> {
  const cache = await caches.open(NAME);
  await cache.addAll(FILES);
  await scope.skipWaiting();
}

async function kept(request: Request): Promise<Response> {
  const found = await caches.match(request.mode === "navigate" ? PAGE : request, { cacheName: NAME });
  return found ?? Response.error();
}

scope.addEventListener("install", (event) => event.waitUntil(keep()));
scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
scope.addEventListener("fetch", (event) => event.respondWith(fetch(event.request).catch(() => kept(event.request))));
