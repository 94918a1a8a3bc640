// Which ids may be answered. Any form becomes a bitset of slots in scratch.

import type { Passing } from "../border/answers.js";
import type { Engine } from "../border/engine.js";
import { checkAlive, idsOf } from "../input/vectors.js";
import { IDS_CHUNK } from "../words/codes.js";
import { badOption, show } from "../words/errors.js";
import { tagOf } from "../words/tag.js";

/**
 * A set or array of ids, a predicate over ids (asked once per id in the index), or a Uint8Array bitset: id i passes if
 * bit i & 7 of byte i >> 3 is 1. Ids need not be in the index; what is no id is refused, as by add and remove.
 */
export type Filter = ReadonlySet<number> | readonly number[] | Uint32Array | Uint8Array | ((id: number) => boolean);

/** A filter whose predicate has been asked. */
export type Settled = Uint32Array | Uint8Array | undefined;

/** Runs predicates now, before any scratch is in use; what comes back is cheap to place. */
export function settle(filter: Filter | undefined, engine: Engine): Settled {
  const tag = tagOf(filter);
  if (filter === undefined) return filter;
  if (tag === "Uint32Array" || tag === "Uint8Array") {
    checkAlive(filter as Uint8Array, "filter", "BAD_OPTION");
    return filter as Settled;
  }
  if (typeof filter === "function") return engine.ids().filter((id) => answer(filter(id)));
  if (tag === "Set" || Array.isArray(filter)) {
    return idsOf(Array.from(filter as Iterable<number>), "filter");
  }
  throw badOption(`filter is ${show(filter)}; it must be a Set or array of ids, a Uint8Array bitset or a function`);
}

/** A promise is no answer, and must not count as yes. */
function answer(value: unknown): boolean {
  if (value !== null && typeof value === "object") {
    throw badOption(`filter answered ${show(value)}; it must answer true or false at once`);
  }
  return Boolean(value);
}

/** @internal Inside a scope: places the bitset. */
export function place(engine: Engine, settled: Settled): Passing {
  if (settled === undefined) return { address: 0, count: engine.live };
  const address = engine.exports.openFilter() >>> 0;
  if (address === 0) throw engine.outOfMemory();
  if (settled.BYTES_PER_ELEMENT === 1) {
    const bits = settled as Uint8Array;
    return { address, count: engine.scope(() => engine.exports.passBits(address, engine.writeU8(bits), bits.length)) };
  }
  let count = 0;
  for (let from = 0; from < settled.length; from += IDS_CHUNK) {
    const ids = settled.subarray(from, from + IDS_CHUNK);
    count += engine.scope(() => engine.exports.passIds(address, engine.writeU32(ids), ids.length));
  }
  return { address, count };
}
