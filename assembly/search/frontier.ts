// A priority queue in scratch: a binary min-heap of keys [ordered f32 bits 32][index 32], so that equal priorities come
// out by index, in every variant alike.
import { CHECKED } from "../base/codes";
import { distanceOf, ordered } from "../base/key";
import { alloc } from "../memory/arena";

/** Header, then capacity x u64. */
@unmanaged export class Frontier {
  size: u32;
  capacity: u32;
  priority: f32; // of what was popped last
  farthest: f32; // kept when there was no room last

  @inline static bytes(capacity: u32): usize { return offsetof<Frontier>() + (<usize>capacity << 3); }

  /** 0 where scratch cannot grow. */
  static open(capacity: u32): Frontier {
    const f = changetype<Frontier>(alloc(Frontier.bytes(capacity)));
    if (!f) return f;
    f.capacity = capacity;
    f.clear();
    return f;
  }

  @inline clear(): void {
    this.size = 0;
    this.farthest = Infinity;
  }

  @inline private key(i: u32): u64 { return load<u64>(changetype<usize>(this) + offsetof<Frontier>() + (<usize>i << 3)); }
  @inline private setKey(i: u32, key: u64): void {
    if (CHECKED) assert(i < this.capacity);
    store<u64>(changetype<usize>(this) + offsetof<Frontier>() + (<usize>i << 3), key);
  }

  /** Where there is no room, the worse half is forgotten. */
  push(priority: f32, index: u32): void {
    if (this.size == this.capacity) this.halve();
    const key = keyOfIndex(priority, index);
    let i = this.size++;
    while (i > 0 && key < this.key(i - 1 >> 1)) {
      this.setKey(i, this.key(i - 1 >> 1));
      i = i - 1 >> 1;
    }
    this.setKey(i, key);
  }

  /** What would not be kept if there were no room; Infinity while that is far off. */
  @inline bound(): f32 { return this.size < this.capacity >> 1 ? Infinity : this.farthest; }

  /** Keeps the better half: those popped go to the end of the array, which the others leave, and from there to its start, in order. */
  private halve(): void {
    const n = this.capacity >> 1;
    while (this.size > n) {
      const least = this.take();
      this.setKey(this.size, least);
    }
    for (let i: u32 = 0; i < n; i++) this.setKey(i, this.key(this.capacity - 1 - i));
    this.farthest = distanceOf(this.key(n - 1));
  }

  /** Adds without order; heapify() must follow before anything is popped. */
  @inline append(priority: f32, index: u32): void { this.setKey(this.size++, keyOfIndex(priority, index)); }

  heapify(): void {
    for (let i = this.size >> 1; i > 0; ) {
      i--;
      this.sift(i, this.key(i));
    }
  }

  /** Of the next to be popped; there is one. */
  @inline peekPriority(): f32 { return distanceOf(this.key(0)); }

  /** The index of least priority, which is left in `priority`. */
  pop(): u32 {
    const least = this.take();
    this.priority = distanceOf(least);
    return <u32>least;
  }

  private take(): u64 {
    const least = this.key(0);
    this.sift(0, this.key(--this.size));
    return least;
  }

  /** Puts `key` at i or below. */
  private sift(i: u32, key: u64): void {
    const n = this.size;
    for (let child: u32 = 2 * i + 1; child < n; child = 2 * i + 1) {
      if (child + 1 < n && this.key(child + 1) < this.key(child)) child++;
      if (key <= this.key(child)) break;
      this.setKey(i, this.key(child));
      i = child;
    }
    this.setKey(i, key);
  }
}

@inline function keyOfIndex(priority: f32, index: u32): u64 { return <u64>ordered(priority) << 32 | <u64>index; }
