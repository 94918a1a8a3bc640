// Codes of all that a filter lets pass that lasts, 32 by 32 as nodes keep those of their neighbours (neighbours.ts), but seen from the
// mean of them all: a scan that reads a bit per dimension, and then rows of the nearest alone. Of fashion-mnist-784 a tenth (6,000) is
// scanned in some 100 us, where its rows would take 2 ms.
import { bitsetBytes, hasBit, setBit } from "../../base/bitset";
import { E_MEMORY, NONE, OK } from "../../base/codes";
import { align } from "../../base/sizes";
import { within } from "../../base/simd";
import { alloc, keep, mark, reset } from "../../memory/arena";
import { isSigned, squareShare } from "../../memory/metrics";
import { state } from "../../memory/state";
import { GROUP } from "../../memory/store";
import { Filter } from "../../table/filters";
import { layout } from "../../table/nodes";
import { dotOf, squaredNorm } from "../../kernel/metric";
import { codeBytes } from "../../kernel/rotation";
import { Ask } from "../../search/ask";
import { Batch } from "../../search/batch";
import { Nominees } from "../../search/nominees";
import { openTop, rerankBatch } from "../../search/rerank";
import { TopK } from "../../search/topk";
import { publish, work } from "../../search/work";
import { holds } from "./graph";
import { bindNeighbours, blur, groupBytes, guide, lowerBounds, scalesOf, scoreNeighbours } from "./neighbours";
import { codeSlot, meanOf, signs } from "./signs";

@unmanaged export class Members {
  count: u32;  // places in use
  holes: u32;  // of them, those whose slot passes no more
  room: u32;   // places, a multiple of GROUP
  slots: u32;  // room x u32, NONE in a hole
  codes: u32;  // room / GROUP groups
  centre: u32; // codeBytes(): the mean, rotated, or that of all (signs.ts)
  own: u32;    // codeBytes(), for the mean

  /** In permanent memory; 0 where it cannot grow. */
  static keep(room: u32): Members {
    const head = <usize>align(offsetof<Members>(), 64), slots = <usize>room << 2;
    const at = keep(head + slots + codeBytes() + 64 + <usize>(room / GROUP) * groupBytes());
    const m = changetype<Members>(at);
    if (!at) return m;
    m.room = room;
    m.slots = <u32>(at + head);
    m.own = <u32>align(m.slots + slots, 64);
    m.codes = <u32>align(m.own + codeBytes(), 64);
    m.clear();
    return m;
  }

  clear(): void {
    this.count = 0;
    this.holes = 0;
    memory.fill(this.slots, 0xff, <usize>this.room << 2);
  }

  @inline slotAt(i: u32): u32 { return load<u32>(this.slots + (<usize>i << 2)); }
  @inline groupOf(i: u32): usize { return this.codes + <usize>(i / GROUP) * groupBytes(); }

  /** Whether its code had to be made. */
  add(slot: u32): bool {
    store<u32>(this.slots + (<usize>this.count << 2), slot);
    return codeSlot(slot, this.centre, this.codes, this.count++);
  }
}

/** Makes a hole of whatever has gone, or is another vector now. */
export function dropGone(f: Filter, m: Members): void {
  if (!f.gone) return;
  f.gone = 0;
  for (let i: u32 = 0; i < m.count; i++) {
    const slot = m.slotAt(i);
    if (slot == NONE || (slot < f.listedRoom && hasBit(f.listed, slot))) continue;
    store<u32>(m.slots + (<usize>i << 2), NONE);
    m.holes++;
  }
}

/**
 * Adds what passes and is not listed, for so many 256ths of a microsecond; whether that is all.
 */
export function addNew(f: Filter, m: Members, time: u32): bool {
  if (!m.count) findCentre(f, m);
  const copy = state().dimensions + 40 >> 3;
  let left = <i64>time;
  for (let at: u32 = 0, end = <u32>bitsetBytes(f.room); at < end; at += 8) {
    for (let fresh = load<u64>(f.bits + at) & ~load<u64>(f.listed + at); fresh; fresh &= fresh - 1) {
      if (left <= 0) return false;
      const slot = (at << 3) + <u32>ctz(fresh);
      setBit(f.listed, slot);
      left -= copy << (m.add(slot) ? 3 : 0);
    }
  }
  return true;
}

/** Codes are seen from the mean of all where that is off by so small a part of the mean square of how far members are from theirs. */
const OFF: f64 = 0.125;

function findCentre(f: Filter, m: Members): void {
  const square = meanOf(f.bits, f.passing, m.own);
  m.centre = squareBetween(m.own, signs().centre) <= OFF * square ? signs().centre : m.own;
}

/** Standard deviations that a distance may be below its estimate: one in 44 neighbours is missed where errors are normal. */
const DEVIATIONS: f32 = 2;
/** Rows scored at a time. */
const BATCH: u32 = 64;

/**
 * The k nearest to the prepared query of all members: the k nearest by estimate are scored by their rows, and then whoever may be as
 * near. Results: work().
 */
export function scanMembers(ask: Ask, f: Filter, m: Members): i32 {
  const start = mark();
  const top = openTop(ask.k, Infinity);
  const guess = top ? Nominees.open(top) : changetype<Nominees>(0);
  const batch = guess ? Batch.open(BATCH) : guess;
  const estimates = batch ? alloc(GROUP << 2) : 0;
  const least = estimates ? alloc(<usize>m.room << 2) : 0; // f32 per place: what its distance is at least
  if (!least) {
    reset(start);
    return E_MEMORY;
  }
  bindNeighbours();
  guessAll(f, m, guess, estimates, least);
  guess.settle(0);
  rerankBatch(layout().prepared, guess, top);
  batch.count = 0;
  for (let first: u32 = 0; first < m.count; first += GROUP) {
    for (let bits = within(least + (<usize>first << 2), top.bound); bits; bits &= bits - 1) {
      const slot = m.slotAt(first + ctz(bits));
      if (slot == NONE || !hasBit(f.bits, slot) || holds(guess.slots, guess.count, slot)) continue;
      batch.add(slot);
      if (batch.count == BATCH) scoreBatch(batch, top);
    }
  }
  scoreBatch(batch, top);
  work().distances += m.count;
  work().visited += m.count;
  const done = publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}

function scoreBatch(batch: Batch, top: TopK): void {
  rerankBatch(layout().prepared, batch, top);
  batch.count = 0;
}

/** Estimates of all members, the k nearest of which are the guess, and what their distances are at least. */
function guessAll(f: Filter, m: Members, guess: Nominees, estimates: usize, least: usize): void {
  // From the query to the mean, as walks measure; and the length of what codes are compared with: the query, less the mean where
  // distances are squares, and less what lies along it where they are dots.
  const query = layout().turned;
  const dot = isSigned() ? <f64>dotOf(query, m.centre, codeBytes()) : 0;
  const square = isSigned() ? squareBeside(m.centre, dot) : squareBetween(query, m.centre);
  const distance = isSigned() ? -<f32>dot : <f32>(square * squareShare());
  // The signs of r lie along r by some 0.8 of their length, which leaves 0.75 |q| |r| / sqrt(d) of <q, r> open; 1.25 |r| / sqrt(d) times what
  // <q, r> counts is a code's scale. Rounded tables are not less blurred where the query lies along the mean.
  const error = DEVIATIONS * (<f32>0.6 * <f32>sqrt(square) + blur(guide()));
  for (let first: u32 = 0; first < m.count; first += GROUP, least += GROUP << 2) {
    const group = m.groupOf(first);
    scoreNeighbours(guide(), group, distance, estimates);
    lowerBounds(estimates, scalesOf(group), error, least);
    for (let near = within(estimates, guess.bound); near; near &= near - 1) {
      const i = ctz(near);
      const slot = m.slotAt(first + i);
      if (slot != NONE && hasBit(f.bits, slot)) guess.offer(load<f32>(estimates + (i << 2)), slot);
    }
  }
}

function squareBeside(centre: usize, dot: f64): f64 {
  const square = squaredNorm(layout().turned, codeBytes() >> 2), along = squaredNorm(centre, codeBytes() >> 2);
  return along > 0 ? max(square - dot * dot / along, 0) : square;
}

function squareBetween(a: usize, b: usize): f64 {
  let square: f64 = 0;
  for (let p: usize = 0, bytes = codeBytes(); p < bytes; p += 4) {
    const x = <f64>load<f32>(a + p) - <f64>load<f32>(b + p);
    square += x * x;
  }
  return square;
}
