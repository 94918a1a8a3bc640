// The beam: the ef nearest nodes met so far, sorted, each marked once it has been expanded, and a cursor at the first
// that has not. One array in place of the paper's two heaps; the walk is over when the cursor passes the end
// (the linear pool of pyglass and NSG, Fu et al. 2017, arXiv 1707.00143).
import { distanceOf, keyOf, slotOf } from "./key";

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

  /** Keeps the node if it is among the nearest `capacity`. */
  @inline push(distance: f32, slot: u32): void {
    const base = this.base();
    const key = keyOf(distance, slot);
    let p = base + (<usize>this.size << 3);
    if (this.size == this.capacity) {
      if (key > load<u64>(p - 8)) return;
      p -= 8;
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

  @inline slotAt(i: u32): u32 { return slotOf(load<u64>(this.base() + (<usize>i << 3))); }
  @inline distanceAt(i: u32): f32 { return distanceOf(load<u64>(this.base() + (<usize>i << 3))); }
}
