// Nodes that walks lead past. Every node can be reached (roots.ts), but where clusters are tight, or rows lie along a curve, a narrow walk may
// end far from a node and see no way on. So the nodes of the layers above, which are one
// of some 16 from everywhere, are looked for: some after a build at once, all after a sweep, and one after the other while the index changes.
import { isSigned } from "../../memory/metrics";
import { state } from "../../memory/state";
import { DOOMED, LIVE, layout, nodes, stageAt, stageOf } from "../../table/nodes";
import { bindQuery, decode, exactCodec, scoreMany, walkScorer } from "../../codec/scorer";
import { Batch } from "../../search/batch";
import { Pool } from "../../search/pool";
import { Walk, beamSearch, begin, descend } from "./walk";
import { Builder, beamAround } from "./builder";
import { degree, degreeLimit, holds, isTwin, linkedSlots, linksOf, putLink, topOf } from "./graph";
import { moveTo, parentOf } from "./roots";

/** Beam width of a walk to see whether a node is found. */
const LOOK: u32 = 8;
/** Of where it ends so many are tied to the node. */
const TIES: u32 = 4;

/** After a build at once so many are looked for, and one more of so many slots. */
const SLOTS_PER_LOOK: u32 = 128;

/** Those above layer 0 among slots from..to. */
export function countAbove(from: u32, to: u32): u32 {
  let above: u32 = 0;
  for (let slot = from; slot < to; slot++) above += <u32>isAbove(slot);
  return above;
}

/**
 * Looks for some of slots from..to, of n that were linked at once, `above` of which are above layer 0. `due`: what it returned for those before
 * them, or 0.
 */
export function tieSomeStrayed(b: Builder, from: u32, to: u32, n: u32, above: u32, due: u32): u32 {
  const most = min(SLOTS_PER_LOOK + n / SLOTS_PER_LOOK, above);
  for (let slot = from; slot < to; slot++) {
    if (!isAbove(slot)) continue;
    due += most;
    if (due < above) continue;
    due -= above;
    look(b, slot);
  }
  return due;
}

/** Looks for those among the next `most` slots, from the last to the first. */
export function seekStrayed(b: Builder, most: u32): void {
  const s = state();
  const end = s.unsought - min(most, s.unsought);
  while (s.unsought > end) if (isAbove(--s.unsought)) look(b, s.unsought);
}

/** The entry is where walks begin. */
function isAbove(slot: u32): bool { return topOf(slot) > 0 && stageOf(slot) == LIVE && !isTwin(slot) && slot != state().entry && slot < linkedSlots(); }

function look(b: Builder, slot: u32): void {
  tieStrayed(b, slot);
  if (isSigned()) tieAnswer(b, slot);
}

/**
 * Where a narrow walk ends farther from a node than its neighbours are in the mean, as in another cluster or half a curve away, the node is tied
 * to the place.
 */
export function tieStrayed(b: Builder, slot: u32): void {
  const batch = changetype<Batch>(b.neighbours);
  batch.count = 0;
  for (let i: u32 = 0, count = degree(0, slot); i < count; i++) batch.add(load<u32>(linksOf(0, slot) + (i << 2)));
  if (!batch.count) return;
  const pool = beamAround(b, slot, 0, min(LOOK, state().efConstruction));
  scoreMany(walkScorer(), batch.slots, batch.count, batch.distances);
  let sum: f64 = 0;
  for (let i: u32 = 0; i < batch.count; i++) sum += batch.distanceAt(i);
  if (pool.distanceAt(0) * <f64>batch.count <= sum) return;
  tieAll(pool, slot);
}

/** Ties the first of a beam to a node, one of them for good. */
function tieAll(pool: Pool, slot: u32): void {
  let moved = false;
  for (let i: u32 = 0, ties: u32 = 0; i < pool.size && ties < TIES; i++) {
    if (stageAt(pool.slotAt(i)) == DOOMED) continue;
    ties++;
    moved = moved || moveTo(pool.slotAt(i), slot);
    bridgeTo(pool.slotAt(i), 0, slot);
  }
}

/** Beam width of a walk on layer 1, as wide as one M times as wide on layer 0. */
const LOOK_FROM_ABOVE: u32 = 64;

/**
 * Under dot a row is seldom its own answer. Where a narrow walk for the row, asked as a query, ends farther than a node that is seen from
 * layer 1, it is tied to that.
 */
function tieAnswer(b: Builder, slot: u32): void {
  decode(exactCodec(), slot, layout().prepared);
  bindQuery(b.codec(), walkScorer(), layout().prepared);
  const seen = beamFromEntry(b, 1, LOOK_FROM_ABOVE);
  const answer = seen.slotAt(0);
  if (stageAt(answer) == DOOMED || answer == state().entry) return;
  const distance = seen.distanceAt(0);
  const narrow = beamFromEntry(b, 0, LOOK);
  if (narrow.distanceAt(0) <= distance) return;
  tieAll(narrow, answer);
}

function beamFromEntry(b: Builder, layer: u32, ef: u32): Pool {
  const s = state();
  const w = changetype<Walk>(b.walk);
  begin(w, walkScorer(), min(ef, s.efConstruction), s.entry);
  for (let l = s.topLevel; l > layer; l--) descend(w, walkScorer(), l);
  beamSearch(w, walkScorer(), layer, u32.MAX_VALUE, 0);
  return w.beam();
}

/** One more tie of a node or an island. */
export function bridgeTo(from: u32, layer: u32, slot: u32): void {
  if (from == slot) return;
  const n = degree(layer, from);
  let place = n;
  if (n == degreeLimit(layer)) {
    place--;
    if (!layer && parentOf(load<u32>(linksOf(0, from) + (place << 2))) == from) return;
  }
  if (!holds(linksOf(layer, from), n, slot)) putLink(layer, from, place, slot);
  if (degree(layer, slot) < degreeLimit(layer)) addLink(layer, slot, from);
}

/** Adds a link if it is not there, in place of the last of a full list; none to a doomed node, which a sweep may have passed already. */
export function addLink(layer: u32, from: u32, to: u32): void {
  if (stageAt(to) == DOOMED) return;
  const links = linksOf(layer, from);
  const n = degree(layer, from);
  if (holds(links, n, to)) return;
  putLink(layer, from, min(n, degreeLimit(layer) - 1), to);
}
