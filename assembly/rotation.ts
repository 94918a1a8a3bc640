// Rotations of the code space (pq with `rotate`, rabitq). "random": four rounds of seeded sign flips and a fast
// Walsh-Hadamard transform over the first or the last power-of-two window, orthogonal for every multiple of 16
// dimensions and d log d steps (as in the RaBitQ library's FhtKac rotator). "opq": a learned matrix (Ge et al. 2013).
import { align, alloc } from "./arena";
import { addBlob } from "./blobs";
import { CODEC_RABITQ, ROTATE_NONE, ROTATE_OPQ, ROTATE_RANDOM } from "./codes";
import { dotOf } from "./metric";
import { layout } from "./nodes";
import { random64 } from "./random";
import { rowBytes } from "./codec/rows";
import { SIMD } from "./simd";
import { state } from "./state";

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

/** The table, and room for the vectors at hand; false where memory cannot grow. */
export function openRotation(): bool {
  const l = layout();
  const d = state().dimensions;
  l.turned = <u32>alloc(codeBytes());
  l.residual = <u32>alloc(codeBytes());
  if (!l.turned || !l.residual) return false;
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
 * of v is flipped by `signs`, unless 0. The first two stages stay inside a register, the others go through memory two at a
 * time: 784 dimensions in 2.9 -> 1.2 us.
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
  const odd = f32x4(1, -1, 1, -1), high = f32x4(1, 1, -1, -1);
  for (let p = start; p < end; p += 16) {
    let x = v128.load(p);
    if (signs) x = f32x4.mul(x, v128.load(signs + (p - v)));
    const y = f32x4.add(v128.shuffle<f32>(x, x, 1, 0, 3, 2), f32x4.mul(x, odd));
    v128.store(p, f32x4.add(v128.shuffle<f32>(y, y, 2, 3, 0, 1), f32x4.mul(y, high)));
  }
  let half: usize = 16;
  const bytes = <usize>window << 2;
  for (; half << 1 < bytes; half <<= 2) {
    const last = f32x4.splat(half << 2 == bytes ? scale : 1);
    for (let block = start; block < end; block += half << 2) {
      for (let p = block, q = block + (half << 1), to = block + half; p < to; p += 16, q += 16) {
        const a = v128.load(p), b = v128.load(p + half), c = v128.load(q), d = v128.load(q + half);
        const ab = f32x4.add(a, b), a_b = f32x4.sub(a, b), cd = f32x4.add(c, d), c_d = f32x4.sub(c, d);
        v128.store(p, f32x4.mul(f32x4.add(ab, cd), last));
        v128.store(p + half, f32x4.mul(f32x4.add(a_b, c_d), last));
        v128.store(q, f32x4.mul(f32x4.sub(ab, cd), last));
        v128.store(q + half, f32x4.mul(f32x4.sub(a_b, c_d), last));
      }
    }
  }
  if (half == bytes) return;
  const last = f32x4.splat(scale);
  for (let p = start, q = start + half; q < end; p += 16, q += 16) {
    const a = v128.load(p), b = v128.load(q);
    v128.store(p, f32x4.mul(f32x4.add(a, b), last));
    v128.store(q, f32x4.mul(f32x4.sub(a, b), last));
  }
}
