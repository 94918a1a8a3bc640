// Packed codes, 32 slots at a time: score the group, then look only at the slots that are live, pass the filter and are near
// enough.
import { CODEC_RABITQ } from "../base/codes";
import { SIMD, within } from "../base/simd";
import { codecNow, state } from "../memory/state";
import { COLUMN_STAGE, LIVE, layout, nodes } from "../table/nodes";
import {
  Scorer, bindQuery, exactCodec, exactScorer, ownCodec, scanNominates, scanScorer, scoreGroup, scoreMany,
} from "../codec/scorer";
import { Nominees } from "./nominees";
import { TopK } from "./topk";
import { work } from "./work";

export { GROUP } from "../memory/store";

/** The slots of a group from `first` on that are live and pass, one bit each. */
export function passing(first: u32, filter: usize): u32 {
  const wanted: u32 = filter ? load<u32>(filter + (first >> 3)) : u32.MAX_VALUE;
  if (!wanted) return 0;
  const n = nodes().count - first;
  const stages = nodes().at(COLUMN_STAGE, first);
  let bits: u32 = 0;
  if (SIMD) {
    const live = i8x16.splat(<i8>LIVE);
    bits = <u32>i8x16.bitmask(i8x16.eq(v128.load(stages), live)) | <u32>i8x16.bitmask(i8x16.eq(v128.load(stages, 16), live)) << 16;
  } else for (let i: u32 = 0; i < 32; i++) bits |= <u32>(load<u8>(stages + i) == LIVE) << i;
  if (n < 32) bits &= (1 << n) - 1; // behind the last slot is anything
  return bits & wanted;
}

/** Offers a group's slots by their codes; returns how many there are. */
export function nominateGroup(s: Scorer, first: u32, filter: usize, nominees: Nominees): u32 {
  const there = passing(first, filter);
  if (!there) return 0;
  scoreGroup(s, first, s.own);
  offerNear(first, there, s.own, nominees);
  return count(there);
}

/** Offers those of a group's slots that are `there`, by the distances of all 32, to Nominees or TopK. */
@inline export function offerNear<T>(first: u32, there: u32, distances: usize, top: T): void {
  for (let near = there & within(distances, top.bound); near; near &= near - 1) {
    const i = ctz(near);
    top.offer(load<f32>(distances + (i << 2)), first + i);
  }
}

/** Whether candidates are re-scored by their error bound, while codes are scanned. */
export function rescoresAtOnce(): bool {
  return scanNominates() && state().rerankFactor == 0 && codecNow() == CODEC_RABITQ && ownCodec().groups != 0;
}

/** The prepared query for codes with bounds, and for exact rows. */
export function bindBounded(): void {
  bindQuery(ownCodec(), scanScorer(), layout().prepared);
  scanScorer().bounds = 1;
  bindQuery(exactCodec(), exactScorer(), layout().prepared);
}

/** The same, and keeps all 32 lower bounds, Infinity where a slot cannot be answered. */
export function guessGroup(first: u32, filter: usize, nominees: Nominees, bounds: usize): u32 {
  const n = nominateGroup(scanScorer(), first, filter, nominees);
  copyBounds(scanScorer().own + 128, bounds);
  excludeAbsent(passing(first, filter), bounds);
  return n;
}

/** Infinity for those that are not `there`. */
@inline export function excludeAbsent(there: u32, bounds: usize): void {
  for (let absent = ~there; absent; absent &= absent - 1) store<f32>(bounds + (ctz(absent) << 2), Infinity);
}

@inline function copyBounds(from: usize, to: usize): void {
  if (SIMD) for (let p: usize = 0; p < 128; p += 16) v128.store(to + p, v128.load(from + p));
  else for (let p: usize = 0; p < 128; p += 4) store<f32>(to + p, load<f32>(from + p));
}

@inline function count(there: u32): u32 {
  const n = popcnt(there);
  work().distances += n;
  return n;
}

/** Offers a group's slots by their exact rows, those whose lower bound is near enough. */
export function rescoreGroup(first: u32, filter: usize, top: TopK): void {
  const there = passing(first, filter);
  if (!there) return;
  const distances: usize = scanScorer().own;
  scoreGroup(scanScorer(), first, distances);
  rescore(first, there & within(distances + 128, top.bound), top);
  count(there);
}

/** The same with lower bounds kept before. */
export function rescoreWithin(first: u32, bounds: usize, top: TopK): void { rescore(first, within(bounds, top.bound), top); }

function rescore(first: u32, which: u32, top: TopK): void {
  if (!which) return;
  const distances: usize = scanScorer().own, slots = distances + 128;
  let n: u32 = 0;
  for (; which; which &= which - 1) store<u32>(slots + (n++ << 2), first + ctz(which));
  scoreMany(exactScorer(), slots, n, distances);
  top.offerAll(distances, slots, n);
  work().reranked += n;
}
