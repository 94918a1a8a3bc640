// Binary rows: one bit per dimension, least significant bit first, zeros to the next 16 bytes. Under hamming they are what
// the caller gave and the distance is the differing bits; under cosine they are the signs of the values, and h differing
// bits of d stand for the angle pi h / d (Charikar 2002, SimHash, for directions that point anywhere).
import { SIMD, popcountU16, sumI32 } from "../base/simd";
import { align } from "../base/sizes";
import { addBlob } from "../memory/blobs";
import { isOfBits } from "../memory/metrics";
import { state } from "../memory/state";
import { layout, nodes } from "../table/nodes";
import { Codec, Scorer, indexOf } from "./scorer";

export function binaryRowBytes(dimensions: u32): u32 { return <u32>align((dimensions + 7) >> 3, 16); }

/** cosine: the distance for each number of differing bits; false where memory cannot grow. */
export function openCosines(): bool {
  const d = state().dimensions;
  const table = addBlob(0, <usize>(d + 1) << 2);
  layout().model = <u32>table;
  for (let h: u32 = 0; table && h <= d; h++) store<f32>(table + (h << 2), <f32>(1 - cosine(3.141592653589793 * h / d)));
  return table != 0;
}

/** cos x for 0 <= x <= pi, by its series: the last term is below 1e-16. */
function cosine(x: f64): f64 {
  let sum: f64 = 1, term: f64 = 1;
  for (let i: f64 = 1; i < 27; i += 2) {
    term *= -x * x / (i * (i + 1));
    sum += term;
  }
  return sum;
}

export function installBinary(c: Codec, column: u32): void {
  const given = isOfBits();
  c.encode = given ? indexOf(encodeRow) : indexOf(encodeSigns);
  c.decode = given ? indexOf(decodeRow) : indexOf(decodeSigns);
  c.bindQuery = given ? indexOf(bindQuery) : indexOf(bindSigns);
  c.bindSlot = indexOf(bindSlot);
  c.ownBytes = given ? 0 : binaryRowBytes(state().dimensions);
  c.sound = indexOf(soundRow);
  c.screen = 0;
  c.column = column;
}

function encodeRow(c: Codec, slot: u32, vector: usize): void {
  memory.copy(nodes().at(c.column, slot), vector, binaryRowBytes(state().dimensions));
}

function encodeSigns(c: Codec, slot: u32, vector: usize): void { packSigns(vector, nodes().at(c.column, slot)); }

/** Bit i is 1 where value i is positive. */
function packSigns(vector: usize, out: usize): void {
  const d = state().dimensions;
  memory.fill(out, 0, binaryRowBytes(d));
  for (let i: u32 = 0; i < d; i++) {
    if (load<f32>(vector + (i << 2)) > 0) store<u8>(out + (i >> 3), <u8>(<u32>load<u8>(out + (i >> 3)) | 1 << (i & 7)));
  }
}

/** A unit vector of that direction. */
function decodeSigns(c: Codec, slot: u32, out: usize): void {
  const d = state().dimensions;
  const value: f32 = 1 / sqrt(<f32>d);
  decodeRow(c, slot, out);
  for (const end = out + (d << 2); out < end; out += 4) store<f32>(out, load<f32>(out) == 0 ? -value : value);
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
  s.score = isOfBits() ? indexOf(scoreRows) : indexOf(scoreAngles);
  s.query = <u32>vector;
  s.queryBytes = binaryRowBytes(state().dimensions);
  s.column = c.column;
}

function bindSigns(c: Codec, s: Scorer, vector: usize): void {
  packSigns(vector, s.own);
  bindQuery(c, s, s.own);
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

function scoreAngles(s: Scorer, slots: usize, n: u32, out: usize): void {
  scoreRows(s, slots, n, out);
  const cosines: usize = layout().model;
  for (const end = out + (n << 2); out < end; out += 4) store<f32>(out, load<f32>(cosines + (<u32>load<f32>(out) << 2)));
}
