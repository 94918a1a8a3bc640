// Neighbour selection by the heuristic (arXiv 1603.09320, algorithm 4): from near to far, a candidate is taken if it is
// nearer to the node than to every neighbour taken so far; free places are then filled with the nearest that were not
// (keepPrunedConnections).
//
// Above layer 0, where there are codes, half of the places at most are for those; the next are for who leads elsewhere, being much nearer to nobody
// taken than to the node. Without these a cluster's nodes lead to each other and to the next cluster alone, and a walk that comes down in the wrong
// one fills its beam there: of bench/suite/hard.mjs, "clusters" linked at once under dot, recall .900 at worst of 20 draws, with them 1.000.
import { GRAPH, NONE } from "../../base/codes";
import { distanceOf, insertKey, keyOf, slotOf } from "../../base/key";
import { align } from "../../base/sizes";
import { isSigned } from "../../memory/metrics";
import { alloc } from "../../memory/arena";
import { Codec, bindSlot, linkScorer, scoreMany } from "../../codec/scorer";
import { Batch } from "../../search/batch";
import { haveCodes, holds } from "./graph";
import { parentOf } from "./roots";

/** Slots compared at a time: a candidate usually fails against one of the first few taken. */
const CHUNK: u32 = 4;

/** Who leads elsewhere is nearer to nobody taken than this part of the distance to the node. */
const ELSEWHERE: f32 = 0.8;

/**
 * Under dot, with codes, a node of layer 0 links to so many that are nearest by distance, first of all, when it is linked and when its full
 * list is chosen anew. Products are largest with the longest, on the arms of a curve or among a few hubs, so that who is next to an answer need not lead
 * there: bench/suite/hard.mjs, "curve" linked at once, recall .973 at worst of 20 draws, with these .997. gowalla-als-64, recall at ef 20 .970 after 43 rows, and .976 after 45. Three are no better.
 */
export const LEADS: u32 = 2;
@inline export function haveLeads(layer: u32): bool { return GRAPH && !layer && haveCodes() && isSigned(); }

/** Candidates, from near to far, that are asked whether they do. With all of them insertions take 4 to 6 % more distances, with these 1 to 3 %. */
const ASKED: u32 = 16;

/** Scratch for choosing at most `limit` of at most `most` candidates. */
@unmanaged export class Selection {
  count: u32;   // candidates
  taken: u32;
  keys: u32;    // most x u64, sorted before choosing
  slots: u32;   // limit x u32, the outcome
  passed: u32;  // limit x u32: pruned candidates, nearest first
  scored: u32;  // CHUNK x f32
  near: u32;    // of the outcome, those before who leads elsewhere; above layer 0
  sure: u32;    // of the outcome, those that are not filled in; graphs with codes alone

  @inline static bytes(most: u32, limit: u32): usize { return (<usize>most << 3) + (<usize>limit << 3) + 448; }

  static open(most: u32, limit: u32): Selection {
    const at = alloc(Selection.bytes(most, limit));
    const s = changetype<Selection>(at);
    if (!at) return s;
    s.keys = <u32>at + 64;
    s.slots = s.keys + <u32>align(most << 3, 64);
    s.passed = s.slots + <u32>align(limit << 2, 64);
    s.scored = s.passed + <u32>align(limit << 2, 64);
    s.clear();
    return s;
  }

  @inline clear(): void {
    this.count = 0;
    this.taken = 0;
  }

  /** Candidates may be added in any order; nearly sorted is fastest. */
  add(distance: f32, slot: u32): void {
    const keys: usize = this.keys;
    insertKey(keys, keys + (<usize>(this.count++) << 3), keyOf(distance, slot));
  }

  @inline candidate(i: u32): u64 { return load<u64>(this.keys + (<usize>i << 3)); }

  /**
   * Takes at most `limit`, comparing by a codec; the outcome is slots[0 .. taken), the first of which, where nothing is `kept`, may have been taken before.
   * Children of `parent` (NONE: nobody's), or the n at `kept`, fewer than `limit`, are taken whatever covers them.
   */
  @inline choose(layer: u32, by: Codec, limit: u32, backfill: bool, parent: u32, kept: usize = 0, n: u32 = 0): void {
    if (GRAPH && layer && haveCodes()) this.chooseAbove(by, limit);
    else this.chooseNear(by, limit, backfill, parent, kept, n);
  }

  /**
   * Takes a slot's leads, where children of `parent` among the candidates leave room; choose() goes on. |u - v|^2 = |u|^2 + |v|^2 - 2 <u, v> is
   * no less than (|u| - <u, v> / |u|)^2: who cannot be near by that is not asked how long it is.
   */
  lead(by: Codec, limit: u32, slot: u32, parent: u32): void {
    const nearest: usize = this.slots, last = nearest + (LEADS - 1 << 3); // keys; each is read before its place is taken
    bindSlot(by, linkScorer(), slot);
    const square = -this.ownOf(slot);
    let room = <i32>limit;
    memory.fill(nearest, 0xff, LEADS << 3);
    for (let i: u32 = 0; i < this.count; i++) {
      const key = this.candidate(i), distance = distanceOf(key);
      room -= <i32>(parent != NONE && parentOf(slotOf(key)) == parent);
      const beside = square + distance;
      if (beside * beside > square * distanceOf(load<u64>(last))) continue; // of no key: NaN
      bindSlot(by, linkScorer(), slotOf(key));
      const near = keyOf(square + 2 * distance - this.ownOf(slotOf(key)), slotOf(key));
      if (near < load<u64>(last)) insertKey(nearest, last, near);
    }
    for (let p = nearest; p <= last && <i32>this.taken < room && load<u64>(p) != U64.MAX_VALUE; p += 8) this.take(slotOf(load<u64>(p)));
  }

  /** A candidate is taken, and is none any more. */
  private take(slot: u32): void {
    store<u32>(this.slots + (this.taken++ << 2), slot);
    let p: usize = this.keys;
    while (slotOf(load<u64>(p)) != slot) p += 8;
    memory.copy(p, p + 8, this.keys + (<usize>--this.count << 3) - p);
  }

  /** What the bound slot is from itself. */
  private ownOf(slot: u32): f32 {
    store<u32>(this.passed, slot);
    scoreMany(linkScorer(), this.passed, 1, this.scored);
    return load<f32>(this.scored);
  }

  /** With codes nothing is kept but what was taken before. */
  private chooseAbove(by: Codec, limit: u32): void {
    const half = limit + 1 >> 1;
    this.chooseNear(by, max(half, this.taken), false, NONE, 0, 0);
    this.near = this.taken;
    this.addSome(by, min(limit, this.taken + half), max(this.count / ASKED, 1), ELSEWHERE);
    this.sure = this.taken;
    this.addSome(by, limit, 1, 0);
  }

  private chooseNear(by: Codec, limit: u32, backfill: bool, parent: u32, kept: usize, n: u32): void {
    const slots: usize = this.slots, passed: usize = this.passed;
    let taken: u32 = GRAPH ? this.taken : 0, pruned: u32 = 0, children: u32 = n;
    if (parent != NONE) for (let i: u32 = 0; i < this.count; i++) children += <u32>(parentOf(slotOf(this.candidate(i))) == parent);
    for (let i: u32 = 0; i < this.count && taken < limit; i++) {
      const key = this.candidate(i);
      if (children && ((parent != NONE && parentOf(slotOf(key)) == parent) || holds(kept, n, slotOf(key)))) {
        children--;
        store<u32>(slots + (taken++ << 2), slotOf(key));
      } else if (taken + children >= limit || this.isCovered(by, key, taken)) {
        if (pruned < limit) store<u32>(passed + (pruned++ << 2), slotOf(key));
      } else store<u32>(slots + (taken++ << 2), slotOf(key));
    }
    if (GRAPH) this.sure = taken;
    if (backfill) {
      const fill = min(limit - taken, pruned);
      memory.copy(slots + (taken << 2), passed, fill << 2);
      taken += fill;
    }
    this.taken = taken;
  }

  /** Takes of every `step`-th candidate those that were not taken and are not covered by `part`, up to `limit`. */
  private addSome(by: Codec, limit: u32, step: u32, part: f32): void {
    for (let i: u32 = 0; i < this.count && this.taken < limit; i += step) {
      const key = this.candidate(i);
      if (holds(this.slots, this.taken, slotOf(key)) || (part > 0 && this.isCovered(by, key, this.taken, part))) continue;
      store<u32>(this.slots + (this.taken++ << 2), slotOf(key));
    }
  }

  /**
   * Whether one of the first `taken` is nearer to the candidate than the node is; or than a `part` of that below 1, counted from what the candidate is from itself,
   * where that is not 0, which is asked of the first CHUNK and of those behind `near` alone.
   */
  @inline private isCovered(by: Codec, key: u64, taken: u32, part: f32 = 1): bool {
    if (!taken) return false;
    let distance = distanceOf(key);
    const scorer = linkScorer();
    bindSlot(by, scorer, slotOf(key));
    if (part < 1) {
      let own: f32 = 0;
      if (isSigned()) own = this.ownOf(slotOf(key));
      distance = min(distance, own + part * (distance - own));
    }
    for (let i: u32 = 0; i < taken; i = part < 1 ? max(i + CHUNK, this.near) : i + CHUNK) {
      const n = min(CHUNK, taken - i);
      scoreMany(scorer, this.slots + (i << 2), n, this.scored);
      for (let j: u32 = 0; j < n; j++) if (load<f32>(this.scored + (j << 2)) < distance) return true;
    }
    return false;
  }

  /** Adds a batch but for the first `from`, with the distances of the bound link scorer. */
  addScored(batch: Batch, from: u32 = 0): void {
    if (batch.count <= from) return;
    scoreMany(linkScorer(), batch.slots + (from << 2), batch.count - from, batch.distances + (from << 2));
    for (let i: u32 = from; i < batch.count; i++) this.add(batch.distanceAt(i), batch.slotAt(i));
  }
}
