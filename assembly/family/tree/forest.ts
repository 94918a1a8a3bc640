// A forest of random hyperplane trees, as in Annoy (Bernhardsson 2013, https://github.com/spotify/annoy): a node's plane
// lies midway between two means of a sample of its rows, and one queue over all trees takes the side of the query's
// planes that it is least far beyond. Growing and shrinking are tree.ts.
//
// Under cosine planes go through the origin. Under dot the nearest is what is farthest in the query's direction, wherever
// planes lie: of a query, their offset does not count, as if it were very long. Under l1 planes are those of l2, as Annoy has
// them: one between two means parts what lies about either, by whatever distance, and rows are scored by their own.
import { E_MEMORY, NONE, OK, PLAN_TREES, PLAN_TREES_THEN_SCAN } from "../../base/codes";
import { random64, randomBelow } from "../../base/random";
import { SIMD } from "../../base/simd";
import { alloc, mark, reset } from "../../memory/arena";
import { isOfUnits, isSigned } from "../../memory/metrics";
import { state } from "../../memory/state";
import { nextOf } from "../../table/chain";
import { layout } from "../../table/nodes";
import { L2, Plain, dotOf, scaleBy, squaredNorm, sumRow } from "../../kernel/metric";
import { exactCodec, isSameCode, scanNominates, walkScorer } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { Frontier } from "../../search/frontier";
import { Gathering } from "../../search/gathering";
import { rowsToMeet, scanIsCheaper } from "../../search/planner";
import { publishReranked } from "../../search/rerank";
import { publish, work } from "../../search/work";
import { flatSearch } from "../flat/flat";
import { gatherAlike } from "./alike";
import { ALIKE, CROWD, Plane, edgeOf, frontierSize, normalOf, planeOf, rootOf, rowOf, treeCount, vectorBytes } from "./records";

const TRIES: u32 = 3;
/** Of a node's rows, at most this share may lie on one side. */
const LOPSIDED: f64 = 0.95;
/** Rows drawn for the two means. */
const DRAWN: u32 = 200;
/** And to find copies among. */
const CROWD_DRAWN: u32 = 16;

// ---- planes ---------------------------------------------------------------------------------------------------------

/** Finds a plane between n slots and leaves their values at `values`. False if none of a few parts them well. */
export function chooseHyperplane(plane: Plane, record: u32, slots: usize, n: u32, values: usize): bool {
  const start = mark();
  const means = alloc(vectorBytes() << 1);
  const most = <u32>(LOPSIDED * <f64>n);
  let found = false;
  plane.axis = 0;
  for (let i: u32 = 0; means && !found && i < TRIES; i++) {
    twoMeans(random64(random64(state().seed, record), i), slots, n, means, means + vectorBytes());
    if (!setPlane(plane, means, means + vectorBytes())) continue;
    const below = dotAll(plane, slots, n, values);
    found = max(below, n - below) <= most;
  }
  reset(start);
  return found;
}

/** Writes the values of n slots; returns how many are below the split. */
function dotAll(plane: Plane, slots: usize, n: u32, values: usize): u32 {
  let below: u32 = 0;
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 4) {
    const value = dotWith(plane, rowOf(load<u32>(slots + i)));
    store<f32>(values + i, value);
    below += u32(value < plane.split);
  }
  return below;
}

@inline export function dotWith(plane: Plane, row: usize): f32 {
  return dotOf(normalOf(plane), row, vectorBytes());
}

/**
 * Two means in one pass over drawn rows. A row goes to the mean that is nearer after its distance is multiplied by how
 * many the mean has already, so that both come to stand for about as many.
 */
function twoMeans(seed: u64, slots: usize, n: u32, a: usize, b: usize): void {
  const bytes = vectorBytes();
  const first = randomBelow(seed, 0, n);
  const second = (first + 1 + randomBelow(seed, 1, n - 1)) % n;
  memory.copy(a, rowOf(load<u32>(slots + (<usize>first << 2))), bytes);
  memory.copy(b, rowOf(load<u32>(slots + (<usize>second << 2))), bytes);
  let inA: f32 = 1, inB: f32 = 1;
  for (let i: u32 = 0; i < DRAWN; i++) {
    const row = rowOf(load<u32>(slots + (<usize>randomBelow(seed, i + 2, n) << 2)));
    const toA = inA * sumRow<L2, Plain>(row, a, bytes), toB = inB * sumRow<L2, Plain>(row, b, bytes);
    if (toA < toB) moveTowards(a, row, ++inA, bytes);
    else if (toB < toA) moveTowards(b, row, ++inB, bytes);
  }
}

/** Moves a mean by 1 / n of the way. */
function moveTowards(mean: usize, row: usize, n: f32, bytes: usize): void {
  const share: f32 = 1 / n;
  if (SIMD) {
    const shares = f32x4.splat(share);
    for (let p: usize = 0; p < bytes; p += 16) {
      const m = v128.load(mean + p);
      v128.store(mean + p, f32x4.add(m, f32x4.mul(f32x4.sub(v128.load(row + p), m), shares)));
    }
    return;
  }
  for (let p: usize = 0; p < bytes; p += 4) {
    const m = load<f32>(mean + p);
    store<f32>(mean + p, m + (load<f32>(row + p) - m) * share);
  }
}

/** The plane midway between a and b, or parallel to that through the origin. False if they are one point. */
function setPlane(plane: Plane, a: usize, b: usize): bool {
  const bytes: usize = vectorBytes();
  const normal = normalOf(plane);
  for (let p: usize = 0; p < bytes; p += 4) store<f32>(normal + p, load<f32>(b + p) - load<f32>(a + p));
  const norm = squaredNorm(normal, state().dimensions);
  if (!(norm > 0)) return false;
  scaleBy(normal, state().dimensions, 1 / sqrt(norm));
  plane.split = isOfUnits() ? 0 : (dotWith(plane, a) + dotWith(plane, b)) * 0.5;
  return true;
}

/**
 * Where a row is that of a quarter of n slots or more, and of half a leaf: parts its copies from the others, and leaves on which
 * side each is at `values`, 0 or 1. So they take no room from what lies about them, and are met by whoever looks there. False if
 * there is none.
 */
export function chooseCrowd(plane: Plane, record: u32, slots: usize, n: u32, values: usize): bool {
  const crowd = drawCopy(random64(random64(state().seed, record), TRIES), slots, n);
  if (crowd == NONE) return false;
  let alike: u32 = 0;
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 4) {
    const same = isSameCode(exactCodec(), load<u32>(slots + i), crowd);
    store<f32>(values + i, <f32>same);
    alike += u32(same);
  }
  if (alike < n >> 2 || alike << 1 <= state().leafSize) return false;
  plane.axis = CROWD;
  plane.split = 0.5;
  memory.copy(normalOf(plane), rowOf(crowd), vectorBytes());
  return true;
}

/** A slot of which a few that are drawn hold a copy, or NONE. Of a quarter of all, 15 in 16 draws hold two. */
function drawCopy(seed: u64, slots: usize, n: u32): u32 {
  for (let i: u32 = 1; i < CROWD_DRAWN; i++) {
    const slot = drawn(seed, i, slots, n);
    for (let j: u32 = 0; j < i; j++) {
      const other = drawn(seed, j, slots, n);
      if (other != slot && isSameCode(exactCodec(), slot, other)) return slot;
    }
  }
  return NONE;
}

@inline function drawn(seed: u64, i: u32, slots: usize, n: u32): u32 { return load<u32>(slots + (<usize>randomBelow(seed, i, n) << 2)); }

@inline export function isOfCrowd(plane: Plane, row: usize): bool {
  return memory.compare(normalOf(plane), row, vectorBytes()) == 0;
}

export function planeIsFinite(plane: Plane): bool {
  return abs(plane.split) < Infinity && squaredNorm(normalOf(plane), state().dimensions) <= 1.001;
}

// ---- searching ------------------------------------------------------------------------------------------------------

/** Rows that are met, most of them not to pass, in the time of one distance and a plane on the way to them. */
const ROWS_PER_DISTANCE: f64 = 4;

/**
 * The k nearest of `searchK` candidates or more that the trees lead to, all of which pass the filter; always k, as far as
 * there are so many. work().visited: leaves.
 */
export function forestSearch(ask: Ask): i32 {
  const k = ask.k;
  const least = min(k, ask.passing), wanted = max(ask.effort, least);
  if (scanIsCheaper(ask, <f64>wanted + rowsToMeet(ask, wanted) / ROWS_PER_DISTANCE)) return flatSearch(ask);
  const start = mark();
  work().plan = PLAN_TREES;
  const g = Gathering.open(scanNominates() ? max(ask.candidates, k) : k, ask.codec(), walkScorer(), ask.filter, treeCount() > 1);
  const frontier = Frontier.open(frontierSize());
  if (!g || !frontier) {
    reset(start);
    return E_MEMORY;
  }
  let done = true;
  if (!walkPlanes(frontier, g, ask, wanted, least)) {
    work().plan = PLAN_TREES_THEN_SCAN;
    done = g.addRest();
  }
  done = done && (scanNominates() ? publishReranked(g.nearest(), k, Infinity) : publish(g.nearest()));
  reset(start);
  return done ? OK : E_MEMORY;
}

/**
 * The frontier's priority: how far the query is beyond a plane at most, on the way from the root. False where so many planes
 * lead to too little of what passes a filter that scoring the rest of it is cheaper, or to fewer than `least`.
 */
function walkPlanes(frontier: Frontier, g: Gathering, ask: Ask, wanted: u32, least: u32): bool {
  let planes: u32 = 0;
  for (let tree: u32 = 0; tree < treeCount(); tree++) frontier.push(-Infinity, rootOf(tree));
  while (frontier.size && (g.gathered < wanted || g.met < least)) {
    if (ask.filter && scanIsCheaper(ask, <f64>planes)) break;
    const code = frontier.pop();
    const edge = edgeOf(code);
    if (edge.record != NONE && planeOf(edge.record).axis != ALIKE) {
      offerSides(frontier, edge.record, frontier.priority);
      planes++;
      continue;
    }
    work().visited++;
    if (edge.record != NONE) gatherAlike(g, code, g.met + wanted);
    else for (let slot = edge.first; slot != NONE; slot = nextOf(edge.tree, slot)) g.add(slot);
  }
  g.flush();
  return g.met >= least && (g.gathered >= wanted || !frontier.size);
}

@inline function offerSides(frontier: Frontier, record: u32, priority: f32): void {
  const plane = planeOf(record);
  if (plane.axis >= CROWD) {
    frontier.push(priority, record << 1);
    frontier.push(priority, record << 1 | 1);
    return;
  }
  const beyond = dotWith(plane, layout().prepared) - (isSigned() ? 0 : plane.split);
  frontier.push(max(priority, beyond), record << 1);
  frontier.push(max(priority, -beyond), record << 1 | 1);
}
