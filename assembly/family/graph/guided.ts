// The beam on layer 0, guided by the codes that nodes keep of their neighbours (neighbours.ts). Neighbours begin to
// wait at an estimated distance; a node's own row is read only when it is expanded, and then it is in the beam. A node
// may wait several times, seen from several neighbours; the best estimate counts. The walk is over when
// no estimate is below the beam's last distance.
// Its gain is in bench/README.md: on the graph that insertions make, 1.5 times the queries a second of whole rows walked.
//
// Nodes are expanded in rounds of one, two, three and then four, of wide beams up to 16: what they have in memory arrives together,
// and few of them would not have been expanded one by one. At equal recall 24 to 31 % more queries a second at 64 and 160 dimensions,
// 3 to 10 % at 784; rounds of 16 at k 100, 4 to 8 % more.
//
// Where few can be answered, of a filter's sake or since some are removed, the others are walked through: their rows are not
// read, unless it was such a one that told of them. Their neighbours wait at guesses, estimates from an estimate, whose errors would
// add up from one to the next: with guesses from guesses a walk of fashion-mnist-784, half passing, drifted off and read 8,262 rows,
// where it reads 25.
import { bitsetBytes, hasBit, testAndSet } from "../../base/bitset";
import { NONE } from "../../base/codes";
import { within } from "../../base/simd";
import { state } from "../../memory/state";
import { layout, nodes } from "../../table/nodes";
import { Scorer, scoreMany, walkCodec } from "../../codec/scorer";
import { touch, touchRows } from "../../codec/touch";
import { Batch } from "../../search/batch";
import { ROUND } from "../../search/waiting";
import { work } from "../../search/work";
import { codesOf, degree, degreeLimit, linksOf, topOf } from "./graph";
import { bindNeighbours, groupBytes, guide, scoreNeighbours } from "./neighbours";
import { dueOf, givesUp, samples } from "./costs";
import { Walk, queueSize, score } from "./walk";

/**
 * From the entry to the beam, empty so far, around the bound query; false where a scan is cheaper. The walk ends
 * when nothing that waits is nearer than the `ef`-th of the beam; where `wanted` are more than that, the best that wait fill it up. It never leads
 * by way of `itself`.
 */
export function guidedSearch(w: Walk, rows: Scorer, ef: u32, wanted: u32, itself: u32 = NONE): bool {
  const s = state();
  const beam = w.beam();
  const waiting = w.waiting();
  bindNeighbours();
  let start = s.entry;
  let distance = exactly(w, rows, start);
  memory.fill(w.visited, 0, bitsetBytes(nodes().count));
  if (itself != NONE) testAndSet(w.visited, itself);
  // Whoever is scored on the way down waits on layer 0: where the descent ends there may be no way out.
  waiting.clear(queueSize(beam.capacity, w.spread));
  waiting.push(distance, start);
  for (let layer = s.topLevel; layer > 0; layer--) {
    for (let next = start; next != NONE; ) {
      start = next;
      next = nearerNeighbour(w, rows, layer, start, distance);
      if (next == NONE) continue;
      distance = w.gathered().distanceAt(0);
      waiting.push(distance, next);
    }
  }
  const least = max(ef, wanted), due = dueOf(ef, wanted);
  const most = roundOf(least);
  for (let round: u32 = 1; takeRound(w, ef, min(round, most)); round++) {
    if (!w.passesAll && givesUp(beam.size, due, w.scored)) return false;
    expandRound(w, rows, round <= ef / WIDE ? 2 : 1);
  }
  if (ef < wanted) {
    // Every second one that waits does so twice, and one in `spread` can be answered.
    while (<f32>beam.size + <f32>(w.waiting().count >> 1) / w.spread < <f32>wanted && takeRound(w, wanted, most)) expandRound(w, rows);
    scoreWaiting(w, rows, wanted);
  }
  // Too few waited: the walk goes on from where it is.
  while (beam.size < least && resume(w, rows)) {
    while (beam.size < least && takeRound(w, least, most)) {
      if (!w.passesAll && givesUp(beam.size, due, w.scored)) return false;
      expandRound(w, rows);
    }
  }
  return true;
}

/**
 * Whoever waits several times may have pushed others out: a beam that is not full looks once more at all its neighbours. False where all of
 * them are in it.
 */
function resume(w: Walk, rows: Scorer): bool {
  const beam = w.beam();
  w.waiting().clear(queueSize(beam.capacity, w.spread));
  for (let i: u32 = 0; i < beam.size; i++) expand(w, rows, beam.slotAt(i), beam.distanceAt(i), false);
  return w.waiting().count > 0;
}

/** At least, where more are wanted than the beam is searched for: estimates alone are not to say who is in the answer. */
const FEW: u32 = 16;

/** The best that wait, by their rows: as many as are wanted, or more where there are not so many in the beam. */
function scoreWaiting(w: Walk, rows: Scorer, wanted: u32): void {
  const batch = w.gathered();
  const beam = w.beam();
  const waiting = w.waiting();
  let left = <i32>max(min(wanted, FEW), wanted - min(beam.size, wanted));
  while (left > 0 || beam.size < wanted) {
    const n = waiting.take(min(batch.capacity, ROUND), Infinity);
    if (!n) return;
    batch.count = 0;
    for (let i: u32 = 0; i < n; i++) {
      const slot = waiting.takenSlot(i);
      if (!w.passes(slot) || testAndSet(w.visited, slot)) continue;
      batch.add(slot);
    }
    if (batch.count) score(w, rows, batch.count);
    left -= batch.count;
  }
}

/**
 * Where one node in so many can be answered, or more, the rows of all are read: estimates from estimates lead to half as many nodes in vain. Half of
 * gutenberg-sif-160 passing, recall .95: 43 us in place of 55; a fifth passing, as fast either way.
 */
const MANY: f32 = 4;

/**
 * Takes some of the nearest that wait, at most `n` and none beyond the `ef`-th of the beam; those that cannot be answered, at their
 * estimated distances, apart from the others. False if there is none.
 */
function takeRound(w: Walk, ef: u32, n: u32): bool {
  const round = w.round(), through = w.passedThrough();
  const waiting = w.waiting();
  const beam = w.beam();
  const bound = beam.size < ef ? <f32>Infinity : beam.distanceAt(ef - 1);
  round.count = 0;
  through.count = 0;
  do {
    const taken = waiting.take(n, bound);
    if (!taken) return false;
    for (let i: u32 = 0; i < taken; i++) {
      const slot = waiting.takenSlot(i);
      if (testAndSet(w.visited, slot)) continue;
      if (w.spread <= MANY || waiting.isGuess(i) || w.passes(slot)) round.add(slot);
      else {
        store<f32>(through.distances + (through.count << 2), waiting.takenDistance(i));
        through.add(slot);
      }
    }
  } while (!round.count && !through.count);
  return true;
}

/** The walk distance of a slot, which is left in w.batch. */
@inline function exactly(w: Walk, rows: Scorer, slot: u32): f32 {
  const one = w.gathered();
  store<u32>(one.slots, slot);
  scoreMany(rows, one.slots, 1, one.distances);
  w.scored++;
  return one.distanceAt(0);
}

/** Estimates of one layer that are tried by their rows before a node counts as the nearest of its surroundings. */
const TRIES: u32 = 4;

/** Rows no longer than what codes take: on the way down, where a wrong turn leads far off, they are read themselves. */
@inline function haveShortRows(): bool { return nodes().column(walkCodec().column).stride <= 192; }

/** A neighbour that is nearer by its row than `slot` at `distance`, its own left in w.batch; NONE if none of the best is. All neighbours begin to wait. */
function nearerNeighbour(w: Walk, rows: Scorer, layer: u32, slot: u32, distance: f32): u32 {
  const links = linksOf(layer, slot);
  let group = codesOf(layer, slot);
  touch(group, groupBytes());
  const n = degree(layer, slot);
  work().visited++;
  for (let from: u32 = 0; from < n; from += 32, group += groupBytes()) {
    const size = min(n - from, 32);
    const own: usize = w.estimates;
    if (haveShortRows()) {
      scoreMany(rows, links + (from << 2), size, own);
      w.scored += size;
    } else scoreNeighbours(guide(), group, distance, own);
    for (let tries: u32 = 0; tries < TRIES; tries++) {
      let best: u32 = 0;
      for (let i: u32 = 1; i < size; i++) if (load<f32>(own + (i << 2)) < load<f32>(own + (best << 2))) best = i;
      if (!(load<f32>(own + (best << 2)) < distance)) break;
      const other = load<u32>(links + (from + best << 2));
      const exact: f32 = hasBit(w.visited, other) ? Infinity : exactly(w, rows, other);
      if (exact < distance) return other;
      store<f32>(own + (best << 2), exact);
    }
    for (let i: u32 = 0; i < size; i++) w.waiting().push(load<f32>(own + (i << 2)), load<u32>(links + (from + i << 2)));
  }
  return NONE;
}

/** Nodes of a round: of a wide beam more will be expanded anyway. */
function roundOf(ef: u32): u32 { return min(max(ef >> 3, 4), ROUND); }

/**
 * Wide beams look about from layer 1 as well: the first rounds, one for so much of the width, 6 nodes of a beam of 100, none below 32. Rows are read only
 * where that leads somewhere: of ordinary data as many as without.
 */
const WIDE: u32 = 32;

/**
 * All that the nodes of a round have in memory is asked for before any of it is used. Rows are read of those that takeRound() has
 * put there for it. Neighbours are those of so many layers.
 */
function expandRound(w: Walk, rows: Scorer, layers: u32 = 1): void {
  const round = w.round(), through = w.passedThrough();
  const beam = w.beam();
  const n = round.count;
  touchLinks(round);
  touchLinks(through);
  if (n) scoreMany(rows, round.slots, n, round.distances);
  w.scored += n;
  work().visited += n + through.count;
  if (!w.passesAll) countPassing(w, round, through);
  for (let i: u32 = 0; i < n; i++) if (w.passes(round.slotAt(i))) beam.push(round.distanceAt(i), round.slotAt(i));
  // Of the rest as many as could still be wanted: 15 % more queries a second at equal recall.
  w.waiting().shrink(queueSize(max(beam.capacity - beam.size, beam.capacity >> 3), w.spread));
  for (let i: u32 = 0; i < n; i++) {
    expand(w, rows, round.slotAt(i), round.distanceAt(i), false);
    if (layers > 1 && topOf(round.slotAt(i))) expand(w, rows, round.slotAt(i), round.distanceAt(i), false, 1);
  }
  // What an estimate is too low by, all that is seen from there is too: at the edge of the beam it leads to half as many in vain.
  const edge = beam.farthest() < Infinity ? max(beam.farthest(), guide().nearest) : guide().nearest;
  for (let i: u32 = 0; i < through.count; i++) expand(w, rows, through.slotAt(i), max(through.distanceAt(i), edge), true);
}

/** How many pass here: of the neighbours of the first nodes, then of the nodes themselves. */
function countPassing(w: Walk, round: Batch, through: Batch): void {
  const all = work();
  if (samples()) {
    for (let i: u32 = 0; i < round.count; i++) countNeighbours(w, round.slotAt(i));
    for (let i: u32 = 0; i < through.count; i++) countNeighbours(w, through.slotAt(i));
    return;
  }
  for (let i: u32 = 0; i < round.count; i++) all.metPassing += <u32>w.passes(round.slotAt(i));
  all.met += round.count + through.count;
}

function countNeighbours(w: Walk, slot: u32): void {
  const all = work();
  const n = degree(0, slot);
  for (let p = linksOf(0, slot), end = p + (n << 2); p < end; p += 4) all.metPassing += <u32>w.passes(load<u32>(p));
  all.met += n;
}

@inline function touchLinks(batch: Batch): void {
  for (let i: u32 = 0; i < batch.count; i++) {
    const links = linksOf(0, batch.slotAt(i));
    load<u8>(links); load<u8>(links, 64);
  }
  touchRows(nodes(), layout().neighbours, batch.slots, batch.count, 0, groupBytes());
}

/** The neighbours of a node at `distance` begin to wait. */
function expand(w: Walk, rows: Scorer, slot: u32, distance: f32, guess: bool, layer: u32 = 0): void {
  let links = linksOf(layer, slot);
  const end = links + (degreeLimit(layer) << 2);
  if (distance < guide().nearest) {
    pushExact(w, rows, links, end);
    return;
  }
  const waiting = w.waiting();
  const bound = min(waiting.bound, w.beam().farthest());
  const estimates: usize = w.estimates;
  const bytes = groupBytes();
  let group = codesOf(layer, slot);
  for (; links < end && load<u32>(links) != NONE; links += 128, group += bytes) {
    scoreNeighbours(guide(), group, distance, estimates);
    waiting.pushGroup(within(estimates, bound) & placesOf(end - links), estimates, links, w.visited, guess);
  }
}

/** Of a group of 32 that may be wider than what is left of the list. */
@inline function placesOf(bytes: usize): u32 { return bytes < 128 ? (1 << (<u32>bytes >> 2)) - 1 : -1; }

/** Neighbours by their rows, where codes cannot tell them apart: near-duplicates. */
function pushExact(w: Walk, rows: Scorer, links: usize, end: usize): void {
  const batch = w.gathered();
  const bound = w.beam().farthest();
  let n: u32 = 0;
  for (; links < end && load<u32>(links) != NONE; links += 4) {
    const slot = load<u32>(links);
    if (!hasBit(w.visited, slot)) store<u32>(batch.slots + (n++ << 2), slot);
  }
  if (!n) return;
  scoreMany(rows, batch.slots, n, batch.distances);
  w.scored += n;
  for (let i: u32 = 0; i < n; i++) {
    if (batch.distanceAt(i) <= bound) w.waiting().push(batch.distanceAt(i), batch.slotAt(i));
  }
}
