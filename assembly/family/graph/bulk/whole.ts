// Rows as whole numbers, for gram.ts: scaled so that the longest of a set has length LONGEST.
import { SIMD } from "../../../base/simd";
import { align, rowBytes } from "../../../base/sizes";
import { alloc } from "../../../memory/arena";
import { addsDifferences } from "../../../memory/metrics";
import { isAugmented, state } from "../../../memory/state";
import { layout, nodes } from "../../../table/nodes";
import { addRow, scaleBy, squaredNorm } from "../../../kernel/metric";
import { EXTRA_SHARE, decode, exactCodec } from "../../../codec/scorer";
import { LONGEST, chunkOf, dotOf, quadBytes } from "./gram";

/** Less the mean of a set, so that they are of use as whole numbers wherever the set is. */
export const PLACES: u32 = 0;
/** The same, each row at length 1 before. */
export const DIRECTIONS: u32 = 1;
/** Rows from the origin. Every norm is PRODUCT / 2, so that a squared distance is PRODUCT - 2 dot: it fits i32, and is above 0. */
export const PRODUCTS: u32 = 2;
export const PRODUCT: i32 = 1 << 30;

@unmanaged export class WholeRows {
  kind: u32;
  width: u32; // dimensions, and one more where rows are augmented
  rows: u32;  // f32, rowBytes(width) each: capacity of them, or one
  mean: u32;  // rowBytes(width)
  codes: u32; // capacity / 4 quads of i16
  norms: u32; // capacity x i32: squared lengths of the codes
  quad: u32;  // bytes of a quad

  static bytes(capacity: u32): usize {
    const width = state().dimensions + 1;
    return <usize>(capacity + 1) * rowBytes(width) + (capacity >> 2) * quadBytes(width) + (capacity << 2) + 512;
  }

  /** For `capacity` rows, a multiple of 4, and as many or one of them as f32; 0 where scratch cannot grow. */
  static open(capacity: u32, kind: u32, f32Rows: u32 = capacity): WholeRows {
    const none = changetype<WholeRows>(0);
    const at = alloc(offsetof<WholeRows>());
    if (!at) return none;
    const w = changetype<WholeRows>(at);
    w.kind = kind;
    w.width = state().dimensions + <u32>isAugmented();
    w.quad = <u32>quadBytes(w.width);
    w.rows = <u32>alloc(<usize>f32Rows * rowBytes(w.width));
    w.mean = <u32>alloc(rowBytes(w.width));
    w.codes = <u32>alloc((capacity >> 2) * w.quad);
    w.norms = <u32>alloc(capacity << 2);
    return w.rows && w.mean && w.codes && w.norms ? w : none;
  }

  @inline private row(i: u32): usize { return this.rows + <usize>i * rowBytes(this.width); }

  /** n slots, with rows of zeros to the next multiple of 4. What the value 1 has become, or 0 where the rows are (nearly) one. */
  fill(slots: usize, n: u32): f32 {
    const bytes: usize = rowBytes(this.width);
    const mean: usize = this.mean;
    memory.fill(mean, 0, bytes);
    for (let i: u32 = 0; i < n; i++) {
      this.read(i, load<u32>(slots + (i << 2)));
      if (this.kind != PRODUCTS) addRow(mean, this.row(i), bytes);
    }
    for (let p = mean; p < mean + bytes; p += 4) store<f32>(p, load<f32>(p) / <f32>n);
    let largest: f64 = 0;
    for (let i: u32 = 0; i < n; i++) largest = max(largest, this.centre(i, mean));
    const scale = this.scaleOf(largest);
    if (scale == 0) return 0;
    for (let i: u32 = 0; i < <u32>align(n, 4); i++) {
      if (i < n) this.round(i, scale);
      else this.clear(i);
      const code = chunkOf(this.codes, this.quad, i, 0);
      store<i32>(this.norms + (i << 2), this.kind == PRODUCTS ? PRODUCT >> 1 : dotOf(code, code, this.quad));
    }
    return scale;
  }

  /** The same as PRODUCTS, the longest of the slots first, with room for one f32 row. */
  fillFromLongest(slots: usize, n: u32): void {
    let scale: f32 = 0;
    for (let i: u32 = 0; i < <u32>align(n, 4); i++) {
      if (i < n) this.read(0, load<u32>(slots + (<usize>i << 2)));
      if (!i) scale = this.scaleOf(squaredNorm(this.row(0), this.width));
      if (i < n && scale > 0) this.round(0, scale, i);
      else this.clear(i);
    }
  }

  /** What makes a row of this squared length LONGEST, or half of it where differences are added up (gram.ts); 0 where it is as good as 0. */
  private scaleOf(square: f64): f32 {
    const scale = <f32>((addsDifferences() ? LONGEST / 2 : LONGEST) / sqrt(square));
    return scale < 1e30 ? scale : 0;
  }

  /** One more row as those that `set` was filled with; what the value 1 has become: `scale`, or less for a row that is longer than they. */
  put(i: u32, slot: u32, set: WholeRows, scale: f32): f32 {
    this.read(i, slot);
    const own = min(scale, <f32>(LONGEST / sqrt(this.centre(i, set.mean))));
    this.round(i, own);
    return own;
  }

  /** Row 0 is the mean of n slots, the others of its quad zeros. */
  putMean(slots: usize, n: u32): void {
    const bytes: usize = rowBytes(this.width);
    memory.fill(this.mean, 0, bytes);
    for (let i: u32 = 0; i < n; i++) {
      this.read(0, load<u32>(slots + (i << 2)));
      addRow(this.mean, this.row(0), bytes);
    }
    memory.copy(this.row(0), this.mean, bytes);
    const scale = this.scaleOf(squaredNorm(this.row(0), this.width));
    for (let i: u32 = 0; i < 4; i++) this.clear(i);
    if (scale > 0) this.round(0, scale);
  }

  private read(i: u32, slot: u32): void {
    const row = this.row(i);
    const d = state().dimensions;
    decode(exactCodec(), slot, row);
    if (this.kind == DIRECTIONS) {
      const square = squaredNorm(row, d);
      if (square > 0) scaleBy(row, d, 1 / sqrt(square));
    }
    if (this.width > d) store<f32>(row + (d << 2), this.kind == DIRECTIONS ? 0 : EXTRA_SHARE * load<f32>(nodes().at(layout().extra, slot)));
    memory.fill(row + (this.width << 2), 0, rowBytes(this.width) - (this.width << 2));
  }

  /** Moves a row; its squared length. */
  private centre(i: u32, mean: usize): f64 {
    const bytes: usize = rowBytes(this.width);
    let row = this.row(i);
    const end = row + bytes;
    if (SIMD) for (; row < end; row += 16, mean += 16) v128.store(row, f32x4.sub(v128.load(row), v128.load(mean)));
    else for (; row < end; row += 4, mean += 4) store<f32>(row, load<f32>(row) - load<f32>(mean));
    return squaredNorm(this.row(i), <u32>bytes >> 2);
  }

  private clear(i: u32): void {
    const code = chunkOf(this.codes, this.quad, i, 0);
    for (let p = code; p < code + this.quad; p += 64) {
      store<u64>(p, 0);
      store<u64>(p, 0, 8);
    }
  }

  /** Times `scale`, to nearest. A chunk of codes is 8 values: the last may be half zeros. */
  private round(i: u32, scale: f32, to: u32 = i): void {
    const bytes: usize = rowBytes(this.width);
    const row = this.row(i);
    let code = chunkOf(this.codes, this.quad, to, 0);
    if (SIMD) {
      const by = f32x4.splat(scale);
      let p = row;
      for (const end = row + (bytes & ~31); p < end; p += 32, code += 64) {
        const low = f32x4.nearest(f32x4.mul(v128.load(p), by)), high = f32x4.nearest(f32x4.mul(v128.load(p, 16), by));
        v128.store(code, i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(low), i32x4.trunc_sat_f32x4_s(high)));
      }
      if (!(bytes & 16)) return;
      const last = f32x4.nearest(f32x4.mul(v128.load(p), by));
      v128.store(code, i16x8.narrow_i32x4_s(i32x4.trunc_sat_f32x4_s(last), i32x4.splat(0)));
      return;
    }
    this.clear(to);
    for (let p: usize = 0; p < bytes; p += 4) {
      store<i16>(code + (p >> 5 << 6) + (p >> 1 & 15), <i16><i32>nearest<f32>(load<f32>(row + p) * scale));
    }
  }
}
