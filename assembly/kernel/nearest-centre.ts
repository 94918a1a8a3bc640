// The nearest of k centres for each of n points, all rows padded with zeros to 16 bytes: for k-means and for the lists of
// an ivf index. A block of 4 points x 2 centres at a time goes through the batch kernel of plain dots (metric.ts), as
// |p - c|^2 = |p|^2 + |c|^2 - 2 <p, c>; equal distances go to the lower number.
import { SIMD } from "../base/simd";
import { leastOf } from "../base/sizes";
import { alloc } from "../memory/arena";
import { dotOf, dots4x2, squaredNorm } from "./metric";

/** NearestCentre whose dots with four points are held at a time: 4 KiB. */
const CHUNK: u32 = 256;
const POINTS: u32 = 4;

@unmanaged export class NearestCentre {
  rows: u32;   // k x stride
  k: u32;
  stride: u32; // bytes
  norms: u32;  // CHUNK-padded k x f32: squared lengths, Infinity behind the last; 0 where the largest dot is the nearest
  factor: f32; // nearest = least norm - factor * dot
  dots: u32;   // POINTS x CHUNK f32
  best: u32;

  /** Over k rows that stay where they are; 0 where scratch cannot grow. Call measure() once they are set. */
  static open(rows: usize, k: u32, stride: u32): NearestCentre {
    const at = alloc(offsetof<NearestCentre>());
    const norms = alloc(<usize>(k + CHUNK) << 2);
    const dots = alloc(POINTS * CHUNK << 2);
    const best = alloc(POINTS << 3);
    if (!at || !norms || !dots || !best) return changetype<NearestCentre>(0);
    const c = changetype<NearestCentre>(at);
    c.rows = <u32>rows;
    c.k = k;
    c.stride = stride;
    c.norms = <u32>norms;
    c.dots = <u32>dots;
    c.best = <u32>best;
    return c;
  }

  /** By distance, or by the dot alone. */
  measure(byDot: bool): void {
    this.factor = byDot ? 1 : 2;
    const padded = this.k + CHUNK;
    for (let i: u32 = 0; i < padded; i++) {
      const norm: f32 = i >= this.k ? Infinity : byDot ? 0 : <f32>squaredNorm(this.rows + <usize>i * this.stride, this.stride >> 2);
      store<f32>(this.norms + (<usize>i << 2), norm);
    }
  }

  /** Writes n x u32 to `nearest`, and to `scores`, unless 0, n x f32: norm - factor * dot. */
  assign(points: usize, n: u32, nearest: usize, scores: usize): void {
    const stride: usize = this.stride;
    const best: usize = this.best;
    for (let i: u32 = 0; i < n; i += POINTS) {
      const p = points + <usize>i * stride;
      const many = min(POINTS, n - i);
      for (let j: u32 = 0; j < POINTS; j++) store<f32>(best + (j << 3), Infinity);
      for (let from: u32 = 0; from < this.k; from += CHUNK) {
        const count = min(CHUNK, this.k - from);
        this.dotChunk(p, many, from, count);
        for (let j: u32 = 0; j < many; j++) this.takeBetter(j, from, count, best);
      }
      for (let j: u32 = 0; j < many; j++) {
        store<u32>(nearest + (<usize>(i + j) << 2), load<u32>(best + (j << 3), 4));
        if (scores) store<f32>(scores + (<usize>(i + j) << 2), load<f32>(best + (j << 3)));
      }
    }
  }

  /** best: POINTS x [score f32][centre u32] */
  @inline private takeBetter(j: u32, from: u32, count: u32, best: usize): void {
    const scores = this.dots + (j * CHUNK << 2);
    this.toScores(scores, from, count);
    const which = leastOf(scores, count);
    const score = load<f32>(scores + (which << 2));
    if (!(score < load<f32>(best + (j << 3)))) return;
    store<f32>(best + (j << 3), score);
    store<u32>(best + (j << 3), from + which, 4);
  }

  @inline scoreOne(point: usize, i: u32): f32 {
    return load<f32>(this.norms + (<usize>i << 2)) - this.factor * dotOf(point, this.rows + <usize>i * this.stride, this.stride);
  }

  private dotChunk(p: usize, many: u32, from: u32, count: u32): void {
    const stride: usize = this.stride;
    const p1 = many > 1 ? p + stride : p, p2 = many > 2 ? p + 2 * stride : p, p3 = many > 3 ? p + 3 * stride : p;
    let row = this.rows + <usize>from * stride;
    if (SIMD) {
      for (let c: u32 = 0; c < count; c += 2, row += 2 * stride) {
        dots4x2(p, p1, p2, p3, row, c + 1 < count ? row + stride : row, stride, this.dots + (c << 2), CHUNK << 2);
      }
      return;
    }
    for (let c: u32 = 0; c < count; c++, row += stride) {
      const out = this.dots + (c << 2);
      store<f32>(out, dotOf(p, row, stride));
      store<f32>(out + (CHUNK << 2), dotOf(p1, row, stride));
      store<f32>(out + (2 * CHUNK << 2), dotOf(p2, row, stride));
      store<f32>(out + (3 * CHUNK << 2), dotOf(p3, row, stride));
    }
  }

  /** The dots of `count` centres from `from` on become scores. */
  @inline private toScores(dots: usize, from: u32, count: u32): void {
    const norms = this.norms + (<usize>from << 2);
    if (SIMD) {
      const factor = f32x4.splat(this.factor);
      for (let i: usize = 0; i < count << 2; i += 16) {
        v128.store(dots + i, f32x4.sub(v128.load(norms + i), f32x4.mul(factor, v128.load(dots + i))));
      }
      return;
    }
    for (let i: usize = 0; i < count << 2; i += 4) store<f32>(dots + i, load<f32>(norms + i) - this.factor * load<f32>(dots + i));
  }
}
