// What pages of the browsers' tests can do; bundled with dist/storage.js, also for a worker.
import { Collection, type WorkerCollection } from "vicinal/collection";
import { indexedDb, memory, opfs, type Storage } from "vicinal/storage";
import { SharedCollection } from "vicinal/tabs";
import { Tabs } from "../../src/storage/tabs.js";
import { CASES, pattern, runOn } from "./contract.js";

const MAKERS: Record<string, (name: string) => Storage> = { opfs, indexedDb, memory };

/** Runs a case of the contract: nothing, or what is wrong. */
async function runCase(kind: string, name: string): Promise<string | undefined> {
  const place = `case-${Math.random().toString(36).slice(2)}`;
  try {
    await runOn(CASES.find((one) => one.name === name)!, () => MAKERS[kind](place), kind !== "memory");
    return undefined;
  } catch (error) {
    return String((error as Error).stack);
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

const PageWorker = globalThis.Worker;

/** What `work` says is wrong, or null; and how many workers it has made. */
async function countingWorkers(work: () => Promise<string | undefined>): Promise<[string | null, number]> {
  let made = 0;
  globalThis.Worker = class extends PageWorker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      made++;
    }
  };
  return [(await work()) ?? null, made];
}

/** As a Content-Security-Policy has it. */
function withoutWorkers<T>(work: () => Promise<T>): Promise<T> {
  globalThis.Worker = class {
    onerror?: (event: Event) => void;
    constructor() {
      setTimeout(() => this.onerror?.(new Event("error")), 1);
    }
    postMessage(): void {}
    terminate(): void {}
  } as unknown as typeof Worker;
  return work();
}

/** What each call comes to, in words. */
async function attempt(storage: Storage, ...calls: [verb: keyof Storage, ...args: unknown[]][]): Promise<string[]> {
  const said: string[] = [];
  for (const [verb, ...args] of calls) {
    const call = storage[verb] as (...args: unknown[]) => Promise<unknown>;
    said.push(
      await call.apply(storage, args).then(
        (value) => (value instanceof Uint8Array ? `${value.length} bytes` : JSON.stringify(value)) ?? "done",
        ({ code, message }) => `${code}: ${message}`,
      ),
    );
  }
  return said;
}

/** The storage, locked as soon as whoever has it is gone. */
async function lockSoon(kind: string): Promise<Storage> {
  const storage = MAKERS[kind]("docs");
  const from = performance.now();
  for (;;) {
    try {
      await storage.lock();
      return storage;
    } catch (error) {
      if ((error as { code?: string }).code !== "LOCKED" || performance.now() - from > 60_000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

const lengthOf = (n: number): number => 8 + ((n * 7919) % 200_000);

/** Swaps and appends until the page is gone; `console.log` tells what has resolved. */
async function writeForever(kind: string, from: number): Promise<void> {
  const storage = await lockSoon(kind);
  for (let n = from; ; n++) {
    const whole = new Uint8Array(lengthOf(n)).fill(n & 255);
    new DataView(whole.buffer).setUint32(0, n);
    const record = new Uint8Array(new Uint32Array([n]).buffer);
    await Promise.all([storage.swap("whole", whole), storage.append("log", record), storage.sync("log")]);
    console.log(n);
  }
}

/** What writeForever has left, from record `from` on: what is wrong with it, the number of the swapped file, and of the last whole record. */
async function checkWritten(kind: string, from: number): Promise<{ wrong: string[]; swapped: number; last: number }> {
  const storage = await lockSoon(kind);
  const whole = await storage.read("whole");
  const swapped = new DataView(whole.buffer).getUint32(0);
  const log = await storage.read("log");
  const records = [...new Uint32Array(log.buffer, 0, log.length >> 2)];
  const wrong: string[] = [];
  if (whole.length !== lengthOf(swapped)) wrong.push(`${swapped} has ${whole.length} bytes`);
  if (!whole.subarray(4).every((byte) => byte === (swapped & 255))) wrong.push(`${swapped} has other bytes in it`);
  if (!records.every((n, i) => n === i)) wrong.push(`records are ${records.slice(from)}`);
  await storage.truncate("log", 4 * records.length);
  await storage.close();
  return { wrong, swapped, last: records.length - 1 };
}

/** A log that the leader alone has open; asked in words. `fails`: it cannot be opened. */
function joinTabs(kind: string, fails = false): Tabs {
  const heard: unknown[] = [];
  const tabs = new Tabs({
    name: "docs",
    place: "the log",
    async lead(tell) {
      if (fails) throw Object.assign(new Error("no log today"), { code: "IO_ERROR", name: "VicinalError" });
      const storage = MAKERS[kind]("docs");
      await storage.lock();
      return {
        async answer(body, signal) {
          const { verb, text = "" } = body as { verb: string; text?: string };
          if (verb === "add") {
            await Promise.all([storage.append("log", new TextEncoder().encode(`${text}\n`)), storage.sync("log")]);
            tell(text);
          }
          if (verb === "wait") {
            await new Promise((resolve, reject) => {
              setTimeout(resolve, Number(text));
              signal.addEventListener("abort", () => reject(signal.reason));
            }).catch((error) => {
              tell("dropped");
              throw error;
            });
          }
          if (verb === "fail") await storage.read("missing");
          if (verb === "type") throw new TypeError("no such thing");
          if (verb === "function") return () => {};
          if (verb === "read") return new TextDecoder().decode(await storage.read("log"));
          return verb;
        },
        close: () => storage.close(),
      };
    },
    hear: (news) => heard.push(news),
  });
  return Object.assign(tabs, { heard });
}

/** What requests come to, in words. */
function answers(tabs: Tabs, ...bodies: unknown[]): Promise<string[]> {
  return Promise.all(
    bodies.map((body) =>
      tabs.request(body).then(
        (value) => String(value),
        (error) => `${error.name} ${error.code}: ${error.message}`,
      ),
    ),
  );
}

/** The documents that all tabs share; each makes vectors of texts by itself. */
const openShared = (kind: string): Promise<SharedCollection> =>
  SharedCollection.open("docs", () =>
    Collection.open({
      storage: MAKERS[kind]("docs"),
      dimensions: 4,
      metric: "l2",
      embed: (texts) => texts.map((text) => Float32Array.from({ length: 4 }, (_, i) => text.charCodeAt(i) || 0)),
    }),
  );

/** The same documents in a worker of the page's own. */
const openInWorker = (kind: string): Promise<WorkerCollection> =>
  Collection.open({
    storage: MAKERS[kind]("docs"),
    dimensions: 4,
    metric: "l2",
    embed: (texts) => texts.map((text) => Float32Array.from({ length: 4 }, (_, i) => text.charCodeAt(i) || 0)),
    worker: true,
  });

Object.assign(globalThis, {
  ...{ openShared, openInWorker },
  ...{ joinTabs, answers },
  ...{ runCase, runInWorker, countingWorkers, withoutWorkers },
  ...{ make: MAKERS, pattern, attempt, lockSoon, writeForever, checkWritten },
});
