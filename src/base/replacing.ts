// Vectors in the place of those that have their ids: all, or none where there is no room for all, and then nothing is removed.

import type { Engine } from "../border/engine.js";
import type { Rows } from "../input/vectors.js";
import { IDS_CHUNK } from "../words/codes.js";
import { addRows, checkRows, chunkOf } from "./adding.js";

/** Removes those of the ids that are there; returns how many were. */
export function removeAll(engine: Engine, ids: Uint32Array): number {
  let removed = 0;
  for (let from = 0; from < ids.length; from += IDS_CHUNK) {
    const chunk = ids.subarray(from, from + IDS_CHUNK);
    removed += engine.scope(() => engine.exports.removeIds(engine.writeU32(chunk), chunk.length));
  }
  return removed;
}

/** Adds rows of the index's own under different ids, `gone` of which are there, in their place. */
export function replaceRows(engine: Engine, rows: Rows, ids: Uint32Array, gone: Uint32Array): void {
  checkRows(engine, rows);
  engine.done(engine.exports.tryReplace(rows.n, gone.length, chunkOf(engine, rows.n)));
  // No list of an Ivf is parted with the room that was found for these.
  engine.setState("filling", 1);
  removeAll(engine, gone);
  engine.setState("filling", 0);
  addRows(engine, rows, ids);
}
