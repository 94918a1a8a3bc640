// The two ways through the graph (Malkov and Yashunin 2016, arXiv 1603.09320, algorithms 2 and 5): greedy descent and
// the ef beam. Unvisited neighbours of a node are gathered first, then scored in one call. One visited set and one beam
// serve all layers: what the descent has scored are the beam's first nodes, and is not scored again.
import { bitsetBytes, testAndSet } from "../../base/bitset";
import { GRAPH, NONE } from "../../base/codes";
import { alloc } from "../../memory/arena";
import { state } from "../../memory/state";
import { nodes } from "../../table/nodes";
import { Scorer, scoreMany } from "../../codec/scorer";
import { Batch } from "../../search/batch";
import { Frontier } from "../../search/frontier";
import { Pool } from "../../search/pool";
import { ROUND, Waiting } from "../../search/waiting";
import { work } from "../../search/work";
import { dueOf, givesUp } from "./costs";
import { degreeLimit, linksOf } from "./graph";
import { EVERY, anyPasses } from "./twins";

/** fastScan: 32 x f32. */
const ESTIMATES: usize = 128;
/** Nodes that wait at most, whatever passes: 64 KiB. */
const MOST_WAITING: u32 = 4096;
/** Nodes that wait, some of them more than once (guided.ts), while a beam fills up, of which one node in `spread` can be. */
@inline export function queueSize(beam: u32, spread: f32): u32 { return <u32>min(ceil(<f32>beam * spread), <f32>MOST_WAITING) + 16; }

/** Scratch of one walk. */
@unmanaged export class Walk {
  pool: u32;
  visited: u32; // bitset over slots
  batch: u32;
  keys: u32;    // 2M x u64, for pushAll
  scored: u32;  // distances so far
  queue: u32;   // nodes that wait to be expanded, where not all nodes can be answered
  unsorted: u32; // fastScan: nodes that wait to be expanded
  estimates: u32; // fastScan: 32 x f32
  together: u32;  // fastScan: nodes that are expanded together
  through: u32;   // fastScan: those among them that cannot be answered
  spread: f32;    // nodes there are for one that can be answered
  filter: u32;    // bitset of slots that can; 0: all that are live; or EVERY

  static bytes(ef: u32, slots: u32): usize {
    const most = queueSize(ef, <f32>MOST_WAITING);
    const waiting = GRAPH && state().fastScan ? Waiting.bytes(most) + ESTIMATES + 2 * Batch.bytes(ROUND) + 256 : Frontier.bytes(most << 1);
    return Pool.bytes(ef) + bitsetBytes(slots) + Batch.bytes(state().m << 1) + (state().m << 4) + waiting + 384;
  }

  /**
   * A walk over at most `slots` slots, where of `linked` nodes `passing` can be answered, those in the filter; 0 where scratch cannot grow.
   */
  static open(ef: u32, slots: u32, linked: u32 = 1, passing: u32 = 1, filter: usize = 0): Walk {
    const none = changetype<Walk>(0);
    const at = alloc(offsetof<Walk>());
    if (!at) return none;
    const w = changetype<Walk>(at);
    w.pool = <u32>alloc(Pool.bytes(ef));
    w.visited = <u32>alloc(bitsetBytes(slots));
    w.batch = <u32>changetype<usize>(Batch.open(state().m << 1));
    w.keys = <u32>alloc(state().m << 4);
    const spread = <f32>linked / <f32>passing;
    w.spread = spread;
    w.filter = <u32>(linked == passing ? EVERY : filter);
    const guided = GRAPH && state().fastScan != 0;
    if (!guided && !w.passesAll) {
      w.queue = <u32>changetype<usize>(Frontier.open(queueSize(ef, spread) << 1));
      if (!w.queue) return none;
    }
    if (guided) {
      w.unsorted = <u32>changetype<usize>(Waiting.open(queueSize(ef, spread)));
      w.estimates = <u32>alloc(ESTIMATES);
      w.together = <u32>changetype<usize>(Batch.open(ROUND));
      w.through = <u32>changetype<usize>(Batch.open(ROUND));
      if (!w.unsorted || !w.estimates || !w.together || !w.through) return none;
    }
    return w.pool && w.visited && w.batch && w.keys ? w : none;
  }

  @inline round(): Batch { return changetype<Batch>(this.together); }
  @inline passedThrough(): Batch { return changetype<Batch>(this.through); }
  /** Whether every node can be answered. */
  @inline get passesAll(): bool { return this.filter == <u32>EVERY; }
  /** Whether a node can be in the beam. */
  @inline passes(slot: u32): bool { return this.passesAll || anyPasses(slot, this.filter); }
  @inline frontier(): Frontier { return changetype<Frontier>(this.queue); }
  @inline waiting(): Waiting { return changetype<Waiting>(this.unsorted); }
  @inline beam(): Pool { return changetype<Pool>(this.pool); }
  @inline gathered(): Batch { return changetype<Batch>(this.batch); }
}

/** Begins a walk of beam width `ef` at one node. A node is scored at most once in a walk, whatever the layers. */
export function begin(w: Walk, scorer: Scorer, ef: u32, entry: u32): void {
  memory.fill(w.visited, 0, bitsetBytes(nodes().count));
  w.beam().clear(ef);
  w.scored = 0;
  const batch = w.gathered();
  store<u32>(batch.slots, entry);
  testAndSet(w.visited, entry);
  score(w, scorer, 1);
}

/** Moves to a node of `layer` with no nearer neighbour. All that is scored on the way stays in the beam. */
export function descend(w: Walk, scorer: Scorer, layer: u32): void {
  const pool = w.beam();
  let best = pool.slotAt(0);
  for (let from = NONE; best != from; best = pool.slotAt(0)) {
    from = best;
    expand(w, scorer, layer, from);
  }
}

/** Expands the beam's nodes on `layer` until the nearest `ef` are, and `wanted` have been found. */
export function beamSearch(w: Walk, scorer: Scorer, layer: u32, ef: u32, wanted: u32): void {
  const pool = w.beam();
  pool.reopen();
  while (pool.hasNext() && (pool.cursor < ef || pool.size < wanted)) expand(w, scorer, layer, pool.pop());
}

/**
 * The same on layer 0 where removed nodes cannot be answered: for these the beam has room for `spare` more until the walk is over, and as many as are
 * expanded do not count. False where too few of the others are in it then. Takes a third less time than siftedSearch.
 */
export function spareSearch(w: Walk, scorer: Scorer, ef: u32, wanted: u32, spare: u32): bool {
  const pool = w.beam();
  pool.reopen();
  let gone: u32 = 0;
  while (pool.hasNext() && (pool.cursor < ef + gone || pool.size < wanted + gone)) {
    const slot = pool.pop();
    gone += <u32>!w.passes(slot);
    expand(w, scorer, 0, slot);
  }
  const kept = keepPassing(w);
  pool.size = min(kept, pool.capacity - spare);
  return kept >= max(wanted, ef);
}

/** Those of the beam that can be answered become its first; how many they are. */
function keepPassing(w: Walk): u32 {
  const pool = w.beam();
  let kept: u32 = 0;
  for (let i: u32 = 0; i < pool.size; i++) if (w.passes(pool.slotAt(i))) pool.move(i, kept++);
  return kept;
}

/**
 * The same on layer 0 where some nodes cannot be answered, removed ones and what a filter holds back: these are walked through, and are
 * not in the beam. What was scored on the way down is in the beam, and waits. False where a scan is cheaper.
 */
export function siftedSearch(w: Walk, scorer: Scorer, ef: u32, wanted: u32): bool {
  const pool = w.beam();
  const waiting = w.frontier();
  waiting.clear();
  for (let i: u32 = 0; i < pool.size; i++) waiting.push(pool.distanceAt(i), pool.slotAt(i));
  pool.size = keepPassing(w);
  const least = max(ef, wanted), due = dueOf(ef, wanted);
  while (waiting.size && (pool.size < least || waiting.peekPriority() <= pool.distanceAt(ef - 1))) {
    if (givesUp(pool.size, due, w.scored)) return false;
    const batch = w.gathered();
    const n = gather(linksOf(0, waiting.pop()), degreeLimit(0), w.visited, batch.slots);
    work().visited++;
    if (!n) continue;
    scoreMany(scorer, batch.slots, n, batch.distances);
    w.scored += n;
    const bound = pool.farthest(), limit = waiting.bound();
    for (let i: u32 = 0; i < n; i++) {
      const distance = batch.distanceAt(i), slot = batch.slotAt(i);
      const passes = w.passes(slot);
      work().metPassing += <u32>passes;
      if (distance > bound) continue;
      if (passes) pool.push(distance, slot);
      if (distance <= limit) waiting.push(distance, slot);
    }
    work().met += n;
  }
  return true;
}

/** Scores the unvisited neighbours of a node. */
function expand(w: Walk, scorer: Scorer, layer: u32, slot: u32): void {
  const n = gather(linksOf(layer, slot), degreeLimit(layer), w.visited, w.gathered().slots);
  work().visited++;
  // The next node's links arrive while this one's neighbours are scored.
  const pool = w.beam();
  if (pool.hasNext()) load<u32>(linksOf(layer, pool.peek()));
  if (n) score(w, scorer, n);
}

/** Scores the first n of what was gathered, for the beam. */
@inline export function score(w: Walk, scorer: Scorer, n: u32): void {
  const batch = w.gathered();
  scoreMany(scorer, batch.slots, n, batch.distances);
  w.beam().pushAll(batch.slots, batch.distances, n, w.keys);
  w.scored += n;
}

/**
 * Writes the neighbours not visited before to `slots` and marks them; returns how many. Whether one was visited is a
 * coin toss, so there is no branch on it.
 */
@inline function gather(links: usize, limit: u32, visited: usize, slots: usize): u32 {
  let n: u32 = 0;
  for (const end = links + (limit << 2); links < end; links += 4) {
    const neighbour = load<u32>(links);
    if (neighbour == NONE) break;
    store<u32>(slots + (n << 2), neighbour);
    n += <u32>!testAndSet(visited, neighbour);
  }
  return n;
}
