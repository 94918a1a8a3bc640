// A collection in a worker of its own. The worker is made of a text, as no bundler minds and no file is to be found by; it asks
// this thread for what it cannot have there: the wasm, which is in chunks that a text cannot import, vectors of texts, and a
// storage that this thread alone has.
import WORKER from "vicinal-worker:collection/worker-script";
import { LOADERS } from "../border/builds.js";
import { variant } from "../border/runtime.js";
import { type Thread, threadOf } from "../border/workers.js";
import { failure, wordsOf } from "../storage/failures.js";
import { LentStorage } from "./asked-storage.js";
import type { WorkerOptions } from "./options.js";
import type { Start, Wanted } from "./start.js";
import { WorkerCollection } from "./worker.js";

/** What Collection.open does with `worker: true`; its options have been checked. */
export async function openInWorker({ storage, embed, worker: _, ...options }: WorkerOptions): Promise<WorkerCollection> {
  const { elsewhere, place } = storage;
  const lent = elsewhere ? undefined : new LentStorage(storage);
  const thread = started();
  const start: Start = {
    kind: "start",
    options,
    storage: elsewhere ? { elsewhere } : { place },
    embeds: embed !== undefined,
    variant: variant === "threads" ? undefined : variant,
  };
  try {
    thread.port.postMessage(start);
  } catch (error) {
    thread.end();
    throw failure("BAD_OPTION", `options of a collection in a worker must be plain data: ${wordsOf(error)}`, error);
  }
  return WorkerCollection.kept(thread.port, {
    what: `collection in ${place}`,
    async answer(body, { signal }) {
      const wanted = body as Wanted;
      if (wanted.call === "wasm") return (await LOADERS[wanted.build][wanted.variant]?.())?.default;
      if (wanted.call === "embed") return embed?.(wanted.texts, { signal });
      return lent?.answer(wanted.verb, wanted.args);
    },
    waits: thread.holds,
    async ended() {
      thread.end();
      await lent?.end();
    },
  });
}

function started(): Thread {
  try {
    return threadOf(WORKER);
  } catch (error) {
    throw failure(
      "BAD_RUNTIME",
      `no worker can be made here (${wordsOf(error)}); a Content-Security-Policy must have worker-src blob:, or take serve() of "vicinal/worker"`,
      error,
    );
  }
}
