// f32 rows, padded with zeros to 16 bytes. Exact: what is stored is what was given (unit length under cosine).
import { ALL, GRAPH } from "../base/codes";
import { SIMD } from "../base/simd";
import { rowBytes } from "../base/sizes";
import { byKernel, followsFromDots } from "../memory/metrics";
import { state } from "../memory/state";
import { nodes } from "../table/nodes";
import { L1, L2, Dot, Plain, dots4x2, squaredNorm, sumRow } from "../kernel/metric";
import { Codec, Scorer, bindDot, finishDots, indexOf, isLength } from "./scorer";
import { touchRows } from "./touch";

export function installRows(c: Codec, column: u32): void {
  c.encode = indexOf(encodeRow);
  c.decode = indexOf(decodeRow);
  c.bindQuery = indexOf(bindQuery);
  c.bindSlot = indexOf(bindSlot);
  c.sound = indexOf(soundRow);
  c.screen = SIMD && followsFromDots() ? indexOf(screenRows) : 0;
  c.column = column;
}

function encodeRow(c: Codec, slot: u32, vector: usize): void {
  memory.copy(nodes().at(c.column, slot), vector, rowBytes(state().dimensions));
}

function decodeRow(c: Codec, slot: u32, out: usize): void {
  memory.copy(out, nodes().at(c.column, slot), state().dimensions << 2);
}

function soundRow(c: Codec, slot: u32): bool {
  const row = nodes().at(c.column, slot);
  const d = state().dimensions;
  for (let p: usize = d << 2, end: usize = rowBytes(d); p < end; p += 4) if (load<u32>(row + p)) return false;
  return isLength(squaredNorm(row, d));
}

function bindQuery(c: Codec, s: Scorer, vector: usize): void {
  bindKernel<Plain>(s);
  s.query = <u32>vector;
  s.queryBytes = rowBytes(state().dimensions);
  s.column = c.column;
}

function bindSlot(c: Codec, s: Scorer, slot: u32): void { bindQuery(c, s, nodes().at(c.column, slot)); }

/** One row after the other, as R reads it. */
@inline function scoreRows<M, R>(s: Scorer, slots: usize, n: u32, out: usize): void {
  const table = nodes();
  const column = table.column(s.column);
  const directory: usize = table.directory, shift = table.shift, mask = table.mask;
  const offset: usize = column.offset, stride: usize = column.stride, pitch: usize = GRAPH ? table.pitch(s.column) : stride;
  const q: usize = s.query, bytes: usize = s.queryBytes;
  if (s.scattered) touchRows(table, s.column, slots, n, 0, stride);
  for (const end = slots + (n << 2); slots < end; slots += 4, out += 4) {
    const slot = load<u32>(slots);
    store<f32>(out, sumRow<M, R>(q, load<u32>(directory + (slot >> shift << 2)) + offset + (slot & mask) * pitch, bytes));
  }
}

/** The metric's kernel over rows that R reads. */
@inline export function bindKernel<R>(s: Scorer): void {
  bindDot(s);
  s.score = byKernel(sums<L2, R>(), ALL ? sums<L1, R>() : 0, dots<R>());
}

@inline function sums<M, R>(): u32 {
  return indexOf((s: Scorer, slots: usize, n: u32, out: usize): void => { scoreRows<M, R>(s, slots, n, out); });
}

@inline function dots<R>(): u32 {
  return indexOf((s: Scorer, slots: usize, n: u32, out: usize): void => {
    scoreRows<Dot, R>(s, slots, n, out);
    finishDots(s, n, out);
  });
}

/**
 * Plain dots of `nq` queries (a multiple of 4, rowBytes apart) with `n` slots: out[query][slot], rows
 * `outStride` bytes apart with room for an even number of slots. Rounded otherwise than the distances above: the
 * caller screens with them and confirms with scoreMany.
 */
function screenRows(c: Codec, queries: usize, nq: u32, slots: usize, n: u32, out: usize, outStride: usize): void {
  const column = c.column;
  const table = nodes();
  const bytes: usize = rowBytes(state().dimensions);
  for (let j: u32 = 0; j < nq; j += 4) {
    const q = queries + j * bytes;
    for (let i: u32 = 0; i < n; i += 2) {
      const r0 = table.at(column, load<u32>(slots + (i << 2)));
      const r1 = i + 1 < n ? table.at(column, load<u32>(slots + (i << 2), 4)) : r0;
      dots4x2(q, q + bytes, q + 2 * bytes, q + 3 * bytes, r0, r1, bytes, out + j * outStride + (i << 2), outStride);
    }
  }
}
