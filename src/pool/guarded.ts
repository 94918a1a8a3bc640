// What the worker that owns a shared index has in place of border/instance.ts (src/build/bundle.mjs): whatever is called of an index that
// others read waits until they do not, unless it only reads itself. The lock is taken by the first such call and given back when
// the script gives way, so that a change which takes many calls is one for the others.

import type { Exports, SharedExports } from "../border/exports.js";
import type { Instance } from "../border/instance.js";
import * as plain from "../border/instance.js";
import type { Variant } from "../border/variants.js";
import type { WriteLock } from "./lock.js";

export { expectCrowd } from "../border/instance.js";

/** What changes nothing but scratch and counters. A filter that lasts is filled right after keepFilter, or after what it follows. */
const READS: readonly (keyof SharedExports | "ivfSearch" | "treeLeaves" | "treeDepth")[] = [
  ...(["variant", "build", "alloc", "mark", "reset", "queryAddress", "inputBytes", "roomToUse", "firstBad", "whyBad"] as const),
  ...(["linkedTogether", "slotOfId", "getVector", "liveIds", "prepareQuery", "ask", "search", "searchTogether"] as const),
  ...(["batchBytes", "sharesScans", "rescore", "scoreSlots", "openFilter", "passIds", "passBits", "storeCount"] as const),
  ...(["columnRun", "storeColumns", "columnTag", "columnStride", "columnPacking", "columnAt", "blobCount"] as const),
  ...(["blobTag", "blobAt", "blobBytes", "checksumStart", "checksumAdd", "checksumEnd", "slotsOnLevel", "countLinks"] as const),
  ...(["countUnreachable", "regionBytes", "ivfSearch", "treeLeaves", "treeDepth"] as const),
];

/** The memory that others read, and what they wait for each other by. */
let shared: { readonly memory: object; readonly lock: WriteLock } | undefined;
let holds = false;
/** Called after whatever changes another index than the one that is shared: it may take its place. */
let onOther: () => void = () => {};
let told = false;
const instances = new WeakMap<Exports, Instance>();
const readying = new WeakMap<Exports, SharedExports["readyFilter"]>();

export function watchOthers(call: () => void): void {
  onOther = call;
}

/** Others read it from now on, and no other. */
export function share(memory: object, lock: WriteLock): void {
  shared = { memory, lock };
}

export function instanceOf(exports: Exports): Instance {
  return instances.get(exports) as Instance;
}

/** Has a filter get its codes: not before every search by it, as elsewhere, since nobody can search meanwhile. */
export function ready(exports: Exports, filter: number): void {
  readying.get(exports)?.(filter, Infinity);
}

function hold(memory: object): void {
  if (shared?.memory !== memory) {
    if (told) return;
    told = true;
    queueMicrotask(() => {
      told = false;
      onOther();
    });
    return;
  }
  if (holds) return;
  const { lock } = shared;
  lock.enter();
  holds = true;
  queueMicrotask(() => {
    holds = false;
    lock.leave();
  });
}

type Call = (...args: never[]) => unknown;

function guarded(instance: Instance): Instance {
  const { memory } = instance;
  const guard = (call: Call): Call =>
    function (this: unknown, ...args) {
      hold(memory);
      return call(...args);
    };
  const calls = Object.entries(instance.exports as unknown as Record<string, Call>).map(([name, call]) => [
    name,
    typeof call !== "function" || (READS as readonly string[]).includes(name) ? call : guard(call),
  ]);
  const { readyFilter, ...exports } = Object.fromEntries(calls) as Exports;
  const own = { ...instance, exports };
  instances.set(exports, own);
  readying.set(exports, readyFilter);
  return own;
}

export async function start(module: WebAssembly.Module, variant: Variant, maxBytes: number): Promise<Instance> {
  return guarded(await plain.start(module, variant, maxBytes));
}

export function another(...of: Parameters<typeof plain.another>): Instance {
  return guarded(plain.another(...of));
}
