// fastScan: nodes that wait to be expanded, in no order: their distances lie side by side, so that the nearest few are found by counting
// how many are within a bound, four at a time, and halving the bound's range. A node may wait several times at different distances; what
// is too far when there is no room is forgotten. Of some 900 nodes that begin to wait in a walk of ef 100, 175 are expanded: to keep them
// sorted took a fifth of the walk (minilm-mix-384, k 100).
import { hasBit } from "../base/bitset";
import { CHECKED, NONE } from "../base/codes";
import { countWithin, endWithNothing, leastOf, mostOf, within } from "../base/simd";
import { alloc } from "../memory/arena";

/** That are taken at once, at most. */
export const ROUND: u32 = 16;
/** Of a group of neighbours. */
const GROUP: u32 = 32;
/** The range of a bound is halved at most so often: ties end it. */
const HALVINGS: u32 = 16;

/** Header, then distances and marks of `room` nodes and 32 more that are read in vain, then of those that were taken. */
@unmanaged export class Waiting {
  count: u32;
  capacity: u32; // that are kept when there is no room
  room: u32;     // a multiple of 4
  bound: f32;    // nothing farther is of use
  marks: u32;
  outDistances: u32;
  outMarks: u32;

  @inline static roomOf(capacity: u32): u32 { return capacity + GROUP * ROUND + 3 & ~3; }
  static bytes(capacity: u32): usize { return offsetof<Waiting>() + (<usize>Waiting.roomOf(capacity) + ROUND + 2 * GROUP << 3); }

  /** For at most `capacity`; 0 where scratch cannot grow. */
  static open(capacity: u32): Waiting {
    const w = changetype<Waiting>(alloc(Waiting.bytes(capacity)));
    if (!w) return w;
    w.room = Waiting.roomOf(capacity);
    w.marks = <u32>w.distances + (w.room + GROUP << 2);
    w.outDistances = w.marks + (w.room + GROUP << 2);
    w.outMarks = w.outDistances + (ROUND << 2);
    return w;
  }

  @inline private get distances(): usize { return changetype<usize>(this) + offsetof<Waiting>(); }

  @inline clear(capacity: u32): void {
    this.count = 0;
    this.capacity = capacity;
    this.bound = Infinity;
  }

  @inline push(distance: f32, slot: u32): void {
    if (this.count == this.room) this.prune();
    this.write(this.count++, distance, slot << 1);
  }

  /** Those of a group of neighbours whose bit is set in `near` and not in `visited`, up to the first NONE. There is no branch on what was visited, a coin toss. */
  @inline pushGroup(near: u32, estimates: usize, links: usize, visited: usize, guess: bool): void {
    if (this.count + GROUP > this.room) this.prune();
    let n = this.count;
    for (; near; near &= near - 1) {
      const place = ctz(near) << 2;
      const slot = load<u32>(links + place);
      if (slot == NONE) break;
      this.write(n, load<f32>(estimates + place), slot << 1 | <u32>guess);
      n += <u32>!hasBit(visited, slot);
    }
    this.count = n;
  }

  @inline private write(i: u32, distance: f32, mark: u32): void {
    if (CHECKED) assert(i < this.room);
    store<f32>(this.distances + (i << 2), distance);
    store<u32>(this.marks + (i << 2), mark);
  }

  /** From now on `capacity` are kept. */
  @inline shrink(capacity: u32): void {
    this.capacity = capacity;
    if (this.count > capacity) this.prune();
    else this.bound = Infinity;
  }

  /** Keeps the nearest, about `capacity` of them. */
  private prune(): void {
    const bound = this.boundOf(this.capacity, Infinity);
    const far = this.distances;
    for (let from = <i32>(this.count & ~31); from >= 0; from -= 32) {
      let beyond = ~within(far + (from << 2), bound) & this.present(from);
      for (; beyond; beyond &= ~(<u32>1 << 31 - clz(beyond))) this.removeAt(from + 31 - clz(beyond));
    }
    if (this.count > this.capacity) this.count = this.capacity;
    this.bound = bound;
  }

  /** Takes some of the nearest out, at most `n` and none beyond `limit`; how many. */
  take(n: u32, limit: f32): u32 {
    if (CHECKED) assert(n <= ROUND);
    let taken: u32 = 0;
    if (!this.count) return taken;
    const bound = this.boundOf(n, limit);
    const distances = this.distances;
    for (let from = <i32>(this.count & ~31); from >= 0; from -= 32) {
      let near = within(distances + (from << 2), bound) & this.present(from);
      for (; near && taken < n; near &= ~(<u32>1 << 31 - clz(near))) {
        const i = from + 31 - clz(near);
        store<f32>(this.outDistances + (taken << 2), load<f32>(distances + (i << 2)));
        store<u32>(this.outMarks + (taken++ << 2), load<u32>(this.marks + (i << 2)));
        this.removeAt(i);
      }
    }
    return taken;
  }

  /** Which places of the 32 from `from` on are taken. */
  @inline private present(from: u32): u32 {
    const n = this.count - min(from, this.count);
    return n < 32 ? (<u32>1 << n) - 1 : -1;
  }

  /** The last one takes its place. */
  @inline private removeAt(i: u32): void {
    const last = --this.count;
    this.write(i, load<f32>(this.distances + (last << 2)), load<u32>(this.marks + (last << 2)));
  }

  @inline takenDistance(i: u32): f32 { return load<f32>(this.outDistances + (i << 2)); }
  @inline takenSlot(i: u32): u32 { return load<u32>(this.outMarks + (i << 2)) >> 1; }
  /** At a distance that is an estimate from an estimate. */
  @inline isGuess(i: u32): bool { return (load<u32>(this.outMarks + (i << 2)) & 1) != 0; }

  /** At most `limit`, and such that some are within it, not many more than `most` where there are no ties. */
  private boundOf(most: u32, limit: f32): f32 {
    const distances = this.distances, n = this.count;
    endWithNothing(distances, n);
    let high = limit;
    if (limit == Infinity) {
      if (n <= most) return limit;
      high = mostOf(distances, n);
    }
    if (countWithin(distances, n, high) <= most) return high;
    let low = leastOf(distances, n);
    const enough = most - (most >> 2);
    for (let i: u32 = 0; i < HALVINGS; i++) {
      const middle = low + (high - low) * .5;
      const within = countWithin(distances, n, middle);
      if (within > most) high = middle;
      else {
        low = middle;
        if (within >= enough) break;
      }
    }
    return low;
  }
}
