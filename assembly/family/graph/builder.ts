// What changing the graph works with: scratch that is taken once for a run of insertions or repairs.
import { testAndSet } from "../../base/bitset";
import { CODEC_SQ8, GRAPH, NONE } from "../../base/codes";
import { alloc } from "../../memory/arena";
import { isSigned } from "../../memory/metrics";
import { state } from "../../memory/state";
import { layout, nodes } from "../../table/nodes";
import { Codec, bindSlot, decode, exactCodec, linkScorer, scanNominates, scoreMany, walkCodec, walkScorer } from "../../codec/scorer";
import { touchRows } from "../../codec/touch";
import { Batch } from "../../search/batch";
import { Pool } from "../../search/pool";
import { bulkNow } from "./bulk/job";
import { degree, degreeLimit, haveCodes, holds, isTwin, linkedSlots, linksOf, putLink, setLinks, topOf } from "./graph";
import { guidedSearch } from "./guided";
import { forgetTurned } from "./neighbours";
import { findParent, hasParent, parentOf, setParent } from "./roots";
import { Selection, haveLeads } from "./selection";
import { Walk, beamSearch, begin, descend } from "./walk";

@unmanaged export class Builder {
  walk: u32;
  selection: u32;
  chosen: u32;     // 2M x u32: one node's new links, while the selection serves others
  neighbours: u32; // Batch
  nearest: u32;    // Pool of M, for addNearestLive
  most: u32;       // candidates the selection has room for
  by: u32;         // Codec that walks and links go by

  @inline codec(): Codec { return changetype<Codec>(this.by); }

  /** 0 where scratch cannot grow. */
  static open(): Builder {
    const none = changetype<Builder>(0);
    const s = state();
    const limit = s.m << 1;
    const at = alloc(offsetof<Builder>());
    if (!at) return none;
    const b = changetype<Builder>(at);
    b.by = <u32>changetype<usize>(buildsOnExactRows() ? exactCodec() : walkCodec());
    if (GRAPH && s.fastScan) forgetTurned();
    const widest = GRAPH ? max(widthOfInsertion(), s.efConstruction) : s.efConstruction;
    b.most = max(widest, REPAIR_CANDIDATES * limit);
    b.walk = <u32>changetype<usize>(Walk.open(widest, nodes().blocks << nodes().shift));
    b.selection = <u32>changetype<usize>(Selection.open(b.most, limit));
    b.nearest = <u32>alloc(Pool.bytes(s.m));
    b.chosen = <u32>alloc(limit << 2);
    b.neighbours = <u32>changetype<usize>(Batch.open(b.most));
    return b.walk && b.selection && b.nearest && b.chosen && b.neighbours ? b : none;
  }
}

// A graph over codes is built on the exact rows where they are kept: what codes confuse would be linked for ever.
// sq8 is exact enough.
@inline function buildsOnExactRows(): bool { return scanNominates() && state().codec != CODEC_SQ8; }

/**
 * Under dot a walk for a row may come down on the wrong arm of a curve, where all of its beam is better than the way to the other: so many nodes are
 * expanded on layer 1 before, where the beam is wider than that. "curve" of bench/suite/hard.mjs one by one, recall at worst of 20 draws: with 1 .980,
 * 8 .995, 16 1.000; insertions take 7 % longer.
 */
const SEEN_FROM_ABOVE: u32 = 16;

/** The beam on `layer` around a stored row, from the entry on; never by way of itself, on layers it is linked on. */
export function beamAround(b: Builder, slot: u32, layer: u32, ef: u32): Pool {
  const s = state();
  const w = changetype<Walk>(b.walk);
  bindSlot(b.codec(), walkScorer(), slot);
  begin(w, walkScorer(), ef, s.entry);
  testAndSet(w.visited, slot);
  for (let l = s.topLevel; l > layer; l--) descend(w, walkScorer(), l);
  if (haveLeads(layer) && s.topLevel && ef > SEEN_FROM_ABOVE) beamSearch(w, walkScorer(), 1, SEEN_FROM_ABOVE, 0);
  beamSearch(w, walkScorer(), layer, u32.MAX_VALUE, 0);
  return w.beam();
}

/**
 * Whether insertions walk layer 0 by codes. Under dot these say nothing of the coordinate that links go by as well, and who could not be placed while
 * many are linked at once lies where codes cannot tell neighbours apart.
 */
@inline export function insertsByCodes(): bool { return haveCodes() && !isSigned() && !bulkNow(); }

/**
 * Beam width of insertions by codes: five eighths of efConstruction, and this at least, which is cheap and makes up for whom codes do not lead to. 15,000 one
 * by one, recall at ef 14 and 8: gutenberg-sif-160 with 200 .952 and .903, with 128 .955 and .908; fashion-mnist-784 .995 and .981 with either, in a fifth
 * less time. 6,000 clustered rows of 24 dimensions, M 8, efConstruction 60, a tenth replaced twenty times, eight times over: recall .963 by
 * rows, .962 by codes, .968 by codes this wide; of a fresh graph .978. 50,000 of gutenberg-sif-160, 5 % replaced twenty times: .943 at ef 14 with
 * 200, .941 with 128, .939 with 96, in a tenth less time; fresh .944.
 */
const LEAST_BY_CODES: u32 = 128;

@inline export function widthOfInsertion(): u32 {
  const ef = state().efConstruction;
  return insertsByCodes() ? max(<u32>(<u64>ef * 5 >> 3), LEAST_BY_CODES) : ef;
}

/** beamAround() of layer 0, by codes. gutenberg-sif-160, 12,000: an insertion at 200 scores 560 rows on its walks in place of 1,975. */
export function beamByCodes(b: Builder, slot: u32, ef: u32): void {
  const w = changetype<Walk>(b.walk);
  bindSlot(b.codec(), walkScorer(), slot);
  decode(exactCodec(), slot, layout().prepared);
  w.beam().clear(ef);
  guidedSearch(w, walkScorer(), ef, 0, slot);
}

/** A repair looks at this many times 2M candidates at most: sweep.ts. */
const REPAIR_CANDIDATES: u32 = 4;

/**
 * Adds the nearest live nodes of `layer` to an empty selection, by scoring all of them with the bound walk scorer: for
 * a node whose surroundings have been removed, where the graph has nobody to offer.
 */
export function addNearestLive(b: Builder, layer: u32, slot: u32): void {
  const batch = changetype<Batch>(b.neighbours);
  const pool = changetype<Pool>(b.nearest);
  pool.clear(state().m);
  batch.cursor = 0;
  while (batch.fill(0)) {
    if (GRAPH && !dropBelow(batch, layer)) continue;
    scoreMany(walkScorer(), batch.slots, batch.count, batch.distances);
    for (let i: u32 = 0; i < batch.count; i++) {
      const other = batch.slotAt(i);
      if (other != slot && other < linkedSlots() && !isTwin(other) && topOf(other) >= layer) pool.push(batch.distanceAt(i), other);
    }
  }
  const selection = changetype<Selection>(b.selection);
  for (let i: u32 = 0; i < pool.size; i++) selection.add(pool.distanceAt(i), pool.slotAt(i));
}

/** Before they are scored, those that are not on a layer go; on layer 1 one of M stays. False where none does. */
function dropBelow(batch: Batch, layer: u32): bool {
  const n = batch.count;
  batch.count = 0;
  for (let i: u32 = 0; i < n; i++) if (topOf(batch.slotAt(i)) >= layer) batch.add(batch.slotAt(i));
  return batch.count != 0;
}

/**
 * The selection becomes the links of `slot`, and each of them links back but for the first `kept` of b.neighbours, which were its links before. Where
 * some were, and there are codes, no full list is chosen anew for one that was filled in.
 */
export function setChosen(b: Builder, layer: u32, slot: u32, kept: u32 = 0): void {
  const selection = changetype<Selection>(b.selection);
  const n = selection.taken;
  memory.copy(b.chosen, selection.slots, n << 2);
  setLinks(layer, slot, b.chosen, n);
  const lost = !layer && slot != state().entry && !hasParent(slot);
  if (lost) setParent(slot, findParent(slot, b.chosen, n));
  let fresh: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const to = load<u32>(b.chosen + (i << 2));
    if (haveCodes() && kept && i >= selection.sure && degree(layer, to) == degreeLimit(layer)) continue;
    if (!holds(changetype<Batch>(b.neighbours).slots, kept, to)) store<u32>(b.chosen + (fresh++ << 2), to);
  }
  for (let i: u32 = 0; i < fresh; i++) linkBack(b, layer, load<u32>(b.chosen + (i << 2)), slot);
  if (lost && parentOf(slot) != NONE) linkBack(b, 0, parentOf(slot), slot);
}

/** Adds `to` to the links of `from` if it is not there; a full list is chosen anew from what it held and `to`. */
export function linkBack(b: Builder, layer: u32, from: u32, to: u32): void {
  const limit = degreeLimit(layer);
  const links = linksOf(layer, from);
  const n = degree(layer, from);
  if (holds(links, n, to)) return;
  if (n < limit) {
    putLink(layer, from, n, to);
    return;
  }
  const batch = changetype<Batch>(b.neighbours);
  const selection = changetype<Selection>(b.selection);
  batch.count = 0;
  for (let i: u32 = 0; i < n; i++) batch.add(load<u32>(links + (i << 2)));
  batch.add(to);
  // Whose children they are is read of each, in pages of their own.
  if (GRAPH && !layer) touchRows(nodes(), layout().parent, batch.slots, batch.count, 0, 4);
  selection.clear();
  bindSlot(b.codec(), linkScorer(), from);
  selection.addScored(batch);
  if (haveLeads(layer)) selection.lead(b.codec(), limit, from, from);
  selection.choose(layer, b.codec(), limit, haveCodes(), layer ? NONE : from);
  setLinks(layer, from, selection.slots, selection.taken);
}
