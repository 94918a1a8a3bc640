// The two ways through the graph (Malkov and Yashunin 2016, arXiv 1603.09320, algorithms 2 and 5): greedy descent and
// the ef beam. Unvisited neighbours of a node are gathered first, then scored in one call.
import { alloc } from "../arena";
import { Batch } from "../batch";
import { bitsetBytes, testAndSet } from "../bitset";
import { NONE } from "../codes";
import { nodes } from "../nodes";
import { Pool } from "../pool";
import { Scorer, scoreMany } from "../scorer";
import { state } from "../state";
import { work } from "../work";
import { degreeLimit, linksOf } from "./graph";

/** Scratch of one walk. */
@unmanaged export class Walk {
  pool: u32;
  visited: u32; // bitset over slots
  batch: u32;

  @inline static bytes(ef: u32, slots: u32): usize {
    return Pool.bytes(ef) + bitsetBytes(slots) + Batch.bytes(state().m << 1) + 256;
  }

  /** A walk over at most `slots` slots; 0 where scratch cannot grow. */
  static open(ef: u32, slots: u32): Walk {
    const none = changetype<Walk>(0);
    const at = alloc(offsetof<Walk>());
    if (!at) return none;
    const w = changetype<Walk>(at);
    w.pool = <u32>alloc(Pool.bytes(ef));
    w.visited = <u32>alloc(bitsetBytes(slots));
    w.batch = <u32>changetype<usize>(Batch.open(state().m << 1));
    return w.pool && w.visited && w.batch ? w : none;
  }

  @inline beam(): Pool { return changetype<Pool>(this.pool); }
  @inline gathered(): Batch { return changetype<Batch>(this.batch); }
}

/** From `from` to a node of `layer` with no nearer neighbour; returns it. */
export function descend(w: Walk, scorer: Scorer, layer: u32, from: u32, distance: f32): u32 {
  const batch = w.gathered();
  const limit = degreeLimit(layer);
  let best = from;
  let bestDistance = distance;
  for (let moved = true; moved;) {
    moved = false;
    const links = linksOf(layer, best);
    batch.count = 0;
    for (let i: u32 = 0; i < limit; i++) {
      const neighbour = load<u32>(links + (i << 2));
      if (neighbour == NONE) break;
      batch.add(neighbour);
    }
    work().visited++;
    work().distances += batch.count;
    if (!batch.count) break;
    scoreMany(scorer, batch.slots, batch.count, batch.distances);
    for (let i: u32 = 0; i < batch.count; i++) {
      if (batch.distanceAt(i) < bestDistance) {
        best = batch.slotAt(i);
        bestDistance = batch.distanceAt(i);
        moved = true;
      }
    }
  }
  return best;
}

/** The distance of one slot. */
export function scoreOne(w: Walk, scorer: Scorer, slot: u32): f32 {
  const batch = w.gathered();
  batch.count = 0;
  batch.add(slot);
  scoreMany(scorer, batch.slots, 1, batch.distances);
  work().distances++;
  return batch.distanceAt(0);
}

/**
 * The nearest `ef` nodes of `layer` that the beam meets from `from`, in w.beam(). False if more than `most` distances
 * were needed: the beam is then unfinished.
 */
export function beamSearch(w: Walk, scorer: Scorer, layer: u32, ef: u32, from: u32, distance: f32, most: u32): bool {
  const pool = w.beam();
  const batch = w.gathered();
  const visited: usize = w.visited;
  const limit = degreeLimit(layer);
  memory.fill(visited, 0, bitsetBytes(nodes().count));
  pool.clear(ef);
  testAndSet(visited, from);
  pool.push(distance, from);
  let scored: u32 = 0, expanded: u32 = 0;
  while (pool.hasNext() && scored <= most) {
    const links = linksOf(layer, pool.pop());
    expanded++;
    batch.count = 0;
    for (let i: u32 = 0; i < limit; i++) {
      const neighbour = load<u32>(links + (i << 2));
      if (neighbour == NONE) break;
      if (!testAndSet(visited, neighbour)) batch.add(neighbour);
    }
    if (!batch.count) continue;
    scoreMany(scorer, batch.slots, batch.count, batch.distances);
    scored += batch.count;
    for (let i: u32 = 0; i < batch.count; i++) pool.push(batch.distanceAt(i), batch.slotAt(i));
  }
  work().visited += expanded;
  work().distances += scored;
  return !pool.hasNext();
}
