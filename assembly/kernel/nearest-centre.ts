// The nearest of k centres for each of n points, all rows padded with zeros to 16 bytes: for k-means and for the lists of
// an ivf index. A block of 4 points x 2 centres at a time goes through the batch kernel of plain dots (metric.ts), as
// |p - c|^2 = |p|^2 + |c|^2 - 2 <p, c>; equal distances go to the lower number.
import { SIMD } from "../base/simd";
import { leastOf } from "../base/sizes";
import { alloc } from "../memory/arena";
import { dotOf, dots1x8, dots4x2, squaredNorm } from "./metric";

/** NearestCentre whose dots with four points are held at a time: 4 KiB. */
const CHUNK: u32 = 256;
const POINTS: u32 = 4;
/** Centres that are remembered of a point. */
export const SHORT: u32 = 16;

/** The place of the greatest of SHORT f32. */
function greatest(values: usize): u32 {
  if (SIMD) {
    const a = v128.load(values), b = v128.load(values, 16), c = v128.load(values, 32), d = v128.load(values, 48);
    let most = f32x4.max(f32x4.max(a, b), f32x4.max(c, d));
    most = f32x4.max(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
    most = f32x4.max(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
    const low = i32x4.bitmask(f32x4.eq(a, most)) | i32x4.bitmask(f32x4.eq(b, most)) << 4;
    return ctz(low | i32x4.bitmask(f32x4.eq(c, most)) << 8 | i32x4.bitmask(f32x4.eq(d, most)) << 12);
  }
  let which: u32 = 0;
  for (let i: u32 = 1; i < SHORT; i++) if (load<f32>(values + (i << 2)) > load<f32>(values + (which << 2))) which = i;
  return which;
}

@unmanaged export class NearestCentre {
  rows: u32;   // k x stride
  k: u32;
  stride: u32; // bytes
  norms: u32;  // CHUNK-padded k x f32: squared lengths, Infinity behind the last; 0 where the largest dot is the nearest
  factor: f32; // nearest = least norm - factor * dot
  dots: u32;   // POINTS x CHUNK f32
  best: u32;
  kept: u32;   // POINTS x SHORT f32

  /** Over k rows that stay where they are; 0 where scratch cannot grow. Call measure() once they are set. */
  static open(rows: usize, k: u32, stride: u32): NearestCentre {
    const at = alloc(offsetof<NearestCentre>());
    const norms = alloc(<usize>(k + CHUNK) << 2);
    const dots = alloc(POINTS * CHUNK << 2);
    const best = alloc(POINTS << 3);
    const kept = alloc(POINTS * SHORT << 2);
    if (!at || !norms || !dots || !best || !kept) return changetype<NearestCentre>(0);
    const c = changetype<NearestCentre>(at);
    c.rows = <u32>rows;
    c.k = k;
    c.stride = stride;
    c.norms = <u32>norms;
    c.dots = <u32>dots;
    c.best = <u32>best;
    c.kept = <u32>kept;
    return c;
  }

  /** By distance, or by the dot alone. */
  measure(byDot: bool): void {
    this.factor = byDot ? 1 : 2;
    const padded = this.k + CHUNK;
    for (let i: u32 = 0; i < padded; i++) {
      if (i < this.k) this.measureOne(i, byDot);
      else this.exclude(i);
    }
  }

  measureOne(i: u32, byDot: bool): void {
    const norm: f32 = byDot ? 0 : <f32>squaredNorm(this.rows + <usize>i * this.stride, this.stride >> 2);
    store<f32>(this.norms + (<usize>i << 2), norm);
  }

  /** Nothing is nearest to it, until it is measured again. */
  exclude(i: u32): void { store<f32>(this.norms + (<usize>i << 2), Infinity); }

  /** Writes n x u32 to `nearest`, and to `scores`, unless 0, n x f32: norm - factor * dot. */
  assign(points: usize, n: u32, nearest: usize, scores: usize): void {
    this.assignEvery(points, this.stride, n, nearest, scores, 0);
  }

  /** The same of points so many bytes apart, and, unless 0, the SHORT nearest of each, in any order: n x SHORT u32. There are as many. */
  assignEvery(points: usize, apart: usize, n: u32, nearest: usize, scores: usize, short: usize): void {
    const best: usize = this.best;
    for (let i: u32 = 0; i < n; i += POINTS) {
      const p = points + <usize>i * apart;
      const many = min(POINTS, n - i);
      for (let j: u32 = 0; j < POINTS; j++) store<f32>(best + (j << 3), Infinity);
      const list = short + (<usize>i * SHORT << 2);
      if (short) for (let q: usize = this.kept, end = q + (POINTS * SHORT << 2); q < end; q += 4) store<f32>(q, Infinity);
      for (let from: u32 = 0; from < this.k; from += CHUNK) {
        const count = min(CHUNK, this.k - from);
        this.dotChunk(p, apart, many, from, count);
        for (let j: u32 = 0; j < many; j++) {
          if (short) this.keepBetter(j, from, count, list + (<usize>j * SHORT << 2));
          else this.takeBetter(j, from, count, best);
        }
      }
      for (let j: u32 = 0; j < many; j++) {
        if (short) this.takeNearest(this.kept + (j * SHORT << 2), list + (<usize>j * SHORT << 2), best + (j << 3));
        store<u32>(nearest + (<usize>(i + j) << 2), load<u32>(best + (j << 3), 4));
        if (scores) store<f32>(scores + (<usize>(i + j) << 2), load<f32>(best + (j << 3)));
      }
    }
  }

  /** The nearest of a point's SHORT centres that assignEvery() found, wherever they are by now; returns its score. */
  nearestOf(point: usize, list: usize, nearest: usize): f32 {
    const kept: usize = this.kept, best: usize = this.best;
    for (let i: u32 = 0; i < SHORT; i += 8) {
      if (SIMD) dots1x8(point, this.rows, this.stride, list + (i << 2), kept + (i << 2));
      else for (let j = i; j < i + 8; j++) {
        store<f32>(kept + (j << 2), dotOf(point, this.rows + <usize>load<u32>(list + (j << 2)) * this.stride, this.stride));
      }
    }
    for (let i: u32 = 0; i < SHORT; i++) {
      const norm = load<f32>(this.norms + (<usize>load<u32>(list + (i << 2)) << 2));
      store<f32>(kept + (i << 2), norm - this.factor * load<f32>(kept + (i << 2)));
    }
    this.takeNearest(kept, list, best);
    store<u32>(nearest, load<u32>(best, 4));
    return load<f32>(best);
  }

  /** Of SHORT scores and their centres the least, and of equals the lower number, to `best`. */
  private takeNearest(kept: usize, list: usize, best: usize): void {
    let score = load<f32>(kept), which = load<u32>(list);
    for (let i: u32 = 1; i < SHORT; i++) {
      const s = load<f32>(kept + (i << 2)), c = load<u32>(list + (i << 2));
      if (s > score || (s == score && c > which)) continue;
      score = s;
      which = c;
    }
    store<f32>(best, score);
    store<u32>(best, which, 4);
  }

  /** Those of `count` centres that are nearer than the farthest of what is kept of point j take its place. */
  private keepBetter(j: u32, from: u32, count: u32, list: usize): void {
    const scores = this.dots + (j * CHUNK << 2), kept = this.kept + (j * SHORT << 2);
    this.toScores(scores, from, count);
    let place = greatest(kept);
    let worst = load<f32>(kept + (place << 2));
    for (let i: u32 = 0; i < count; i += 4) {
      let near: u32;
      if (SIMD) near = i32x4.bitmask(f32x4.lt(v128.load(scores + (i << 2)), f32x4.splat(worst)));
      else near = 15;
      for (; near; near &= near - 1) {
        const c = i + ctz(near);
        const score = load<f32>(scores + (c << 2));
        if (c >= count || !(score < worst)) continue;
        store<f32>(kept + (place << 2), score);
        store<u32>(list + (place << 2), from + c);
        place = greatest(kept);
        worst = load<f32>(kept + (place << 2));
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

  private dotChunk(p: usize, apart: usize, many: u32, from: u32, count: u32): void {
    const stride: usize = this.stride;
    const p1 = many > 1 ? p + apart : p, p2 = many > 2 ? p + 2 * apart : p, p3 = many > 3 ? p + 3 * apart : p;
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
    // Behind the last centre lie scores from before: Infinity less Infinity would be no number.
    for (let i = count; i & 3; i++) store<f32>(dots + (i << 2), 0);
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
