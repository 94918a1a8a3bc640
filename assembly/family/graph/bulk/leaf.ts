// One leaf: some hundred slots that lie near each other. All distances, or dots, among them are computed at once, in whole
// numbers (gram.ts). Each slot then chooses among its nearest, with no distance computed again: by the heuristic of
// selection.ts, or by dots simply the nearest (the longest, for one so short that nothing is left of it). The chosen
// are offered as candidates to it.
import { insertKey } from "../../../base/key";
import { SIMD } from "../../../base/simd";
import { align } from "../../../base/sizes";
import { alloc } from "../../../memory/arena";
import { addsDifferences } from "../../../memory/metrics";
import { state } from "../../../memory/state";
import { haveCodes } from "../graph";
import { LEADS } from "../selection";
import { candidatesOf, listsLeads, offerCandidate, offerLead } from "./candidates";
import { differencesAmong, squaresAmong } from "./gram";
import { Company, Hubs } from "./hubs";
import { LEAF, UNCLEAR, bulk } from "./job";
import { PLACES, PRODUCT, PRODUCTS, WholeRows } from "./whole";

/** A slot looks at so many of its nearest in a leaf, and takes so many of them at most: 16 and 6 at M = 16. */
@inline function mostLooked(): u32 { return bulk().layer ? mostLookedFar() : max(16, state().m); }
@inline function mostTaken(): u32 { return bulk().layer ? max(16, state().m) : max(6, state().m * 3 >> 3); }
/** On the layers above 0, which have few slots. */
@inline function mostLookedFar(): u32 { return max(64, state().m); }
/** There, with codes, so many others from all over the leaf are offered as well: who leads elsewhere (selection.ts). */
const OTHERS: u32 = 22;
/** By dots it takes as many as it will have links: what covers a slot there are hubs, which cover nearly all. */
@inline function mostTakenByDots(): u32 { return state().m; }
/** Hubs of a leaf that choose in it as well, being in leaves of their own: one of so many. All that do so make no better graph. */
const HUBS_THAT_CHOOSE: u32 = 8;

@unmanaged export class Leaf {
  whole: u32;   // WholeRows of LEAF
  company: u32; // Company, where byDots
  squares: u32; // LEAF x LEAF i32: squared distances; under l1 distances
  apart: u32;   // LEAF x i32, where byDots: of one slot, PRODUCT / 2 - |u|^2 + squared distance
  nearest: u32; // mostLookedFar() x u64: [squared distance 32][place in the leaf 32]

  @inline static bytes(): usize { return Company.bytes() + WholeRows.bytes(LEAF) + (<usize>LEAF * (LEAF + 1) << 2) + (mostLookedFar() << 3) + 512; }

  /** Scratch; 0 where it cannot grow. */
  static open(): Leaf {
    const none = changetype<Leaf>(0);
    const at = alloc(offsetof<Leaf>());
    if (!at) return none;
    const leaf = changetype<Leaf>(at);
    const byDots = bulk().byDots;
    leaf.whole = <u32>changetype<usize>(WholeRows.open(LEAF, byDots ? PRODUCTS : PLACES));
    if (byDots) {
      leaf.company = <u32>changetype<usize>(Company.open());
      if (!leaf.company) return none;
    }
    leaf.squares = <u32>alloc(<usize>LEAF * LEAF << 2);
    leaf.apart = <u32>alloc(LEAF << 2);
    leaf.nearest = <u32>alloc(mostLookedFar() << 3);
    return leaf.whole && leaf.squares && leaf.apart && leaf.nearest ? leaf : none;
  }

  /** n <= leafSize() different slots of the layer at hand, those that are to be linked learn of all; one alone learns nothing. */
  join(slots: usize, n: u32): void {
    if (n < 2) return;
    if (!bulk().byDots) {
      this.joinAll(slots, n, 0);
      return;
    }
    const company = changetype<Company>(this.company);
    const hubs = company.gather(slots, n, changetype<Hubs>(bulk().hubs));
    this.joinAll(company.slots, hubs + n, hubs);
  }

  /** Of n slots the first `hubs` are hubs. */
  private joinAll(slots: usize, n: u32, hubs: u32): void {
    const whole = changetype<WholeRows>(this.whole);
    const scale = whole.fill(slots, n);
    if (scale == 0) {
      for (let i = hubs; i < n; i++) {
        const slot = load<u32>(slots + (i << 2));
        if (bulk().isFresh(slot)) bulk().mark(slot, UNCLEAR);
      }
      return;
    }
    const padded = <u32>align(n, 4);
    distancesAmong(whole, padded, this.squares);
    if (listsLeads()) for (let i: u32 = 0; i < padded; i++) {
      store<i32>(this.halves() + (i << 2), i < n ? load<i32>(this.squares + i * (padded + 1 << 2)) >> 1 : 0);
    }
    const unit = <f32>(1 / (addsDifferences() ? <f64>scale : <f64>scale * <f64>scale));
    for (let i = n & HUBS_THAT_CHOOSE - 1; i < hubs; i += HUBS_THAT_CHOOSE) this.choose(slots, n, padded, i, unit);
    for (let i = hubs; i < n; i++) this.choose(slots, n, padded, i, unit);
  }

  /** Offers the chosen of the i-th slot's nearest. */
  private choose(slots: usize, n: u32, padded: u32, i: u32, unit: f32): void {
    const slot = load<u32>(slots + (i << 2));
    if (!bulk().isFresh(slot)) return;
    const pitch = <usize>padded << 2;
    const squares: usize = this.squares;
    const nearest: usize = this.nearest;
    const own = squares + i * pitch;
    const itself = load<i32>(own + (i << 2));
    store<i32>(own + (i << 2), I32.MAX_VALUE);
    for (let j = n; j < padded; j++) store<i32>(own + (j << 2), I32.MAX_VALUE);
    const byDots = bulk().byDots != 0;
    const list = candidatesOf(slot);
    if (listsLeads()) this.offerLeads(list, slots, n, padded, i, unit);
    const most = mostLooked(), take = byDots ? mostTakenByDots() : mostTaken();
    const look = min(most, n - 1);
    nearestOf(own, padded, look, nearest);
    // Rounding alone makes a squared distance of width / 6; nearer than some times that, the order is chance.
    if (look == most) {
      const last = load<u64>(nearest + (most - 1 << 3));
      const lastItself = load<i32>(squares + <usize><u32>last * (pitch + 4));
      const width = <i32>changetype<WholeRows>(this.whole).width;
      if (<i32>(last >> 32) - (itself >> 1) - (lastItself >> 1) <= width) bulk().mark(slot, UNCLEAR);
    }
    let taken: u32 = 0;
    for (let c: u32 = 0; c < look && taken < take; c++) {
      const key = load<u64>(nearest + (c << 3));
      const square = <i32>(key >> 32);
      if (!byDots && isCovered(square, squares + <usize><u32>key * pitch, nearest, taken)) continue;
      store<u64>(nearest + (taken++ << 3), key);
      offerCandidate(list, toDistance(square, unit), load<u32>(slots + (<usize><u32>key << 2)));
    }
    if (haveCodes() && bulk().layer) for (let j: u32 = 1, step = n / OTHERS + 1; j <= OTHERS; j++) {
      const other = (i + j * step) % n;
      if (other != i) offerCandidate(list, toDistance(load<i32>(own + (other << 2)), unit), load<u32>(slots + (other << 2)));
    }
    store<i32>(own + (i << 2), itself);
  }

  /**
   * Offers the i-th slot's nearest by distance. Halves are of what each slot is from itself, PRODUCT / 2 - |v|^2, and 0 behind the last: less these,
   * PRODUCT - 2 <u, v> is PRODUCT / 2 - |u|^2 + |u - v|^2, in whole numbers.
   */
  private offerLeads(list: usize, slots: usize, n: u32, padded: u32, i: u32, unit: f32): void {
    const own = this.squares + <usize>i * (padded << 2), halves = this.halves(), apart: usize = this.apart, nearest: usize = this.nearest;
    for (let p: usize = 0; p < <usize>padded << 2; p += 16) {
      if (SIMD) v128.store(apart + p, i32x4.sub(v128.load(own + p), v128.load(halves + p)));
      else for (let q = p; q < p + 16; q += 4) store<i32>(apart + q, load<i32>(own + q) - load<i32>(halves + q));
    }
    store<i32>(apart + (i << 2), I32.MAX_VALUE);
    const look = min(LEADS, n - 1);
    nearestOf(apart, padded, look, nearest);
    for (let c: u32 = 0; c < look; c++) {
      const key = load<u64>(nearest + (c << 3));
      offerLead(list, <f32>(<i32>(key >> 32) - load<i32>(halves + (i << 2))) * unit, load<u32>(slots + (<usize><u32>key << 2)));
    }
  }

  /** Once all distances are known, in the place of the norms that they were computed by. */
  @inline private halves(): usize { return changetype<WholeRows>(this.whole).norms; }
}

@inline function toDistance(square: i32, unit: f32): f32 { return <f32>(bulk().byDots ? square - PRODUCT : square) * unit; }

/** Of n rows, a multiple of 4, to `out`: n x n i32, squared but under l1. */
export function distancesAmong(whole: WholeRows, n: u32, out: usize): void {
  if (addsDifferences()) differencesAmong(whole.codes, whole.quad, n, out);
  else squaresAmong(whole.codes, whole.quad, n, whole.norms, out);
}

/**
 * Whether one of those taken is nearer to a candidate, whose squared distances are at `others`, than the slot is; by more than an
 * insertion asks (alpha^2 = 4/3, as in Vamana: Subramanya et al. 2019; of distances alpha = 8/7), for these are candidates yet.
 */
@inline function isCovered(square: i32, others: usize, nearest: usize, taken: u32): bool {
  const bound = square - (square >> (addsDifferences() ? 3 : 2));
  for (const end = nearest + (taken << 3); nearest < end; nearest += 8) {
    if (load<i32>(others + (<usize>load<u32>(nearest) << 2)) < bound) return true;
  }
  return false;
}

/** Groups of values whose least ones bound what is looked for: eight vectors of four. */
const GROUPS: u32 = 32;

/**
 * No less than the `look`-th least of n values: the `look`-th of the least of GROUPS groups of them. So a third of the time that
 * looking takes is saved, for but some 22 of 512 values are not above it.
 */
function boundOf(values: usize, n: u32, look: u32, out: usize): i32 {
  if (!SIMD || look > GROUPS >> 1 || n < GROUPS << 1) return I32.MAX_VALUE;
  const least = out + (look << 3);
  for (let at: usize = 0; at < GROUPS << 2; at += 16) {
    let lows = v128.load(values + at);
    for (let p = values + at + (GROUPS << 2), end = values + (n << 2); p < end; p += GROUPS << 2) lows = i32x4.min_s(lows, v128.load(p));
    v128.store(least + at, lows);
  }
  leastOf(least, GROUPS, look, I32.MAX_VALUE, out);
  const bound = <i32>(load<u64>(out + (look - 1 << 3)) >> 32);
  return bound == I32.MAX_VALUE ? bound : bound + 1;
}

/** The `look` least of n values, a multiple of 4, ascending, with their places; `out`: room for GROUPS x u64. */
function nearestOf(values: usize, n: u32, look: u32, out: usize): void {
  leastOf(values, n, look, boundOf(values, n, look, out), out);
}

/** The same of those below a bound, which are at least as many, or all are I32.MAX_VALUE. */
function leastOf(values: usize, n: u32, look: u32, bound: i32, out: usize): void {
  let size: u32 = 0;
  for (let j: u32 = 0; j < n; j += 4, values += 16) {
    let near: u32 = 15;
    if (SIMD) near = i32x4.bitmask(i32x4.lt_s(v128.load(values), i32x4.splat(bound)));
    for (; near; near &= near - 1) {
      const lane = ctz(near);
      const value = load<i32>(values + (lane << 2));
      if (value >= bound) continue;
      if (size < look) size++;
      insertKey(out, out + (size - 1 << 3), <u64><u32>value << 32 | (j + lane));
      if (size == look) bound = min(bound, <i32>(load<u64>(out + (look - 1 << 3)) >> 32));
    }
  }
}
