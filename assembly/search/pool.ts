// The beam: the ef nearest nodes met so far, sorted, each marked once it has been expanded, and a cursor at the first
// that has not. One array in place of the paper's two heaps; the walk is over when the cursor passes the end
// (the linear pool of pyglass and NSG, Fu et al. 2017, arXiv 1707.00143).
import { CHECKED } from "../base/codes";
import { distanceOf, keyOf, slotOf } from "../base/key";

const EXPANDED: u64 = 1;

/** Header, then capacity + 1 keys. */
@unmanaged export class Pool {
  capacity: u32;
  size: u32;
  cursor: u32;
  pad: u32;

  @inline static bytes(capacity: u32): usize { return offsetof<Pool>() + (<usize>(capacity + 1) << 3); }

  @inline private base(): usize { return changetype<usize>(this) + offsetof<Pool>(); }

  @inline clear(capacity: u32): void {
    this.capacity = capacity;
    this.size = 0;
    this.cursor = 0;
  }

  /** Nothing counts as expanded any more: for the next layer. */
  reopen(): void {
    for (let p = this.base(), end = p + (<usize>this.size << 3); p < end; p += 8) store<u64>(p, load<u64>(p) & ~EXPANDED);
    this.cursor = 0;
  }

  @inline hasNext(): bool { return this.cursor < this.size; }

  /** The nearest node not yet expanded. */
  @inline pop(): u32 {
    const base = this.base();
    const p = base + (<usize>this.cursor << 3);
    const key = load<u64>(p);
    store<u64>(p, key | EXPANDED);
    let next = this.cursor + 1;
    while (next < this.size && load<u64>(base + (<usize>next << 3)) & EXPANDED) next++;
    this.cursor = next;
    return slotOf(key);
  }

  /** The node that pop() would return, while hasNext(). */
  @inline peek(): u32 { return slotOf(load<u64>(this.base() + (<usize>this.cursor << 3))); }

  /** Keeps the node if it is among the nearest `capacity`. */
  @inline push(distance: f32, slot: u32): void {
    const key = keyOf(distance, slot);
    if (key < this.bound()) this.insert(key);
  }

  /**
   * push() for `n` nodes at once. Which of them are near enough is a coin toss to the branch predictor, so they are
   * picked without branches into `keys` (room for n) and only then inserted. With gather() in walk.ts, minilm-384
   * at ef 80: 13,800 -> 17,700 queries a second.
   */
  @inline pushAll(slots: usize, distances: usize, n: u32, keys: usize): void {
    const bound = this.bound();
    let near = keys;
    for (const end = slots + (n << 2); slots < end; slots += 4, distances += 4) {
      const key = keyOf(load<f32>(distances), load<u32>(slots));
      store<u64>(near, key);
      near += <usize>(key < bound) << 3;
    }
    for (let p = keys; p < near; p += 8) this.insert(load<u64>(p));
  }

  /** Nothing farther can enter. */
  @inline farthest(): f32 {
    return this.size < this.capacity ? Infinity : distanceOf(load<u64>(this.base() + (<usize>(this.capacity - 1) << 3)));
  }

  /** Keys from here on are too far. */
  @inline private bound(): u64 {
    return this.size < this.capacity ? U64.MAX_VALUE : load<u64>(this.base() + (<usize>(this.capacity - 1) << 3));
  }

  /** Into its place in the order; the last falls out where the pool is full. */
  @inline private insert(key: u64): void {
    if (CHECKED) assert(this.size <= this.capacity && this.cursor <= this.size);
    const base = this.base();
    let p = base + (<usize>this.size << 3);
    if (this.size == this.capacity) {
      p -= 8;
      if (key > load<u64>(p)) return;
    } else this.size++;
    for (; p > base; p -= 8) {
      const other = load<u64>(p - 8);
      if (other < key) break;
      store<u64>(p, other);
    }
    store<u64>(p, key);
    const at = <u32>((p - base) >> 3);
    if (at < this.cursor) this.cursor = at;
  }

  /** Node number i becomes number `to`, whatever was there. */
  @inline move(i: u32, to: u32): void { store<u64>(this.base() + (<usize>to << 3), load<u64>(this.base() + (<usize>i << 3))); }

  @inline slotAt(i: u32): u32 { return slotOf(load<u64>(this.base() + (<usize>i << 3))); }
  @inline distanceAt(i: u32): f32 { return distanceOf(load<u64>(this.base() + (<usize>i << 3))); }
}
