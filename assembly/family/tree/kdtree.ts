// The kd-tree (Bentley 1975, doi:10.1145/361002.361007; boxes and best-first order as in Arya et al. 1998,
// doi:10.1145/293347.293348): split on the widest spread at the median; a subtree is left out once no row in its box can
// be among the k nearest. Growing and shrinking are tree.ts.
//
// Bounds of the score, from the box alone: the distance to its nearest point under l2, its largest dot under dot. Under
// cosine rows have unit length, and 1 - <q, x> = 1 + (|q - x|^2 - |q|^2 - |x|^2) / 2, with |x|^2 <= reach, is far tighter
// than the dot; rows shorter than that, zero vectors among them, only score worse than the bound.
import { CODEC_SQ8, E_MEMORY, NONE, OK, PLAN_TREES, PLAN_TREES_THEN_SCAN, RERANK_NONE, RERANK_SQ8 } from "../../base/codes";
import { randomBelow } from "../../base/random";
import { SIMD, madd, sumF32 } from "../../base/simd";
import { alloc, mark, reset } from "../../memory/arena";
import { addsSquares, isOfUnits, isSigned } from "../../memory/metrics";
import { state } from "../../memory/state";
import { nextOf } from "../../table/chain";
import { layout } from "../../table/nodes";
import { squaredNorm } from "../../kernel/metric";
import { Scorer, exactCodec, exactScorer } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { Frontier } from "../../search/frontier";
import { Gathering } from "../../search/gathering";
import { rowsToMeet, scanIsCheaper } from "../../search/planner";
import { TopK } from "../../search/topk";
import { publish, work } from "../../search/work";
import { exactScan } from "../flat/flat";
import { gatherAlike } from "./alike";
import { Edge, HASHED, Plane, edgeOf, frontierSize, highOf, lowOf, planeOf, rootOf, rowOf, trees, vectorBytes } from "./records";

/** Boxes that a search measures for each leaf that it visits, at least: two of a record; leaves are two thirds full. */
const BOXES_PER_LEAF: f64 = 3;

// ---- boxes ----------------------------------------------------------------------------------------------------------

/** Makes the edge's box hold the row; alone, if it is the first one. */
export function widen(edge: Edge, row: usize, first: bool): void {
  const bytes = vectorBytes();
  const low = lowOf(edge), high = highOf(edge);
  if (first) {
    memory.copy(low, row, bytes);
    memory.copy(high, row, bytes);
    return;
  }
  for (let p: usize = 0; p < bytes; p += 4) {
    const v = load<f32>(row + p);
    if (v < load<f32>(low + p)) store<f32>(low + p, v);
    if (v > load<f32>(high + p)) store<f32>(high + p, v);
  }
}

/** The tight box of n slots. */
export function setBox(edge: Edge, slots: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const row = rowOf(load<u32>(slots + (<usize>i << 2)));
    widen(edge, row, i == 0);
    noteLength(row);
  }
}

export function noteLength(row: usize): void { trees().reach = max(trees().reach, squaredNorm(row, state().dimensions)); }

/** Whether all that lies between `low` and `high` lies in the edge's box. */
export function boxHolds(edge: Edge, low: usize, high: usize): bool {
  for (let p: usize = 0, bytes: usize = vectorBytes(); p < bytes; p += 4) {
    if (!(load<f32>(lowOf(edge) + p) <= load<f32>(low + p) && load<f32>(high + p) <= load<f32>(highOf(edge) + p))) return false;
  }
  return true;
}

/** How far the box is from the query, squared, coordinate by coordinate. */
@unmanaged @final class Gap {
  @inline step(sum: v128, q: v128, low: v128, high: v128): v128 {
    const gap = f32x4.max(f32x4.max(f32x4.sub(low, q), f32x4.sub(q, high)), f32x4.splat(0));
    return madd(gap, gap, sum);
  }
  @inline stepScalar(sum: f32, q: f32, low: f32, high: f32): f32 {
    const gap = max(max(low - q, q - high), <f32>0);
    return sum + gap * gap;
  }
}

/** The largest dot with anything in the box. */
@unmanaged @final class LargestDot {
  @inline step(sum: v128, q: v128, low: v128, high: v128): v128 {
    return f32x4.add(sum, f32x4.max(f32x4.mul(q, low), f32x4.mul(q, high)));
  }
  @inline stepScalar(sum: f32, q: f32, low: f32, high: f32): f32 { return sum + max(q * low, q * high); }
}

/** Added up in one order in every variant. */
function sumBox<B>(q: usize, edge: Edge): f32 {
  const b = changetype<B>(0);
  const low = lowOf(edge), high = highOf(edge), bytes: usize = vectorBytes();
  if (SIMD) {
    let sum = f32x4.splat(0);
    for (let p: usize = 0; p < bytes; p += 16) sum = b.step(sum, v128.load(q + p), v128.load(low + p), v128.load(high + p));
    return sumF32(sum);
  }
  let even: f32 = 0, odd: f32 = 0;
  for (let lane: usize = 0; lane < 16; lane += 4) {
    let sum: f32 = 0;
    for (let p = lane; p < bytes; p += 16) sum = b.stepScalar(sum, load<f32>(q + p), load<f32>(low + p), load<f32>(high + p));
    if (lane & 4) odd += sum;
    else even += sum;
  }
  return even + odd;
}

// ---- splitting ------------------------------------------------------------------------------------------------------

/**
 * Chooses the plane between n slots and leaves their values on its axis at `values`; `spare` has as much room. False if
 * the rows are all equal.
 */
export function chooseAxis(plane: Plane, edge: Edge, slots: usize, n: u32, values: usize, spare: usize): bool {
  const axis = widestAxis(edge);
  const p: usize = <usize>axis << 2;
  if (load<f32>(lowOf(edge) + p) == load<f32>(highOf(edge) + p)) return false;
  const end: usize = <usize>n << 2;
  for (let i: usize = 0; i < end; i += 4) store<f32>(values + i, load<f32>(rowOf(load<u32>(slots + i)) + p));
  plane.axis = axis;
  plane.split = median(values, spare, n);
  return true;
}

/** A value, not the least, that parts n values, not all equal, about evenly; `spare` has as much room. */
export function median(values: usize, spare: usize, n: u32): f32 {
  memory.copy(spare, values, <usize>n << 2);
  return splitNear(select(spare, n, n >> 1), values, n);
}

function widestAxis(edge: Edge): u32 {
  let axis: u32 = 0;
  let widest: f32 = -1;
  for (let i: u32 = 0, n = state().dimensions; i < n; i++) {
    const spread = load<f32>(highOf(edge) + (i << 2)) - load<f32>(lowOf(edge) + (i << 2));
    if (spread <= widest) continue;
    widest = spread;
    axis = i;
  }
  return axis;
}

/** The median, or the next value above it: which parts n values, not all equal, more evenly. */
function splitNear(median: f32, values: usize, n: u32): f32 {
  let below: u32 = 0, above: u32 = 0;
  let next: f32 = Infinity;
  for (let p = values, end = values + (<usize>n << 2); p < end; p += 4) {
    const v = load<f32>(p);
    if (v < median) below++;
    if (v <= median) continue;
    above++;
    next = min(next, v);
  }
  return below >= above ? median : next;
}

/** Of n values, the one of this rank, counted from 0 (Hoare 1961, algorithm 65). Leaves them in another order. */
function select(values: usize, n: u32, rank: i32): f32 {
  let low = 0, high = <i32>n - 1;
  while (low < high) {
    const pivot = load<f32>(values + (<usize>low + randomBelow(low, high, high - low + 1) << 2));
    let i = low, j = high;
    while (i <= j) {
      while (load<f32>(values + (<usize>i << 2)) < pivot) i++;
      while (load<f32>(values + (<usize>j << 2)) > pivot) j--;
      if (i > j) break;
      const v = load<f32>(values + (<usize>i << 2));
      store<f32>(values + (<usize>(i++) << 2), load<f32>(values + (<usize>j << 2)));
      store<f32>(values + (<usize>(j--) << 2), v);
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else return pivot;
  }
  return load<f32>(values + (<usize>rank << 2));
}

// ---- searching ------------------------------------------------------------------------------------------------------

/** Scratch of one search. */
@unmanaged class Visit {
  gathering: u32;
  frontier: u32;
  leaves: u32;
  boxes: u32;     // measured
  effort: f64;    // leaves, each counted by the share of its rows that were candidates
  dot: u32;       // 1: boxes are measured by their largest dot, 0: by their squared distance
  scale: f64;     // no row in a box scores less than scale * measure + shift
  shift: f64;

  /** 0 where scratch cannot grow. */
  static open(ask: Ask): Visit {
    const v = changetype<Visit>(alloc(offsetof<Visit>()));
    const gathering = Gathering.open(ask.k, exactCodec(), exactScorer(), ask.filter, ask.filter != 0);
    const frontier = Frontier.open(frontierSize());
    if (!(v && gathering && frontier)) return changetype<Visit>(0);
    v.gathering = <u32>changetype<usize>(gathering);
    v.frontier = <u32>changetype<usize>(frontier);
    v.leaves = 0;
    v.boxes = 0;
    v.effort = 0;
    setBound(v, exactScorer());
    return v;
  }

  @inline open(): Frontier { return changetype<Frontier>(this.frontier); }
  @inline gather(): Gathering { return changetype<Gathering>(this.gathering); }
  @inline nearest(): TopK { return this.gather().nearest(); }

  /** Rounded like any f32; `shift` and `scale` leave room for that. */
  @inline boundOf(code: u32): f32 {
    const query = layout().prepared;
    this.boxes++;
    const measure = this.dot ? sumBox<LargestDot>(query, edgeOf(code)) : sumBox<Gap>(query, edgeOf(code));
    return <f32>(this.scale * <f64>measure + this.shift);
  }
}

/** The k nearest that pass the filter; exact unless maxLeaves end the search. work().visited: leaves. */
export function kdTreeSearch(ask: Ask): i32 {
  const wanted = min(ask.k, ask.passing);
  if (ask.filter && scanIsCheaper(ask, BOXES_PER_LEAF * rowsToMeet(ask, wanted) / <f64>state().leafSize)) return exactScan(ask);
  const start = mark();
  work().plan = PLAN_TREES;
  const v = Visit.open(ask);
  if (!v) {
    reset(start);
    return E_MEMORY;
  }
  let done = true;
  if (!walkBoxes(v, ask, wanted)) {
    work().plan = PLAN_TREES_THEN_SCAN;
    done = v.gather().addRest();
  }
  work().visited += v.leaves;
  done = done && publish(v.nearest());
  reset(start);
  return done ? OK : E_MEMORY;
}

/**
 * Nearest box first, until no box is near enough or, with `wanted` found, as much as maxLeaves has been visited. A bound may be
 * NaN, where the products of a far box overflow. False where so many boxes have been measured that scoring the rest of what
 * passes a filter is cheaper.
 */
function walkBoxes(v: Visit, ask: Ask, wanted: u32): bool {
  const frontier = v.open(), top = v.nearest();
  frontier.push(v.boundOf(rootOf(0)), rootOf(0));
  while (frontier.size && !(frontier.peekPriority() > top.bound) && (v.effort < <f64>ask.effort || top.size < wanted)) {
    if (ask.filter && scanIsCheaper(ask, <f64>v.boxes)) return false;
    let code = frontier.pop();
    while (code != NONE && !isLast(edgeOf(code))) code = enter(v, edgeOf(code).record);
    if (code != NONE) visitLeaf(v, code);
  }
  return true;
}

/** A leaf, or the edge to nothing but copies. */
@inline function isLast(edge: Edge): bool { return edge.record == NONE || (planeOf(edge.record).axis == HASHED && isPoint(edge)); }

/** Whether all rows below are copies. */
function isPoint(edge: Edge): bool { return memory.compare(lowOf(edge), highOf(edge), vectorBytes()) == 0; }

/** Offers both sides of a record to the frontier; or returns the nearer one, if it would be the next to come back. */
@inline function enter(v: Visit, record: u32): u32 {
  const frontier = v.open();
  let near = record << 1, far = near | 1;
  let nearBound = v.boundOf(near), farBound = v.boundOf(far);
  if (farBound < nearBound) {
    const code = near, bound = nearBound;
    near = far;
    nearBound = farBound;
    far = code;
    farBound = bound;
  }
  const most = v.nearest().bound;
  if (nearBound > most) return NONE;
  const next = !frontier.size || nearBound <= frontier.peekPriority();
  if (!(farBound > most)) offer(v, farBound, far);
  if (next) return near;
  offer(v, nearBound, near);
  return NONE;
}

/** Copies are as far as their box, and visited at once: tight boxes seem the farther, and maxLeaves would end before them. */
@inline function offer(v: Visit, bound: f32, code: u32): void {
  if (isPoint(edgeOf(code))) visitLeaf(v, code);
  else v.open().push(bound, code);
}

function visitLeaf(v: Visit, code: u32): void {
  const g = v.gather(), leaf = edgeOf(code);
  const gathered = g.gathered;
  v.leaves++;
  if (leaf.record != NONE) gatherAlike(g, code, u32.MAX_VALUE);
  else {
    for (let slot = leaf.first; slot != NONE; slot = nextOf(leaf.tree, slot)) g.add(slot);
    g.flush();
  }
  v.effort += <f64>(g.gathered - gathered) / <f64>leaf.count;
}

// ---- bounds ---------------------------------------------------------------------------------------------------------

/**
 * Bounds hold for scores as they are computed: f32 kernels, here and there, round a sum of d products by less than
 * (d / 8 + 32) / 2^23 of its parts, and sq8 rounds the query.
 */
function setBound(v: Visit, scorer: Scorer): void {
  const d = <f64>state().dimensions;
  const rounding = (d / 8 + 32) / 8388608;
  const norm = squaredNorm(layout().prepared, state().dimensions), reach = trees().reach;
  const lost = isSq8() ? roundedAway(layout().prepared, scorer) * sqrt(reach) + rounding * (norm + reach) : 0;
  v.dot = u32(isSigned());
  if (addsSquares()) {
    v.scale = 1 - rounding;
    v.shift = -2 * lost;
  } else if (isSigned()) {
    v.scale = -1;
    v.shift = -lost - rounding * sqrt(norm * reach * d); // no corner of a box is longer than sqrt(reach * d)
  } else if (isOfUnits()) {
    v.scale = 0.5 * (1 - rounding);
    v.shift = 1 - 0.5 * (norm + reach) - lost - 2 * rounding * (norm + reach);
  } else unreachable();
}

function isSq8(): bool { return state().rerank == RERANK_SQ8 || (state().rerank == RERANK_NONE && state().codec == CODEC_SQ8); }

/** How far, in sum, sq8 moves the query's values: each dot by at most as much times the row's largest value. */
function roundedAway(query: usize, scorer: Scorer): f64 {
  let sum: f64 = 0;
  for (let i: u32 = 0, n = state().dimensions; i < n; i++) {
    sum += abs(<f64>load<f32>(query + (i << 2)) - <f64>scorer.step * <f64>load<i16>(scorer.query + (i << 1)));
  }
  return sum;
}
