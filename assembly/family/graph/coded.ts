// Scans of codes, 32 by 32 as nodes keep those of their neighbours (neighbours.ts), but all seen from one point: a bit per dimension is read, and then
// rows of the nearest alone. Of fashion-mnist-784 a tenth (6,000) is scanned in some 70 us, where its rows would take 2 ms.
import { bitsetBytes, hasBit, setBit } from "../../base/bitset";
import { E_MEMORY, NONE, OK } from "../../base/codes";
import { align } from "../../base/sizes";
import { within } from "../../base/simd";
import { alloc, mark, reset } from "../../memory/arena";
import { isSigned, squareShare } from "../../memory/metrics";
import { GROUP } from "../../memory/store";
import { layout, nodes } from "../../table/nodes";
import { dotOf, squaredNorm } from "../../kernel/metric";
import { codeBytes } from "../../kernel/rotation";
import { Ask } from "../../search/ask";
import { Batch } from "../../search/batch";
import { Nominees } from "../../search/nominees";
import { excludeAbsent, passing } from "../../search/packed-scan";
import { openTop, rerankBatch } from "../../search/rerank";
import { TopK } from "../../search/topk";
import { publish, work } from "../../search/work";
import { bindNeighbours, blur, groupBytes, guide, lowerBounds, scalesOf, scoreNeighbours } from "./neighbours";

@unmanaged export class Coded {
  count: u32;  // places in use; of all slots, see places()
  slots: u32;  // u32 per place, NONE where nobody is any more; 0: place i is of slot i
  codes: u32;  // a group for 32 places
  centre: u32; // codeBytes(): what all are seen from, rotated

  @inline places(): u32 { return this.slots ? this.count : nodes().count; }
  @inline slotAt(i: u32): u32 { return this.slots ? load<u32>(this.slots + (<usize>i << 2)) : i; }
  @inline groupOf(i: u32): usize { return this.codes + <usize>(i / GROUP) * groupBytes(); }

  /** Of 32 places those whose slot passes, of `bits`. */
  @inline there(ask: Ask, first: u32, bits: u32): u32 {
    if (!bits) return 0;
    if (!this.slots) return bits & passing(first, ask.filter);
    let there = bits;
    for (; bits; bits &= bits - 1) {
      const slot = this.slotAt(first + ctz(bits));
      if (slot == NONE || !hasBit(ask.filter, slot)) there &= ~(<u32>1 << ctz(bits));
    }
    return there;
  }
}

/**
 * Standard deviations that a distance may be below its estimate: one in 44 neighbours is missed where errors are normal, and one in 740 by searches that are wide.
 * Recall of the ten nearest of gutenberg-sif-160, 20,000: .998 and 1.0, after 625 and 1,274 rows.
 */
const DEVIATIONS: f32 = 2;
const DEVIATIONS_WIDE: f32 = 3;
/** Of an ef so many times k. */
const WIDE: u32 = 4;
/** Rows scored at a time. */
const BATCH: u32 = 64;

/**
 * The k nearest to the prepared query of all that have a code and pass: the k nearest by estimate are scored by their rows, and then whoever may
 * be as near. Results: work().
 */
export function scanCodes(ask: Ask, m: Coded): i32 {
  const start = mark();
  const top = openTop(ask.k, Infinity);
  const guess = top ? Nominees.open(top) : changetype<Nominees>(0);
  const batch = guess ? Batch.open(BATCH) : guess;
  const estimates = batch ? alloc(GROUP << 2) : 0;
  const least = estimates ? alloc(<usize>align(m.places(), GROUP) << 2) : 0; // f32 per place: what its distance is at least
  const scored = least ? alloc(bitsetBytes(nodes().count)) : 0;
  if (!scored) {
    reset(start);
    return E_MEMORY;
  }
  bindNeighbours();
  const there = guessAll(ask, m, guess, estimates, least);
  guess.settle(0);
  rerankBatch(layout().prepared, guess, top);
  memory.fill(scored, 0, bitsetBytes(nodes().count));
  for (let i: u32 = 0; i < guess.count; i++) setBit(scored, guess.slotAt(i));
  batch.count = 0;
  for (let first: u32 = 0; first < m.places(); first += GROUP) {
    for (let bits = m.there(ask, first, within(least + (<usize>first << 2), top.bound)); bits; bits &= bits - 1) {
      const slot = m.slotAt(first + ctz(bits));
      if (hasBit(scored, slot)) continue;
      batch.add(slot);
      if (batch.count == BATCH) scoreBatch(batch, top);
    }
  }
  scoreBatch(batch, top);
  work().distances += there;
  work().visited += there;
  const done = publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}

function scoreBatch(batch: Batch, top: TopK): void {
  rerankBatch(layout().prepared, batch, top);
  batch.count = 0;
}

/** Estimates of all that are there, the k nearest of which are the guess, and what their distances are at least; how many they are. */
function guessAll(ask: Ask, m: Coded, guess: Nominees, estimates: usize, least: usize): u32 {
  // From the query to the mean, as walks measure; and the length of what codes are compared with: the query, less the mean where
  // distances are squares, and less what lies along it where they are dots.
  const query = layout().turned;
  const dot = isSigned() ? <f64>dotOf(query, m.centre, codeBytes()) : 0;
  const square = isSigned() ? squareBeside(m.centre, dot) : squareBetween(query, m.centre);
  const distance = isSigned() ? -<f32>dot : <f32>(square * squareShare());
  // The signs of r lie along r by some 0.8 of their length, which leaves 0.75 |q| |r| / sqrt(d) of <q, r> open; 1.25 |r| / sqrt(d) times what
  // <q, r> counts is a code's scale. Rounded tables are not less blurred where the query lies along the mean.
  const deviations = ask.effort >= WIDE * ask.k ? DEVIATIONS_WIDE : DEVIATIONS;
  const error = deviations * (<f32>0.6 * <f32>sqrt(square) + blur(guide()));
  let scored: u32 = m.slots ? m.count : 0;
  for (let first: u32 = 0; first < m.places(); first += GROUP, least += GROUP << 2) {
    if (!m.slots) {
      const there = passing(first, ask.filter);
      scored += popcnt(there);
      if (!there) {
        excludeAbsent(there, least);
        continue;
      }
    }
    const group = m.groupOf(first);
    scoreNeighbours(guide(), group, distance, estimates);
    lowerBounds(estimates, scalesOf(group), error, least);
    for (let near = m.there(ask, first, within(estimates, guess.bound)); near; near &= near - 1) {
      const i = ctz(near);
      guess.offer(load<f32>(estimates + (i << 2)), m.slotAt(first + i));
    }
  }
  return scored;
}

function squareBeside(centre: usize, dot: f64): f64 {
  const square = squaredNorm(layout().turned, codeBytes() >> 2), along = squaredNorm(centre, codeBytes() >> 2);
  return along > 0 ? max(square - dot * dot / along, 0) : square;
}

export function squareBetween(a: usize, b: usize): f64 {
  let square: f64 = 0;
  for (let p: usize = 0, bytes = codeBytes(); p < bytes; p += 4) {
    const x = <f64>load<f32>(a + p) - <f64>load<f32>(b + p);
    square += x * x;
  }
  return square;
}
