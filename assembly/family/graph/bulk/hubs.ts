// Inner products of vectors that differ in length: the largest that a vector has are with the longest vectors, wherever it is
// itself. So leaves are of vectors alike in direction, and the hubs, long vectors whose dots with that direction are the largest,
// are in every leaf that they matter to. gowalla-als-64 (dot), relaxed: inserted one by one in 4.3 s, recall@10 .946 at ef 20
// after 46 rows read and .983 at 40 after 72; at once in 1.3 s, .970 after 51 and .985 after 75.
import { SIMD, sumI32 } from "../../../base/simd";
import { align } from "../../../base/sizes";
import { alloc, mark, reset } from "../../../memory/arena";
import { state } from "../../../memory/state";
import { layout } from "../../../table/nodes";
import { squaredNorm } from "../../../kernel/metric";
import { decode, exactCodec } from "../../../codec/scorer";
import { TopK } from "../../../search/topk";
import { holds } from "../graph";
import { dotsBetween } from "./gram";
import { LEAF, Bulk, leafSize } from "./job";
import { DIRECTIONS, PRODUCTS, WholeRows } from "./whole";

/** The longest of a layer that may be hubs: of half as many, gowalla's graph is as good. */
const MOST: u32 = 8192;
/** Hubs in a leaf, the rest of it being slots of one direction. */
@inline function mostInLeaf(): u32 { return LEAF - leafSize(); }

@unmanaged export class Hubs {
  count: u32;
  slots: u32; // count x u32, the longest first
  rows: u32;  // WholeRows

  /** Of the layer at hand; 0 where scratch cannot grow. */
  static open(b: Bulk): Hubs {
    const none = changetype<Hubs>(0);
    const count = min(b.all, MOST);
    const at = alloc(offsetof<Hubs>());
    const slots = at ? alloc(<usize>count << 2) : 0;
    const rows = slots ? WholeRows.open(<u32>align(count, 4), PRODUCTS, 1) : changetype<WholeRows>(0);
    if (!rows || !takeLongest(b, slots, count)) return none;
    rows.fillFromLongest(slots, count);
    const hubs = changetype<Hubs>(at);
    hubs.count = count;
    hubs.slots = <u32>slots;
    hubs.rows = <u32>changetype<usize>(rows);
    return hubs;
  }
}

function takeLongest(b: Bulk, slots: usize, count: u32): bool {
  const start = mark();
  const at = alloc(TopK.bytes(count));
  if (!at) return false;
  const top = TopK.open(at, count, Infinity);
  for (let i: u32 = 0; i < b.all; i++) {
    const slot = b.slotAt(i);
    decode(exactCodec(), slot, layout().prepared);
    top.offer(-<f32>squaredNorm(layout().prepared, state().dimensions), slot);
  }
  top.sort();
  for (let i: u32 = 0; i < count; i++) store<u32>(slots + (<usize>i << 2), top.slotAt(i));
  reset(start);
  return true;
}

/** What a leaf needs to find its hubs. */
@unmanaged export class Company {
  direction: u32; // WholeRows of 4, three of them zeros
  dots: u32;      // 4 x MOST i32
  slots: u32;     // LEAF x u32

  static bytes(): usize { return WholeRows.bytes(4) + (MOST << 4) + (LEAF << 2) + 512; }

  /** 0 where scratch cannot grow. */
  static open(): Company {
    const none = changetype<Company>(0);
    const at = alloc(offsetof<Company>());
    if (!at) return none;
    const c = changetype<Company>(at);
    c.direction = <u32>changetype<usize>(WholeRows.open(4, DIRECTIONS));
    c.dots = <u32>alloc(MOST << 4);
    c.slots = <u32>alloc(LEAF << 2);
    return c.direction && c.dots && c.slots ? c : none;
  }

  /** Leaves the hubs of n <= leafSize() slots and then these themselves in `slots`; returns how many hubs there are. */
  gather(slots: usize, n: u32, hubs: Hubs): u32 {
    const direction = changetype<WholeRows>(this.direction), rows = changetype<WholeRows>(hubs.rows);
    direction.putMean(slots, n);
    dotsBetween(direction.codes, rows.codes, rows.quad, <u32>align(hubs.count, 4), this.dots);
    const bound = boundOfLargest(this.dots, hubs.count, mostInLeaf());
    let size: u32 = 0;
    let equals = mostInLeaf() - countAbove(this.dots, hubs.count, bound); // so many of those at the bound
    for (let i: u32 = 0; i < hubs.count; i++) {
      const dot = load<i32>(this.dots + (i << 2));
      if (dot < bound || (dot == bound && !equals)) continue;
      if (dot == bound) equals--;
      const slot = load<u32>(hubs.slots + (i << 2));
      if (!holds(slots, n, slot)) store<u32>(this.slots + (size++ << 2), slot);
    }
    memory.copy(this.slots + (size << 2), slots, n << 2);
    return size;
  }
}

/** What at most `most` of n values are greater than, and not many fewer where they differ. */
function boundOfLargest(values: usize, n: u32, most: u32): i32 {
  let low: i64 = I32.MIN_VALUE, high: i64 = I32.MAX_VALUE;
  while (low < high) {
    const middle = low + (high - low >> 1);
    const count = countAbove(values, n, <i32>middle);
    if (count > most) low = middle + 1;
    else high = middle;
    if (count <= most && count >= most - (most >> 3)) break;
  }
  return <i32>high;
}

function countAbove(values: usize, n: u32, bound: i32): u32 {
  const end = values + (<usize>n << 2);
  let count: u32 = 0;
  if (SIMD) {
    const bounds = i32x4.splat(bound);
    let counts = i32x4.splat(0);
    for (const end4 = values + (<usize>(n & ~3) << 2); values < end4; values += 16) counts = i32x4.sub(counts, i32x4.gt_s(v128.load(values), bounds));
    count = sumI32(counts);
  }
  for (; values < end; values += 4) count += <u32>(load<i32>(values) > bound);
  return count;
}
