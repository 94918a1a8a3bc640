// Nodes that walks lead past. Every node can be reached (roots.ts), but where clusters are tight, or rows lie along a curve, a narrow walk may
// end far from a node and see no way on. So the nodes of the layers above, which are one of some 16 from everywhere, are looked for: all after
// a build at once or a sweep, and one after the other while the index changes.
import { state } from "../../memory/state";
import { LIVE, nodes, stageOf } from "../../table/nodes";
import { scoreMany, walkScorer } from "../../codec/scorer";
import { Batch } from "../../search/batch";
import { Builder, beamAround } from "./builder";
import { degree, degreeLimit, holds, isTwin, linksOf, putLink, topOf } from "./graph";
import { parentOf } from "./roots";

/** Beam width of a walk to see whether a node is found. */
const LOOK: u32 = 8;
/** Of where it ends so many are tied to the node. */
const TIES: u32 = 4;

export function tieAllStrayed(b: Builder): void {
  state().unsought = nodes().count;
  seekStrayed(b, nodes().count);
}

/** Looks for those among the next `most` slots, from the last to the first. */
export function seekStrayed(b: Builder, most: u32): void {
  const s = state();
  const end = s.unsought - min(most, s.unsought);
  while (s.unsought > end) {
    const slot = --s.unsought;
    if (stageOf(slot) == LIVE && !isTwin(slot) && topOf(slot)) tieStrayed(b, slot);
  }
}

/**
 * Where a narrow walk ends farther from a node than all its neighbours are, as in another cluster or half a curve away, the node is tied
 * to the place.
 */
export function tieStrayed(b: Builder, slot: u32): void {
  const batch = changetype<Batch>(b.neighbours);
  batch.count = 0;
  for (let i: u32 = 0, count = degree(0, slot); i < count; i++) batch.add(load<u32>(linksOf(0, slot) + (i << 2)));
  if (!batch.count) return;
  const pool = beamAround(b, slot, 0, min(LOOK, state().efConstruction));
  scoreMany(walkScorer(), batch.slots, batch.count, batch.distances);
  let farthest = batch.distanceAt(0);
  for (let i: u32 = 1; i < batch.count; i++) farthest = max(farthest, batch.distanceAt(i));
  if (pool.distanceAt(0) <= farthest) return;
  for (let i: u32 = 0; i < min(pool.size, TIES); i++) bridgeTo(pool.slotAt(i), 0, slot);
}

/** One more tie of a node or an island. */
export function bridgeTo(from: u32, layer: u32, slot: u32): void {
  const n = degree(layer, from);
  let place = n;
  if (n == degreeLimit(layer)) {
    place--;
    if (!layer && parentOf(load<u32>(linksOf(0, from) + (place << 2))) == from) return;
  }
  if (!holds(linksOf(layer, from), n, slot)) putLink(layer, from, place, slot);
  if (degree(layer, slot) < degreeLimit(layer)) addLink(layer, slot, from);
}

/** Adds a link if it is not there, in place of the last of a full list. */
export function addLink(layer: u32, from: u32, to: u32): void {
  const links = linksOf(layer, from);
  const n = degree(layer, from);
  if (holds(links, n, to)) return;
  putLink(layer, from, min(n, degreeLimit(layer) - 1), to);
}
