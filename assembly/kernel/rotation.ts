// Rotations of the code space (pq with `rotate`, rabitq). "random": four rounds of seeded sign flips and a fast
// Walsh-Hadamard transform over the first or the last power-of-two window, orthogonal for every multiple of 16
// dimensions and d log d steps (as in the RaBitQ library's FhtKac rotator). "opq": a learned matrix (Ge et al. 2013).
import { CODEC_RABITQ, ROTATE_NONE, ROTATE_OPQ, ROTATE_RANDOM } from "../base/codes";
import { random64 } from "../base/random";
import { SIMD } from "../base/simd";
import { align, rowBytes } from "../base/sizes";
import { alloc } from "../memory/arena";
import { addBlob } from "../memory/blobs";
import { state } from "../memory/state";
import { layout } from "../table/nodes";
import { dotOf } from "./metric";

const TAG_ROTATION: u32 = 0x61746f72; // "rota"
const TRANSIENT: u32 = 0;
const ROUNDS: u32 = 4;

/** Dimensions of the code space: more than the vectors' under a random rotation. */
export function codeDimensions(): u32 {
  const d = state().dimensions;
  return rotation() == ROTATE_RANDOM ? <u32>align(d, 16) : d;
}
@inline function rotation(): u32 { return state().codec == CODEC_RABITQ || state().fastScan ? ROTATE_RANDOM : state().rotate; }

/** Bytes of a vector in the code space, a multiple of 16; what is behind its dimensions is zero. */
export function codeBytes(): u32 { return rowBytes(codeDimensions()); }

/** Room for the vectors at hand; false where memory cannot grow. */
export function openTurned(): bool {
  const l = layout();
  l.turned = <u32>alloc(codeBytes());
  l.residual = <u32>alloc(codeBytes());
  return l.turned != 0 && l.residual != 0;
}

/** The same, and the table. */
export function openRotation(): bool {
  const l = layout();
  const d = state().dimensions;
  if (!openTurned()) return false;
  if (rotation() == ROTATE_NONE) return true;
  // random: ROUNDS x code dimensions signs as f32; opq: d rows of rowBytes(d), and the same transposed
  const bytes = rotation() == ROTATE_OPQ ? <usize>d * rowBytes(d) : <usize>ROUNDS * codeBytes();
  l.rotation = <u32>addBlob(rotation() == ROTATE_OPQ ? TAG_ROTATION : TRANSIENT, bytes);
  if (!l.rotation) return false;
  if (rotation() == ROTATE_OPQ) for (let i: u32 = 0; i < d; i++) store<f32>(rotationRow(i) + (i << 2), 1);
  else for (let i: u32 = 0, n = codeDimensions(); i < ROUNDS * n; i++) {
    store<f32>(l.rotation + (i << 2), random64(state().seed ^ 0x726f74617465, i) >> 63 ? -1 : 1);
  }
  return true;
}

@inline export function rotationRow(i: u32): usize { return layout().rotation + <usize>i * rowBytes(state().dimensions); }

/** The prepared vector at `from`, rotated, to `to` (codeBytes). */
export function rotate(from: usize, to: usize): void {
  const d = state().dimensions;
  if (rotation() == ROTATE_OPQ) {
    for (let i: u32 = 0; i < d; i++) store<f32>(to + (i << 2), dotOf(from, rotationRow(i), rowBytes(d)));
    memory.fill(to + (d << 2), 0, rowBytes(d) - (d << 2));
    return;
  }
  memory.copy(to, from, d << 2);
  memory.fill(to + (d << 2), 0, codeBytes() - (d << 2));
  if (rotation() == ROTATE_NONE) return;
  for (let round: u32 = 0; round < ROUNDS; round++) {
    hadamard(to, round, signsOf(round));
  }
}

/** The inverse, in place of nothing: `from` is overwritten; `to` is dimensions x f32. */
export function rotateBack(from: usize, to: usize): void {
  const d = state().dimensions;
  if (rotation() == ROTATE_OPQ) {
    memory.fill(to, 0, d << 2);
    for (let i: u32 = 0; i < d; i++) {
      const v = load<f32>(from + (i << 2)), row = rotationRow(i);
      for (let j: u32 = 0; j < d; j++) store<f32>(to + (j << 2), load<f32>(to + (j << 2)) + v * load<f32>(row + (j << 2)));
    }
    return;
  }
  if (rotation() == ROTATE_RANDOM) for (let round = ROUNDS; round > 0; ) {
    round--;
    hadamard(from, round, 0);
    flip(from, 0, codeBytes(), signsOf(round));
  }
  memory.copy(to, from, d << 2);
}

@inline function signsOf(round: u32): usize { return layout().rotation + round * codeBytes(); }

function flip(v: usize, from: usize, to: usize, signs: usize): void {
  if (SIMD) for (let p = from; p < to; p += 16) v128.store(v + p, f32x4.mul(v128.load(v + p), v128.load(signs + p)));
  else for (let p = from; p < to; p += 4) store<f32>(v + p, load<f32>(v + p) * load<f32>(signs + p));
}

/**
 * Over the largest power-of-two window: at the front in even rounds, at the end in odd ones. Its own inverse. Before it all
 * of v is flipped by `signs`, unless 0. Stages go through memory together: four within 16 values, then three or two.
 * 784 dimensions in 2.9 us stage by stage, 1.05 by twos, 0.91 so.
 */
function hadamard(v: usize, round: u32, signs: usize): void {
  const n = codeDimensions();
  const window: u32 = 1 << (31 - clz(n));
  const start = v + (round & 1 ? n - window << 2 : 0);
  const end = start + (window << 2);
  const scale: f32 = 1 / sqrt(<f32>window);
  if (signs) {
    // The window is flipped on the way.
    const outside = round & 1;
    flip(v, outside ? 0 : end - v, outside ? start - v : codeBytes(), signs);
    if (!SIMD) flip(v, start - v, end - v, signs);
  }
  if (!SIMD) {
    for (let half: usize = 4; half < window << 2; half <<= 1) {
      for (let block = start; block < end; block += half << 1) {
        for (let p = block; p < block + half; p += 4) {
          const a = load<f32>(p), b = load<f32>(p + half);
          store<f32>(p, a + b);
          store<f32>(p + half, a - b);
        }
      }
    }
    for (let p = start; p < end; p += 4) store<f32>(p, load<f32>(p) * scale);
    return;
  }
  const bytes = <usize>window << 2;
  sixteenths(start, end, signs ? signs + (start - v) : 0, f32x4.splat(bytes == 64 ? scale : 1));
  for (let half: usize = 64; half < bytes; ) {
    const left = bytes / half;
    const by: usize = left >= 8 && left != 16 ? 8 : left >= 4 ? 4 : 2;
    const last = f32x4.splat(by == left ? scale : 1);
    if (by == 8) eights(start, end, half, last);
    else if (by == 4) fours(start, end, half, last);
    else twos(start, half, last);
    half *= by;
  }
}

/** The stages within 16 values. */
@inline function sixteenths(p: usize, end: usize, signs: usize, last: v128): void {
  for (; p < end; p += 64) {
    let a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32), d = v128.load(p, 48);
    if (signs) {
      a = f32x4.mul(a, v128.load(signs));
      b = f32x4.mul(b, v128.load(signs, 16));
      c = f32x4.mul(c, v128.load(signs, 32));
      d = f32x4.mul(d, v128.load(signs, 48));
      signs += 64;
    }
    a = withinFour(a);
    b = withinFour(b);
    c = withinFour(c);
    d = withinFour(d);
    storeFour(p, 16, a, b, c, d, last);
  }
}

@inline function withinFour(x: v128): v128 {
  const y = f32x4.add(v128.shuffle<f32>(x, x, 1, 0, 3, 2), f32x4.mul(x, f32x4(1, -1, 1, -1)));
  return f32x4.add(v128.shuffle<f32>(y, y, 2, 3, 0, 1), f32x4.mul(y, f32x4(1, 1, -1, -1)));
}

/** Two stages among four vectors that are `half` apart. */
@inline function storeFour(p: usize, half: usize, a: v128, b: v128, c: v128, d: v128, last: v128): void {
  const ab = f32x4.add(a, b), a_b = f32x4.sub(a, b), cd = f32x4.add(c, d), c_d = f32x4.sub(c, d);
  v128.store(p, f32x4.mul(f32x4.add(ab, cd), last));
  v128.store(p + half, f32x4.mul(f32x4.add(a_b, c_d), last));
  v128.store(p + 2 * half, f32x4.mul(f32x4.sub(ab, cd), last));
  v128.store(p + 3 * half, f32x4.mul(f32x4.sub(a_b, c_d), last));
}

/** Three stages at once, from blocks of `half` bytes on. */
@inline function eights(start: usize, end: usize, half: usize, last: v128): void {
  for (let block = start; block < end; block += half << 3) {
    for (let p = block, q = block + (half << 2), to = block + half; p < to; p += 16, q += 16) {
      const a = v128.load(p), b = v128.load(p + half), c = v128.load(p + 2 * half), d = v128.load(p + 3 * half);
      const e = v128.load(q), f = v128.load(q + half), g = v128.load(q + 2 * half), h = v128.load(q + 3 * half);
      const ab = f32x4.add(a, b), a_b = f32x4.sub(a, b), cd = f32x4.add(c, d), c_d = f32x4.sub(c, d);
      const ef = f32x4.add(e, f), e_f = f32x4.sub(e, f), gh = f32x4.add(g, h), g_h = f32x4.sub(g, h);
      storePair(p, q, f32x4.add(ab, cd), f32x4.add(ef, gh), last);
      storePair(p + half, q + half, f32x4.add(a_b, c_d), f32x4.add(e_f, g_h), last);
      storePair(p + 2 * half, q + 2 * half, f32x4.sub(ab, cd), f32x4.sub(ef, gh), last);
      storePair(p + 3 * half, q + 3 * half, f32x4.sub(a_b, c_d), f32x4.sub(e_f, g_h), last);
    }
  }
}

@inline function storePair(p: usize, q: usize, a: v128, b: v128, last: v128): void {
  v128.store(p, f32x4.mul(f32x4.add(a, b), last));
  v128.store(q, f32x4.mul(f32x4.sub(a, b), last));
}

@inline function fours(start: usize, end: usize, half: usize, last: v128): void {
  for (let block = start; block < end; block += half << 2) {
    for (let p = block, to = block + half; p < to; p += 16) {
      storeFour(p, half, v128.load(p), v128.load(p + half), v128.load(p + 2 * half), v128.load(p + 3 * half), last);
    }
  }
}

@inline function twos(start: usize, half: usize, last: v128): void {
  for (let p = start, to = start + half; p < to; p += 16) storePair(p, p + half, v128.load(p), v128.load(p + half), last);
}
