// opq: the rotation under which product quantisation loses least (Ge, He, Ke and Sun 2013, arXiv 1311.4055, non-parametric).
// Rounds of: rotate the sample, quantise it a little better, and take the rotation that brings the sample nearest to what
// the codes say. That is the orthogonal factor of sum(y x^T), y decoded and x not rotated; Newton-Schulz finds it with
// products of matrices alone, and does it in slices.
import { SIMD } from "../base/simd";
import { alloc } from "../memory/arena";
import { state } from "../memory/state";
import { dotOf } from "../kernel/metric";
import { codeBytes, rotate, rotationRow } from "../kernel/rotation";
import { pqRound } from "../codec/pq";

/** How much of the rotation so far is mixed in, so that directions without data keep theirs. */
const INERTIA: f32 = 0.01;

@unmanaged class Procrustes {
  sum: u32;     // d rows: sum of y x^T
  next: u32;    // d rows
  product: u32; // one row
}

@inline function rowAt(matrix: u32, i: u32): usize { return matrix + <usize>i * codeBytes(); }

/** Scratch for the rounds; 0 where it cannot grow. */
export function opqOpen(): usize {
  const at = alloc(offsetof<Procrustes>());
  const sum = alloc(<usize>state().dimensions * codeBytes());
  const next = alloc(<usize>state().dimensions * codeBytes());
  const product = alloc(codeBytes());
  if (!at || !sum || !next || !product) return 0;
  const p = changetype<Procrustes>(at);
  p.sum = <u32>sum;
  p.next = <u32>next;
  p.product = <u32>product;
  memory.fill(sum, 0, <usize>state().dimensions * codeBytes());
  return at;
}

/** n residuals, rotated, to `out`. */
export function opqTurn(residuals: usize, n: u32, out: usize): void {
  for (let i: u32 = 0; i < n; i++) rotate(residuals + <usize>i * codeBytes(), out + <usize>i * codeBytes());
}

/** n rotated residuals become what their codes stand for. */
export function opqDecode(turned: usize, n: u32): void { for (let i: u32 = 0; i < n; i++) pqRound(turned + <usize>i * codeBytes()); }

/** Adds y x^T of n residuals x and what their codes stand for, y. */
export function opqGather(at: usize, residuals: usize, decoded: usize, n: u32): void {
  const p = changetype<Procrustes>(at);
  const d = state().dimensions;
  for (let i: u32 = 0; i < d; i++) {
    const row = rowAt(p.sum, i);
    for (let s: u32 = 0; s < n; s++) addScaled(row, residuals + <usize>s * codeBytes(), load<f32>(decoded + <usize>s * codeBytes() + (i << 2)));
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
 * One step towards the orthogonal factor of the gathered sum: X = 3/2 X - 1/2 (X X^T) X; `first` begins with the sum over
 * a bound of its norm. How far X X^T was from the identity, at most; below 1e-3 the rotation has been taken over.
 */
export function opqPolar(at: usize, first: bool): f32 {
  const p = changetype<Procrustes>(at);
  const d = state().dimensions;
  if (first) begin(p, d);
  let farthest: f32 = 0;
  for (let i: u32 = 0; i < d; i++) {
    const out = rowAt(p.next, i);
    memory.fill(out, 0, codeBytes());
    for (let j: u32 = 0; j < d; j++) {
      const g = dotOf(rowAt(p.sum, i), rowAt(p.sum, j), codeBytes());
      farthest = max(farthest, abs(g - (i == j ? 1 : 0)));
      addScaled(out, rowAt(p.sum, j), (i == j ? 1.5 : 0) - 0.5 * g);
    }
  }
  memory.copy(p.sum, p.next, <usize>d * codeBytes());
  if (farthest < 1e-3) {
    for (let i: u32 = 0; i < d; i++) memory.copy(rotationRow(i), rowAt(p.sum, i), codeBytes());
    memory.fill(p.sum, 0, <usize>d * codeBytes());
  }
  return farthest;
}

/** Largest row sum times largest column sum bounds the squared norm. */
function begin(p: Procrustes, d: u32): void {
  let rows: f64 = 0, columns: f64 = 0;
  memory.fill(p.product, 0, codeBytes());
  for (let i: u32 = 0; i < d; i++) {
    let sum: f64 = 0;
    for (let j: u32 = 0; j < d; j++) {
      const v = abs(load<f32>(rowAt(p.sum, i) + (j << 2)));
      sum += v;
      store<f32>(p.product + (j << 2), load<f32>(p.product + (j << 2)) + v);
    }
    rows = max(rows, sum);
  }
  for (let j: u32 = 0; j < d; j++) columns = max(columns, load<f32>(p.product + (j << 2)));
  const scale = <f32>(rows * columns > 0 ? 1 / sqrt(rows * columns) : 0);
  for (let i: u32 = 0; i < d; i++) {
    const row = rowAt(p.sum, i);
    for (let j: u32 = 0; j < d; j++) store<f32>(row + (j << 2), load<f32>(row + (j << 2)) * scale);
    addScaled(row, rotationRow(i), INERTIA);
  }
}
