// The k nearest seen so far: a binary max-heap of keys. Equal distances are ordered by id, so that ties fall alike in
// every index and variant.
import { CHECKED } from "../base/codes";
import { distanceOf, keyOf, slotOf } from "../base/key";
import { SIMD } from "../base/simd";
import { idOf } from "../table/nodes";

/** Header, then k keys. */
@unmanaged export class TopK {
  k: u32;
  size: u32;
  bound: f32; // nothing farther can enter: Infinity, or the radius, then the k-th distance
  pad: u32;

  @inline static bytes(k: u32): usize { return offsetof<TopK>() + (<usize>k << 3); }

  static open(at: usize, k: u32, bound: f32): TopK {
    const t = changetype<TopK>(at);
    t.k = k;
    t.size = 0;
    t.bound = bound;
    return t;
  }

  clear(): void {
    this.size = 0;
    this.bound = Infinity;
  }

  @inline private key(i: u32): u64 { return load<u64>(changetype<usize>(this) + offsetof<TopK>() + (<usize>i << 3)); }
  @inline private setKey(i: u32, key: u64): void {
    if (CHECKED) assert(i < this.k);
    store<u64>(changetype<usize>(this) + offsetof<TopK>() + (<usize>i << 3), key);
  }

  @inline offer(distance: f32, slot: u32): void {
    if (distance <= this.bound) this.insert(keyOf(distance, slot));
  }

  /** offer() for n slots; few are near enough, and four at a time are seen not to be. `distances` has room for n rounded up to 4. */
  offerAll(distances: usize, slots: usize, n: u32): void {
    for (let i: u32 = 0; i < n; i += 4) {
      if (SIMD && !v128.any_true(f32x4.le(v128.load(distances + (i << 2)), f32x4.splat(this.bound)))) continue;
      for (let j = i, end = min(i + 4, n); j < end; j++) this.offer(load<f32>(distances + (j << 2)), load<u32>(slots + (j << 2)));
    }
  }

  private insert(key: u64): void {
    if (this.size < this.k) {
      let i = this.size++;
      while (i > 0 && before(this.key(i - 1 >> 1), key)) {
        this.setKey(i, this.key(i - 1 >> 1));
        i = i - 1 >> 1;
      }
      this.setKey(i, key);
    } else if (this.k && before(key, this.key(0))) {
      this.sift(key, this.size);
    } else return;
    if (this.size == this.k) this.bound = distanceOf(this.key(0));
  }

  /** Puts `key` in place of the root of a heap of n. */
  private sift(key: u64, n: u32): void {
    let i: u32 = 0;
    for (let child: u32 = 1; child < n; child = 2 * i + 1) {
      if (child + 1 < n && before(this.key(child), this.key(child + 1))) child++;
      if (!before(key, this.key(child))) break;
      this.setKey(i, this.key(child));
      i = child;
    }
    this.setKey(i, key);
  }

  /** Nearest first; the heap is used up. Key i is then read with slotAt and distanceAt. */
  sort(): void {
    for (let n = this.size; n > 1; n--) {
      const last = this.key(n - 1);
      this.setKey(n - 1, this.key(0));
      this.sift(last, n - 1);
    }
  }

  /** Sorts once more, with everything below 0 at 0. */
  raise(): void {
    const n = this.size;
    this.size = 0;
    for (let i: u32 = 0; i < n; i++) this.insert(keyOf(max<f32>(this.distanceAt(i), 0), this.slotAt(i)));
    this.sort();
  }

  @inline slotAt(i: u32): u32 { return slotOf(this.key(i)); }
  @inline distanceAt(i: u32): f32 { return distanceOf(this.key(i)); }
}

@inline function before(a: u64, b: u64): bool {
  return a >> 32 != b >> 32 ? a < b : idOf(slotOf(a)) < idOf(slotOf(b));
}
