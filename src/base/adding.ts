// Vectors and ids on their way into an index.

import type { Engine } from "../border/engine.js";
import { writeChecked } from "../border/engine.js";
import { MAX_ID, type Rows } from "../input/vectors.js";
import { VicinalError } from "../words/errors.js";
import { MAX_SLOTS } from "../words/limits.js";

/** Input written to scratch at a time. */
const CHUNK_BYTES = 1 << 17;

/** The ids that n vectors get, none of them taken; `first` is the place of ids[0] in what the caller gave. */
export function newIds(engine: Engine, n: number, ids: Uint32Array | undefined, first = 0): Uint32Array {
  const next = engine.state("nextId");
  if (n > MAX_SLOTS) throw engine.outOfMemory();
  if (ids === undefined) {
    if (next + n - 1 > MAX_ID) throw new VicinalError("BAD_ID", `no ids are left after ${next - 1}: give ids of your own`);
    return Uint32Array.from({ length: n }, (_, i) => next + i);
  }
  checkDifferent(n, ids);
  const taken = ids.findIndex((id) => engine.has(id));
  if (taken < 0) return ids;
  throw new VicinalError(
    "DUPLICATE_ID",
    `ids[${first + taken}] is ${ids[taken]}, which is in the index already: remove it first, or upsert`,
  );
}

/** Throws where ids are not as many as vectors, or one is there twice. */
export function checkDifferent(n: number, ids: Uint32Array): void {
  if (ids.length !== n) throw new VicinalError("BAD_ID", `there are ${n} vectors and ${ids.length} ids`);
  if (ids.every((id, i) => i === 0 || ids[i - 1] < id)) return;
  const seen = new Set<number>();
  for (const id of ids) {
    if (seen.has(id)) throw new VicinalError("DUPLICATE_ID", `ids has ${id} twice`);
    seen.add(id);
  }
}

/** Rows that are written to scratch at a time. */
export function chunkOf(engine: Engine, n: number): number {
  return Math.min(n, Math.max(Math.floor(CHUNK_BYTES / engine.rowBytes), 1));
}

/** Throws where one of the rows cannot be used. */
export function checkRows(engine: Engine, rows: Rows): void {
  engine.checkIdle();
  const n = rows.n;
  const chunk = chunkOf(engine, n);
  engine.scope(() => {
    const at = engine.alloc(chunk * engine.rowBytes);
    for (let from = 0; from < n; from += chunk) writeChecked(engine, rows, at, from, Math.min(from + chunk, n));
  });
}

/** Room for n more vectors, under default ids or others. */
export function reserve(engine: Engine, n: number, otherIds: boolean): void {
  engine.done(engine.exports.reserve(n, otherIds, chunkOf(engine, n)));
}

/** Adds rows, room being reserved; yields between chunks. */
export function* addChunks(engine: Engine, rows: Rows, ids: Uint32Array, end = rows.n): Generator<number, void, void> {
  const use = (at: number, idsAt: number, n: number): void => {
    const lists = engine.lists?.assign(engine, at, n) ?? 0;
    engine.done(engine.exports.addVectors(at, idsAt, lists, n));
  };
  yield* chunks(engine, rows, ids, use, 0, end);
}

function* chunks(
  engine: Engine,
  rows: Rows,
  ids: Uint32Array,
  use: (at: number, idsAt: number, n: number) => void,
  first = 0,
  end = rows.n,
): Generator<number, void, void> {
  const chunk = chunkOf(engine, rows.n);
  for (let from = first; from < end; from += chunk) {
    const to = Math.min(from + chunk, end);
    engine.scope(() => {
      const at = engine.alloc(chunk * engine.rowBytes);
      const idsAt = engine.writeU32(ids.subarray(from, to));
      writeChecked(engine, rows, at, from, to);
      use(at, idsAt, to - from);
    });
    yield to;
  }
}

/** Adds all rows or, where it throws, none. `later`: what may be linked later only waits for it. */
export function addRows(engine: Engine, rows: Rows, ids: Uint32Array, later = false): void {
  if (rows.n === 0) return;
  // All are checked before anything changes, and as they are copied once more: a caller's getter may answer anew.
  checkRows(engine, rows);
  const next = engine.state("nextId");
  reserve(engine, rows.n, !ids.every((id, i) => id === next + i));
  const { linkedTogether, storeVectors, linkPending } = engine.exports;
  const waits = later || engine.state("pending") > 0;
  const end = rows.n - (linkedTogether?.(rows.n, waits) ?? 0);
  for (const _ of addChunks(engine, rows, ids, end));
  if (end === rows.n || !storeVectors || !linkPending) return;
  try {
    for (const _ of chunks(engine, rows, ids, storeVectors, end));
  } finally {
    if (!later) engine.done(linkPending(false));
  }
}
