// What no link leads to after a build at once, which may leave a cluster without a link from another: whatever the entry cannot reach on a layer
// is tied to the nearest that it can.
import { hasBit } from "../../../base/bitset";
import { NONE } from "../../../base/codes";
import { isSigned } from "../../../memory/metrics";
import { state } from "../../../memory/state";
import { DOOMED, FREE, stageOf } from "../../../table/nodes";
import { Batch } from "../../../search/batch";
import { Builder, beamAround } from "../builder";
import { degree, degreeLimit, isTwin, linksOf, topOf } from "../graph";
import { flood } from "../reconnect";
import { adopt, findParent, parentOf } from "../roots";
import { addLink, bridgeTo, tieStrayed } from "../strays";

/** Of an island's nodes one of so many is tied by itself: a beam may never come across a single tie. */
const NODES_PER_TIE: u32 = 16;

/** Ties a slot, with all that it leads to, where it has not been reached; they are in `queue` then, from place `from` on to where this says. */
export function tieIsland(b: Builder, layer: u32, slot: u32, reached: usize, queue: usize, from: u32): u32 {
  const stage = stageOf(slot);
  if (stage == FREE || stage == DOOMED || isTwin(slot) || topOf(slot) < layer || hasBit(reached, slot)) return from;
  if (isSigned() && joinNeighbours(layer, slot, reached)) return flood(layer, slot, reached, queue, from, !layer);
  const shore = shoreOf(b, layer, slot, reached);
  bridge(shore, layer, slot);
  const end = flood(layer, slot, reached, queue, from, !layer);
  for (let i = from + NODES_PER_TIE, j: u32 = 0; i < end && j < shore.count; i += NODES_PER_TIE, j++) {
    bridgeTo(shore.slotAt(j), layer, load<u32>(queue + (<usize>i << 2)));
  }
  if (!layer) for (let i = from; i + 1 < end; i += NODES_PER_TIE) tieStrayed(b, load<u32>(queue + (<usize>i << 2)));
  return end;
}

/**
 * Under dot nobody links to short rows, which are many and next to no answer. One is tied to a node that it links to, or that those do, with a
 * place left, so that no other link is lost. False where there is none.
 */
function joinNeighbours(layer: u32, slot: u32, reached: usize): bool {
  const links = linksOf(layer, slot);
  const end = links + (degree(layer, slot) << 2);
  for (let p = links; p < end; p += 4) if (joinWithPlace(layer, load<u32>(p), slot, reached)) return true;
  for (let p = links; p < end; p += 4) {
    const next = linksOf(layer, load<u32>(p));
    for (let i: u32 = 0, n = degree(layer, load<u32>(p)); i < n; i++) {
      if (joinWithPlace(layer, load<u32>(next + (i << 2)), slot, reached)) return true;
    }
  }
  return false;
}

function joinWithPlace(layer: u32, from: u32, to: u32, reached: usize): bool {
  if (!hasBit(reached, from) || degree(layer, from) == degreeLimit(layer)) return false;
  if (layer) addLink(layer, from, to);
  else adopt(from, to);
  return true;
}

/** Of the nodes around a slot those that have been reached, nearest first; the entry where there is none. */
function shoreOf(b: Builder, layer: u32, slot: u32, reached: usize): Batch {
  const pool = beamAround(b, slot, layer, state().efConstruction);
  const shore = changetype<Batch>(b.neighbours);
  shore.count = 0;
  for (let i: u32 = 0; i < pool.size; i++) if (hasBit(reached, pool.slotAt(i))) shore.add(pool.slotAt(i));
  if (!shore.count) shore.add(state().entry);
  return shore;
}

/** Links the nearest half of M of a pool, or as many as can, to `slot` and back; failing that the entry, or somebody below these who has room. */
function bridge(pool: Batch, layer: u32, slot: u32): void {
  let ties: u32 = 0;
  for (let i: u32 = 0; i < pool.count && ties < max(state().m >> 1, 1); i++) ties += <u32>tie(layer, pool.slotAt(i), slot);
  if (ties || tie(layer, state().entry, slot) || layer) return;
  const parent = findParent(slot, pool.slots, pool.count);
  if (parent != NONE) adopt(parent, slot);
}

function tie(layer: u32, from: u32, to: u32): bool {
  if (from == to) return false;
  if (layer) addLink(layer, from, to);
  else if (parentOf(to) == NONE) {
    if (!adopt(from, to)) return false;
  } else if (degree(0, from) < degreeLimit(0)) addLink(0, from, to);
  if (degree(layer, to) < degreeLimit(layer)) addLink(layer, to, from);
  return true;
}
