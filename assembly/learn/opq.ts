// opq: the rotation under which product quantisation loses least (Ge, He, Ke and Sun 2013, arXiv 1311.4055, non-parametric).
// Rounds of: rotate the sample, quantise it a little better, and take the rotation that brings the sample nearest to what
// the codes say. That is the orthogonal factor of sum(y x^T), y decoded and x not rotated; Newton-Schulz finds it with
// products of matrices alone, and does it in slices.
import { SIMD } from "../base/simd";
import { alloc } from "../memory/arena";
import { state } from "../memory/state";
import { dotOf, scaleBy, squaredNorm } from "../kernel/metric";
import { codeBytes, rotate, rotationRow } from "../kernel/rotation";
import { pqRound } from "../codec/pq";

/** How much of the rotation so far is mixed in, so that directions without data keep theirs. */
const INERTIA: f32 = 0.01;
/** How far X X^T may be from the identity before the step that is the last. */
const FAR: f32 = 1e-3;
/** Rows of a tile. */
const TILE: u32 = 4;
/** Steps stretch no more: singular values up to 1.16 keep their sign. */
const MOST_STRETCH: f64 = 2.2;

@unmanaged class Procrustes {
  sum: u32;      // d rows: sum of y x^T, and then what becomes orthogonal, X
  next: u32;     // d rows
  weights: u32;  // TILE x TILE f32: of rows j in rows i, and behind it of rows i in rows j
  scale: f32;    // a power of two: times this no value of the sample reaches 2
  farthest: f32;
  stretch: f64;  // the square of what X is multiplied by before a step
  least: f64;    // about the least singular value of X
}

@inline function rowAt(matrix: u32, i: u32): usize { return matrix + <usize>i * codeBytes(); }

/** Scratch for the rounds over n residuals; 0 where it cannot grow. */
export function opqOpen(residuals: usize, n: u32): usize {
  const at = alloc(offsetof<Procrustes>());
  const sum = alloc(<usize>state().dimensions * codeBytes());
  const next = alloc(<usize>state().dimensions * codeBytes());
  const weights = alloc(2 * TILE * TILE << 2);
  if (!at || !sum || !next || !weights) return 0;
  const p = changetype<Procrustes>(at);
  p.sum = <u32>sum;
  p.next = <u32>next;
  p.weights = <u32>weights;
  p.scale = scaleOf(residuals, residuals + <usize>n * codeBytes());
  return at;
}

/** Products of four thousand times two values near 2^62 would leave f32, and those of values below 2^-70. */
function scaleOf(from: usize, to: usize): f32 {
  let most: f32 = 0;
  for (let p = from; p < to; p += 4) most = max(most, abs(load<f32>(p)));
  return reinterpret<f32>(254 - (reinterpret<u32>(most) >> 23) << 23);
}

/** n residuals, rotated, to `out`. */
export function opqTurn(residuals: usize, n: u32, out: usize): void {
  for (let i: u32 = 0; i < n; i++) rotate(residuals + <usize>i * codeBytes(), out + <usize>i * codeBytes());
}

/** n rotated residuals become what their codes stand for. */
export function opqDecode(turned: usize, n: u32): void { for (let i: u32 = 0; i < n; i++) pqRound(turned + <usize>i * codeBytes()); }

/** Adds y x^T of n residuals x and what their codes stand for, y; `first` begins a sum. */
export function opqGather(at: usize, residuals: usize, decoded: usize, n: u32, first: bool): void {
  const p = changetype<Procrustes>(at);
  const d = state().dimensions;
  if (first) memory.fill(p.sum, 0, <usize>d * codeBytes());
  for (let i: u32 = 0; i < d; i++) {
    const row = rowAt(p.sum, i);
    for (let s: u32 = 0; s < n; s++) {
      const y = load<f32>(decoded + <usize>s * codeBytes() + (i << 2));
      addScaled(row, residuals + <usize>s * codeBytes(), y * p.scale * p.scale);
    }
  }
}

@inline function addScaled(to: usize, from: usize, factor: f32): void {
  const bytes: usize = codeBytes();
  if (SIMD) {
    const f = f32x4.splat(factor);
    for (let p: usize = 0; p < bytes; p += 16) v128.store(to + p, f32x4.add(v128.load(to + p), f32x4.mul(v128.load(from + p), f)));
  } else for (let p: usize = 0; p < bytes; p += 4) store<f32>(to + p, load<f32>(to + p) + load<f32>(from + p) * factor);
}

/**
 * A step towards the orthogonal factor of the gathered sum takes X, stretched, to 3/2 X - 1/2 (X X^T) X. Stretching is by what suits
 * the least singular value (Chen and Chow 2014), up to a bound: small values grow 2.2-fold a step and not 1.5-fold. Here
 * rows from..to of X X^T, whole tiles, and the same columns, as it is symmetric.
 */
export function opqPolar(at: usize, from: u32, to: u32): void {
  const p = changetype<Procrustes>(at);
  const d = state().dimensions;
  const by = sqrt(p.stretch);
  for (let i = from; i < to; i += TILE) {
    for (let j = i; j < d; j += TILE) addTile(p, i, j, d, <f32>(1.5 * by), <f32>(-0.5 * p.stretch * by));
  }
}

function addTile(p: Procrustes, i: u32, j: u32, d: u32, linear: f32, cubic: f32): void {
  const across: usize = p.weights, down: usize = across + (TILE * TILE << 2);
  for (let a: u32 = 0; a < TILE; a++) {
    for (let b: u32 = 0; b < TILE; b++) {
      let weight: f32 = 0, back: f32 = 0;
      if (i + a <= j + b && j + b < d) {
        const same = i + a == j + b;
        const g = dotOf(rowAt(p.sum, i + a), rowAt(p.sum, j + b), codeBytes());
        p.farthest = max(p.farthest, abs(g - (same ? 1 : 0)));
        weight = cubic * g + (same ? linear : 0);
        if (!same) back = weight;
      }
      store<f32>(across + (a * TILE + b << 2), weight);
      store<f32>(down + (b * TILE + a << 2), back);
    }
  }
  for (let a: u32 = 0; a < TILE && i + a < d; a++) addFour(rowAt(p.next, i + a), p.sum, j, d, across + (a * TILE << 2));
  for (let b: u32 = 0; b < TILE && j + b < d; b++) addFour(rowAt(p.next, j + b), p.sum, i, d, down + (b * TILE << 2));
}

/** Adds rows i to i + 3 of `matrix`, each with its weight, one after the other; behind the last row weights are 0. */
function addFour(to: usize, matrix: u32, i: u32, d: u32, weights: usize): void {
  const bytes: usize = codeBytes();
  const r0 = rowAt(matrix, i), r1 = rowAt(matrix, min(i + 1, d - 1)), r2 = rowAt(matrix, min(i + 2, d - 1)), r3 = rowAt(matrix, min(i + 3, d - 1));
  const w0 = load<f32>(weights), w1 = load<f32>(weights, 4), w2 = load<f32>(weights, 8), w3 = load<f32>(weights, 12);
  if (SIMD) {
    const v0 = f32x4.splat(w0), v1 = f32x4.splat(w1), v2 = f32x4.splat(w2), v3 = f32x4.splat(w3);
    for (let p: usize = 0; p < bytes; p += 16) {
      const two = f32x4.add(f32x4.add(v128.load(to + p), f32x4.mul(v128.load(r0 + p), v0)), f32x4.mul(v128.load(r1 + p), v1));
      v128.store(to + p, f32x4.add(f32x4.add(two, f32x4.mul(v128.load(r2 + p), v2)), f32x4.mul(v128.load(r3 + p), v3)));
    }
  } else for (let p: usize = 0; p < bytes; p += 4) {
    const two = load<f32>(to + p) + load<f32>(r0 + p) * w0 + load<f32>(r1 + p) * w1;
    store<f32>(to + p, two + load<f32>(r2 + p) * w2 + load<f32>(r3 + p) * w3);
  }
}

/** After all rows: whether this was the last step, and the rotation has been taken over. */
export function opqStep(at: usize): bool {
  const p = changetype<Procrustes>(at);
  const d = state().dimensions;
  const bytes = <usize>d * codeBytes();
  const last = p.stretch == 1 && p.farthest < FAR;
  memory.copy(p.sum, p.next, bytes);
  if (last) for (let i: u32 = 0; i < d; i++) memory.copy(rotationRow(i), rowAt(p.sum, i), codeBytes());
  p.least = p.least * sqrt(p.stretch) * (1.5 - 0.5 * p.stretch * p.least * p.least);
  beginStep(p, d, p.farthest < 0.1);
  return last;
}

function beginStep(p: Procrustes, d: u32, near: bool): void {
  const least = p.least;
  p.stretch = near || least > 0.9 ? 1 : min(3 / (1 + least + least * least), MOST_STRETCH);
  p.farthest = 0;
  memory.fill(p.next, 0, <usize>d * codeBytes());
}

/** Before the first step: the sum over its Frobenius norm, which is no less than its greatest singular value. */
export function opqBegin(at: usize): void {
  const p = changetype<Procrustes>(at);
  const d = state().dimensions;
  let squares: f64 = 0;
  for (let i: u32 = 0; i < d; i++) squares += squaredNorm(rowAt(p.sum, i), d);
  for (let i: u32 = 0; i < d; i++) {
    const row = rowAt(p.sum, i);
    if (squares > 0) scaleBy(row, d, 1 / sqrt(squares));
    addScaled(row, rotationRow(i), INERTIA);
  }
  p.least = INERTIA / 2;
  beginStep(p, d, false);
}
