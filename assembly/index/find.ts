// What reads an index: one vector, its ids, a search.
import { hasBit } from "../base/bitset";
import { NONE, OK } from "../base/codes";
import { Filter } from "../table/filters";
import { slotOfId } from "../table/ids";
import { LIVE, idOf, layout, nodes, stageOf } from "../table/nodes";
import { bindQuery, scanScorer, scoreMany, walkCodec } from "../codec/scorer";
import { asked } from "../search/ask";
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

/** Writes the ids of the live ones of `n` slots from `first` on, those that pass a Filter or (0) all; returns how many they are. */
export function liveIds(first: u32, n: u32, filter: usize, out: usize): u32 {
  const start = out;
  for (let slot = first, end = min(first + n, nodes().count); slot < end; slot++) {
    if (stageOf(slot) != LIVE || (filter && !hasBit(Filter.at(filter).bits, slot))) continue;
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
 * What is asked, for the prepared query: the family's own search for the k nearest that pass; exact, all within the bound
 * if fewer, by the exact rows where they are kept, else by what the codes say. Results: work().
 */
export function search(): i32 {
  const ask = asked();
  return ask.exact ? family().exact(ask) : family().search(ask);
}

/** For measurements and the self-test: the distances of n slots to the prepared query. */
export function scoreSlots(slots: usize, n: u32, out: usize): void {
  bindQuery(walkCodec(), scanScorer(), layout().prepared);
  scoreMany(scanScorer(), slots, n, out);
}
