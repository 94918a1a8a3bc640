// What reads an index: one vector, all ids, a search, and the filters of searches.
import { bitsetBytes, hasBit, setBit } from "../base/bitset";
import { NONE, OK } from "../base/codes";
import { alloc } from "../memory/arena";
import { slotOfId } from "../table/ids";
import { LIVE, idOf, layout, nodes, stageOf } from "../table/nodes";
import { bindQuery, scoreMany, walkCodec, walkScorer } from "../codec/scorer";
import { family } from "../search/family";
import { checkedNorm, prepare } from "../search/prepare";
import { readVector } from "../search/rows";
import { clearWork } from "../search/work";

/** Writes the vector of a live id to `out` (dimensions x f32); false if there is none. */
export function getVector(id: u32, out: usize): bool {
  const slot = slotOfId(id);
  if (slot == NONE) return false;
  readVector(slot, out);
  return true;
}

/** Writes the ids of the live ones of `n` slots from `first` on; returns how many they are. */
export function liveIds(first: u32, n: u32, out: usize): u32 {
  const start = out;
  for (let slot = first, end = min(first + n, nodes().count); slot < end; slot++) {
    if (stageOf(slot) != LIVE) continue;
    store<u32>(out, idOf(slot));
    out += 4;
  }
  return <u32>(out - start) >> 2;
}

/** Where JS writes a query. */
export function queryAddress(): usize { return layout().query; }

/** Checks and prepares the query that JS has written. */
export function prepareQuery(): i32 {
  clearWork();
  const norm = checkedNorm(layout().query);
  if (norm < 0) return <i32>norm;
  prepare(layout().query, norm, layout().prepared);
  return OK;
}

/**
 * The family's own search for the prepared query: the k nearest of the `passing` live slots that pass the filter (bitset
 * of slots, 0 = all). `effort` is ef, nprobe, searchK, maxLeaves or probes. Results: work().
 */
export function search(k: u32, effort: u32, candidates: u32, filter: usize, passing: u32): i32 {
  return family().search(k, effort, candidates, filter, passing);
}

/**
 * The k nearest to the prepared query that pass the filter, or all within `bound` if fewer: by the exact rows where they
 * are kept, else by what the codes say. Results: work().
 */
export function exactSearch(k: u32, filter: usize, bound: f32): i32 {
  return family().exact(k, filter, bound);
}

/** For measurements and the self-test: the distances of n slots to the prepared query. */
export function scoreSlots(slots: usize, n: u32, out: usize): void {
  bindQuery(walkCodec(), walkScorer(), layout().prepared);
  walkScorer().scattered = 0;
  scoreMany(walkScorer(), slots, n, out);
}

/** An empty filter, or 0 where scratch cannot grow. */
export function openFilter(): usize {
  const bytes = bitsetBytes(nodes().count) + 8;
  const set = alloc(bytes);
  if (set) memory.fill(set, 0, bytes);
  return set;
}

/** Lets n ids pass; returns how many more live slots do. */
export function passIds(filter: usize, ids: usize, n: u32): u32 {
  let passing: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot = slotOfId(load<u32>(ids + (i << 2)));
    if (slot == NONE || hasBit(filter, slot)) continue;
    setBit(filter, slot);
    passing++;
  }
  return passing;
}

/** Lets the ids pass whose bit is set in `bytes` bytes at `bits`; returns how many live slots do. */
export function passBits(filter: usize, bits: usize, bytes: u32): u32 {
  let passing: u32 = 0;
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
    if (stageOf(slot) != LIVE) continue;
    const id = idOf(slot);
    if (id >> 3 >= bytes || !hasBit(bits, id)) continue;
    setBit(filter, slot);
    passing++;
  }
  return passing;
}
