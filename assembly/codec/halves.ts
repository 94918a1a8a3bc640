// f16 and bf16 rows: two bytes per value, padded with zeros to 16 bytes, scored like f32 rows with the reader that widens
// them. f16 keeps 11 significant bits of values from 2^-24 to 65504 (prepare.ts refuses larger ones), bf16 8 bits of any f32.
import { SIMD } from "../base/simd";
import { align, rowBytes } from "../base/sizes";
import { isOfUnits } from "../memory/metrics";
import { state } from "../memory/state";
import { layout, nodes } from "../table/nodes";
import { LARGEST_F16, squaredNorm } from "../kernel/metric";
import { bindKernel } from "./rows";
import { Codec, Scorer, indexOf, isLength } from "./scorer";

/** How far rounding each value by 2^-9 can bring a squared unit length from 1, and some. */
const ROUNDING: f64 = 0.01;

/** Half of an f32 row's bytes, so that a group of four at byte p of the one is at p / 2 of the other. */
export function halfRowBytes(dimensions: u32): u32 { return <u32>align(rowBytes(dimensions) >> 1, 16); }

export function installHalves(c: Codec, column: u32, brain: bool): void {
  c.encode = brain ? indexOf(encodeBrain) : indexOf(encodeHalf);
  c.decode = brain ? indexOf(decodeBrain) : indexOf(decodeHalf);
  c.bindQuery = brain ? indexOf(bindBrain) : indexOf(bindHalf);
  c.bindSlot = indexOf(bindSlot);
  c.sound = indexOf(soundRow);
  c.screen = 0;
  c.column = column;
  c.ownBytes = rowBytes(state().dimensions);
}

/** IEEE 754 binary16 of the bits of an f32, to the nearest, ties to even. */
function toHalf(value: f32): u32 {
  const bits = reinterpret<u32>(min(max(value, -LARGEST_F16), LARGEST_F16));
  const sign = bits >> 16 & 0x8000;
  const magnitude = bits & 0x7fffffff;
  // Below 2^-14 f16 has a fixed step of 2^-24: the sum with 2^-1 lets f32 round to it.
  if (magnitude < 0x38800000) return sign | reinterpret<u32>(reinterpret<f32>(magnitude) + 0.5) - 0x3f000000;
  return sign | magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1) >> 13;
}

@unmanaged @final class Half {
  /** The sign is spread over what is masked away; a product moves the exponent, and normalises the smallest values. */
  @inline group(r: usize, bytes: usize, p: usize): v128 {
    const spread = i32x4.shl(v128.load16x4_s(r + (p >> 1)), 13);
    return f32x4.mul(v128.and(spread, i32x4.splat(0x8fffe000)), i32x4.splat(0x77800000)); // 2^112
  }
  @inline value(r: usize, bytes: usize, p: usize): f32 { return half(load<u16>(r + (p >> 1))); }
  @inline from(value: f32): u32 { return toHalf(value); }
}

@inline function half(h: u32): f32 {
  const magnitude = reinterpret<f32>((h & 0x7fff) << 13) * reinterpret<f32>(0x77800000);
  return h & 0x8000 ? -magnitude : magnitude;
}

@unmanaged @final class Brain {
  @inline group(r: usize, bytes: usize, p: usize): v128 { return i32x4.shl(v128.load16x4_u(r + (p >> 1)), 16); }
  @inline value(r: usize, bytes: usize, p: usize): f32 { return brain(load<u16>(r + (p >> 1))); }
  @inline from(value: f32): u32 { return toBrain(value); }
}

@inline function brain(b: u32): f32 { return reinterpret<f32>(b << 16); }
@inline function toBrain(value: f32): u32 {
  const bits = reinterpret<u32>(value);
  return bits + 0x7fff + (bits >> 16 & 1) >> 16;
}

function encodeHalf(c: Codec, slot: u32, vector: usize): void { encodeWith<Half>(c, slot, vector); }
function encodeBrain(c: Codec, slot: u32, vector: usize): void { encodeWith<Brain>(c, slot, vector); }
function decodeHalf(c: Codec, slot: u32, out: usize): void { decodeWith<Half>(c, slot, out); }
function decodeBrain(c: Codec, slot: u32, out: usize): void { decodeWith<Brain>(c, slot, out); }

@inline function encodeWith<R>(c: Codec, slot: u32, vector: usize): void {
  const d = state().dimensions;
  const row = nodes().at(c.column, slot);
  const r = changetype<R>(0);
  for (let i: u32 = 0; i < d; i++) {
    const v = load<f32>(vector + (i << 2));
    store<u16>(row + (i << 1), <u16>r.from(v));
  }
  memory.fill(row + (d << 1), 0, halfRowBytes(d) - (d << 1));
}

@inline function decodeWith<R>(c: Codec, slot: u32, out: usize): void {
  const row = nodes().at(c.column, slot);
  const r = changetype<R>(0);
  for (let p: usize = 0, end: usize = state().dimensions << 2; p < end; p += 4) store<f32>(out + p, r.value(row, 0, p));
}

function soundRow(c: Codec, slot: u32): bool {
  const row = nodes().at(c.column, slot);
  const d = state().dimensions;
  for (let p: usize = d << 1, end: usize = halfRowBytes(d); p < end; p += 2) if (load<u16>(row + p)) return false;
  const whole = layout().prepared;
  call_indirect<void>(c.decode, c, slot, whole);
  const squared = squaredNorm(whole, d);
  return isOfUnits() ? squared == 0 || abs(squared - 1) < ROUNDING : isLength(squared);
}

function bindHalf(c: Codec, s: Scorer, vector: usize): void {
  bindKernel<Half>(s);
  bindTo(c, s, vector);
}
function bindBrain(c: Codec, s: Scorer, vector: usize): void {
  bindKernel<Brain>(s);
  bindTo(c, s, vector);
}

function bindTo(c: Codec, s: Scorer, vector: usize): void {
  s.query = <u32>vector;
  s.queryBytes = rowBytes(state().dimensions);
  s.column = c.column;
}

function bindSlot(c: Codec, s: Scorer, slot: u32): void {
  const d = state().dimensions;
  call_indirect<void>(c.decode, c, slot, <usize>s.own);
  memory.fill(s.own + (d << 2), 0, rowBytes(d) - (d << 2));
  call_indirect<void>(c.bindQuery, c, s, <usize>s.own);
}
