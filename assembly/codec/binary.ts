// Binary rows: one bit per dimension, least significant bit first, zeros to the next 16 bytes; hamming distance.
import { align } from "../arena";
import { nodes } from "../nodes";
import { Codec, Scorer, indexOf } from "../scorer";
import { SIMD, popcountU16, sumI32 } from "../simd";
import { state } from "../state";

export function binaryRowBytes(dimensions: u32): u32 { return <u32>align((dimensions + 7) >> 3, 16); }

export function installBinary(c: Codec, column: u32): void {
  c.encode = indexOf(encodeRow);
  c.decode = indexOf(decodeRow);
  c.bindQuery = indexOf(bindQuery);
  c.bindSlot = indexOf(bindSlot);
  c.sound = indexOf(soundRow);
  c.screen = 0;
  c.column = column;
}

function encodeRow(c: Codec, slot: u32, vector: usize): void {
  memory.copy(nodes().at(c.column, slot), vector, binaryRowBytes(state().dimensions));
}

function decodeRow(c: Codec, slot: u32, out: usize): void {
  const row = nodes().at(c.column, slot);
  const d = state().dimensions;
  for (let i: u32 = 0; i < d; i++) store<f32>(out + (i << 2), <f32>(load<u8>(row + (i >> 3)) >> (i & 7) & 1));
}

function soundRow(c: Codec, slot: u32): bool {
  const row = nodes().at(c.column, slot);
  const d = state().dimensions;
  for (let bit = d, end = binaryRowBytes(d) << 3; bit < end; bit++) if (load<u8>(row + (bit >> 3)) >> (bit & 7) & 1) return false;
  return true;
}

function bindQuery(c: Codec, s: Scorer, vector: usize): void {
  s.score = indexOf(scoreRows);
  s.query = <u32>vector;
  s.queryBytes = binaryRowBytes(state().dimensions);
  s.column = c.column;
}

function bindSlot(c: Codec, s: Scorer, slot: u32): void { bindQuery(c, s, nodes().at(c.column, slot)); }

/** Differing bits. A u16 lane holds 16 per step and there are at most 65536 / 128 steps: 8192 < 65536. */
@inline function hamming(q: usize, r: usize, bytes: usize): i32 {
  if (SIMD) {
    let sum = i16x8.splat(0);
    for (let p: usize = 0; p < bytes; p += 16) sum = i16x8.add(sum, popcountU16(v128.xor(v128.load(q + p), v128.load(r + p))));
    return sumI32(i32x4.extadd_pairwise_i16x8_u(sum));
  }
  let sum: i64 = 0;
  for (let p: usize = 0; p < bytes; p += 8) sum += popcnt(load<u64>(q + p) ^ load<u64>(r + p));
  return <i32>sum;
}

function scoreRows(s: Scorer, slots: usize, n: u32, out: usize): void {
  const table = nodes();
  const column = s.column;
  for (let i: u32 = 0; i < n; i++) {
    const row = table.at(column, load<u32>(slots + (i << 2)));
    store<f32>(out + (i << 2), <f32>hamming(s.query, row, s.queryBytes));
  }
}
