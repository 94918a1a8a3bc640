// What pages of the browsers' tests can do; bundled with dist/storage.js, also for a worker.
import { indexedDb, memory, opfs, type Storage } from "vicinal/storage";
import { CASES, type Ground, pattern } from "./contract.js";

const MAKERS: Record<string, (name: string) => Storage> = { opfs, indexedDb, memory };

function ground(kind: string): Ground {
  const make = MAKERS[kind];
  const name = `case-${Math.random().toString(36).slice(2)}`;
  const storage = make(name);
  if (kind === "memory") return { storage, later: async () => storage };
  return { storage, later: async () => make(name), beside: () => make(name) };
}

/** Runs a case of the contract: nothing, or what is wrong. */
async function runCase(kind: string, name: string): Promise<string | undefined> {
  const made = ground(kind);
  try {
    await CASES.find((one) => one.name === name)!.run(made);
  } catch (error) {
    return String((error as Error).stack);
  } finally {
    await made.storage.close();
  }
}

/** The same in a worker. */
function runInWorker(kind: string, name: string): Promise<string | undefined> {
  const worker = new Worker("page.js", { type: "module" });
  return new Promise<string | undefined>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve(message);
    worker.postMessage([kind, name]);
  }).finally(() => worker.terminate());
}

if (typeof document === "undefined") {
  addEventListener("message", async ({ data: [kind, name] }) => postMessage(await runCase(kind, name)));
}

Object.assign(globalThis, { runCase, runInWorker, make: MAKERS, pattern });
