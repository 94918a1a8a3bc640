// ?variant=simd forces one; ?worker runs it in a module worker; ?documents has a collection instead.
import * as vicinal from "vicinal";
import { roundTrip } from "./round-trip.js";

const asked = new URLSearchParams(location.search);
const options = { variant: asked.get("variant") ?? undefined };

function inWorker() {
  const worker = new Worker(new URL("./page-worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`worker: ${message}`));
    worker.postMessage(options);
  });
}

const documents = async () => (await import("./documents.js")).documents();

globalThis.answer = asked.has("documents") ? documents() : asked.has("worker") ? inWorker() : roundTrip(vicinal, options);
