// A batch of slots on its way to scoreMany, in scratch: header, slots, distances.
import { CHECKED } from "../base/codes";
import { alloc } from "../memory/arena";
import { COLUMN_STAGE, LIVE, nodes, stageAt } from "../table/nodes";

/** The stages of eight live slots. */
const ALL_LIVE: u64 = 0x0101010101010101;

@unmanaged export class Batch {
  capacity: u32;
  count: u32;
  cursor: u32;    // scans: the next slot to look at
  slots: u32;     // capacity x u32
  distances: u32; // capacity x f32

  @inline static bytes(capacity: u32): usize { return 64 + (<usize>capacity << 3) + 128; }

  /** 0 where scratch cannot grow. */
  static open(capacity: u32): Batch {
    const at = alloc(Batch.bytes(capacity));
    const batch = changetype<Batch>(at);
    if (!at) return batch;
    batch.capacity = capacity;
    batch.count = 0;
    batch.cursor = 0;
    batch.slots = <u32>at + 64;
    batch.distances = <u32>at + 64 + (capacity + 15 & ~15) * 4;
    return batch;
  }

  @inline add(slot: u32): void {
    if (CHECKED) assert(this.count < this.capacity);
    store<u32>(this.slots + (this.count++ << 2), slot);
  }
  @inline slotAt(i: u32): u32 { return load<u32>(this.slots + (i << 2)); }
  @inline distanceAt(i: u32): f32 { return load<f32>(this.distances + (i << 2)); }

  /** The next live slots that pass (filter: bitset of slots, 0 = all). False when there are no more. */
  fill(filter: usize): bool {
    const n = nodes().count;
    this.count = 0;
    let slot = this.cursor;
    if (filter) slot = this.fillPassing(slot, n, filter);
    else {
      slot = this.fillEights(slot, n);
      for (; slot < n && this.count < this.capacity; slot++) if (stageAt(slot) == LIVE) this.add(slot);
    }
    this.cursor = slot;
    return this.count > 0;
  }

  /** Goes by the set bits of the filter, a word at a time; where it stops. */
  private fillPassing(slot: u32, n: u32, filter: usize): u32 {
    while (slot < n) {
      const first = slot & ~63;
      let bits = load<u64>(filter + (first >> 3)) & <u64>-1 << (slot & 63);
      for (; bits; bits &= bits - 1) {
        slot = first + <u32>ctz(bits);
        if (slot >= n || this.count == this.capacity) return slot;
        if (stageAt(slot) == LIVE) this.add(slot);
      }
      slot = first + 64;
    }
    return n;
  }

  /** Whole eights of live slots, from a multiple of eight on; where it stops. */
  private fillEights(slot: u32, n: u32): u32 {
    if (slot & 7) return slot;
    for (; slot + 8 <= n && this.count + 8 <= this.capacity; slot += 8) {
      if (load<u64>(nodes().at(COLUMN_STAGE, slot)) != ALL_LIVE) break;
      const to = this.slots + (this.count << 2);
      for (let i: u32 = 0; i < 8; i++) store<u32>(to + (i << 2), slot + i);
      this.count += 8;
    }
    return slot;
  }
}
