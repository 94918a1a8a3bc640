// Nodes waiting to be expanded, nearest first: a sorted array whose front is taken off. A node may wait several times at
// different distances, at the same distance once. What is too far for a full queue is forgotten.
import { CHECKED } from "../base/codes";
import { distanceOf, keyOf, slotOf } from "../base/key";

/** Header, then room for twice the capacity, so that what is left is seldom moved to the front. */
@unmanaged export class Queue {
  capacity: u32;
  first: u32;
  end: u32;
  limit: u32;

  @inline static bytes(capacity: u32): usize { return offsetof<Queue>() + (<usize>capacity << 4); }

  @inline private at(i: u32): usize { return changetype<usize>(this) + offsetof<Queue>() + (<usize>i << 3); }

  @inline clear(capacity: u32): void {
    this.capacity = capacity;
    this.limit = capacity << 1;
    this.first = 0;
    this.end = 0;
  }

  @inline hasNext(): bool { return this.first < this.end; }
  @inline private isFull(): bool { return this.end - this.first == this.capacity; }
  /** Distance of the next, while hasNext(). */
  @inline nearest(): f32 { return distanceOf(load<u64>(this.at(this.first))); }
  /** The i-th to come. */
  @inline slotAt(i: u32): u32 { return slotOf(load<u64>(this.at(this.first + i))); }
  @inline distanceAt(i: u32): f32 { return distanceOf(load<u64>(this.at(this.first + i))); }
  @inline pop(): u32 { return slotOf(load<u64>(this.at(this.first++))); }
  @inline push(distance: f32, slot: u32): void { this.insert(keyOf(distance, slot)); }

  private insert(key: u64): void {
    let last: u64 = 0;
    if (this.isFull()) {
      last = load<u64>(this.at(this.end - 1));
      if (key >= last) return;
      this.end--;
    } else if (this.end >= this.limit) this.moveDown();
    const start = this.at(this.first), end = this.at(this.end);
    let p = end;
    for (; p > start; p -= 8) {
      const other = load<u64>(p - 8);
      if (other <= key) {
        if (other == key) {
          this.takeOut(p, end, last);
          return;
        }
        break;
      }
      store<u64>(p, other);
    }
    store<u64>(p, key);
    this.end++;
    if (CHECKED) assert(this.end <= this.limit && this.end - this.first <= this.capacity);
  }

  private moveDown(): void {
    memory.copy(this.at(0), this.at(this.first), <usize>(this.end - this.first) << 3);
    this.end -= this.first;
    this.first = 0;
  }

  /** Undoes a push that has made room at p: what follows moves back, and the last is what it was. */
  private takeOut(p: usize, end: usize, last: u64): void {
    for (; p < end; p += 8) store<u64>(p, load<u64>(p, 8));
    if (!last) return;
    store<u64>(end, last);
    this.end++;
  }
}
