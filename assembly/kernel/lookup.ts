// Distances as sums of table lookups: what pq and rabitq have in common. A code is a row of nibbles, and a bound query is
// a table of 16 f32 per nibble (or, pq with 8 bits, of 256 per byte). Two ways to add up:
//
//   rows, a slot's bytes together: tables of 256 f32 per byte, one scalar lookup each; wasm has no gather.
//   groups, packed by 32 slots (store.ts, NIBBLES): tables of 16 u8 that fit a register, 32 lookups in two swizzles.
//     Fast-scan: Andre et al. 2017 (Quick ADC), Faiss IndexPQFastScan. The u8 tables are scaled so that no two
//     neighbouring nibbles can add up to more than 255: two steps are added in u8 and widened to u16 once.
import { SIMD, lookup } from "../base/simd";

/** How bytes of quantised tables stand for distances: a sum of lookups is least + step * (sum of u8). */
@unmanaged export class Steps {
  step: f32;
  least: f32;
}

/** Nibbles whose u16 sums cannot overflow: 255 per two of them. */
const CHUNK: u32 = 512;
const LOW_NIBBLES: usize = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15], 16);

/** Added to a small f32, this leaves the nearest integer in the low bits. */
const ROUND: f32 = 12582912; // 1.5 * 2^23

/** Table i: the sums of every choice of q's four values from 4 i on. */
export function fillTables(q: usize, n: u32, tables: usize): void {
  for (let i: u32 = 0; i < n; i++, q += 16, tables += 64) {
    const a = load<f32>(q), b = load<f32>(q, 4), c = load<f32>(q, 8), d = load<f32>(q, 12);
    if (SIMD) {
      const low = f32x4(0, 0, 0, 0);
      const four = f32x4.replace_lane(f32x4.replace_lane(f32x4.replace_lane(low, 1, a), 2, b), 3, a + b);
      const cc = f32x4.splat(c), dd = f32x4.splat(d);
      v128.store(tables, four);
      v128.store(tables, f32x4.add(four, cc), 16);
      v128.store(tables, f32x4.add(four, dd), 32);
      v128.store(tables, f32x4.add(f32x4.add(four, cc), dd), 48);
    } else {
      for (let v: u32 = 0; v < 16; v++) {
        store<f32>(tables + (v << 2), (v & 1 ? a : 0) + (v & 2 ? b : 0) + (v & 4 ? c : 0) + (v & 8 ? d : 0));
      }
    }
  }
}

/** n (a multiple of 4) tables of 16 f32 become u8: `steps` says for what. */
export function quantiseTables(tables: usize, n: u32, out: usize, steps: Steps): void {
  let least: f32 = 0, widest: f32 = 0;
  for (let i: u32 = 0; i < n; i += 2) {
    const two = rangeOf(tables + (i << 6), out + (i << 4)) + rangeOf(tables + (i << 6) + 64, out + (i << 4) + 16);
    least += load<f32>(out + (i << 4)) + load<f32>(out + (i << 4), 16);
    widest = max(widest, two);
  }
  const step: f32 = widest > 0 ? widest / 254 : 1; // 254 + 2 x the half that rounding adds = 255
  steps.least = least;
  steps.step = step;
  const perStep: f32 = 1 / step;
  for (const end = out + (n << 4); out < end; out += 16, tables += 64) {
    if (SIMD) {
      const low = v128.load(out), per = f32x4.splat(perStep);
      const a = i16x8.narrow_i32x4_s(units(v128.load(tables), low, per), units(v128.load(tables, 16), low, per));
      const b = i16x8.narrow_i32x4_s(units(v128.load(tables, 32), low, per), units(v128.load(tables, 48), low, per));
      v128.store(out, i8x16.narrow_i16x8_u(a, b));
    } else {
      const low = load<f32>(out);
      for (let j: u32 = 0; j < 16; j++) store<u8>(out + j, <u8>nearest((load<f32>(tables + (j << 2)) - low) * perStep));
    }
  }
}

@inline function units(values: v128, low: v128, perStep: v128): v128 {
  const rounded = f32x4.add(f32x4.mul(f32x4.sub(values, low), perStep), f32x4.splat(ROUND));
  return i32x4.sub(rounded, i32x4.splat(reinterpret<i32>(ROUND)));
}

/** The range of 16 values; the least is left at `low`, in four lanes. */
@inline function rangeOf(t: usize, low: usize): f32 {
  if (SIMD) {
    const a = v128.load(t), b = v128.load(t, 16), c = v128.load(t, 32), d = v128.load(t, 48);
    let least = f32x4.pmin(f32x4.pmin(a, b), f32x4.pmin(c, d));
    let most = f32x4.pmax(f32x4.pmax(a, b), f32x4.pmax(c, d));
    least = f32x4.pmin(least, v128.shuffle<f32>(least, least, 2, 3, 0, 1));
    most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 2, 3, 0, 1));
    least = f32x4.pmin(least, v128.shuffle<f32>(least, least, 1, 0, 3, 2));
    most = f32x4.pmax(most, v128.shuffle<f32>(most, most, 1, 0, 3, 2));
    v128.store(low, least);
    return f32x4.extract_lane(f32x4.sub(most, least), 0);
  }
  let least = load<f32>(t), most = least;
  for (let p = t + 4; p < t + 64; p += 4) {
    least = min(least, load<f32>(p));
    most = max(most, load<f32>(p));
  }
  store<f32>(low, least);
  return most - least;
}

/** The sums of 32 slots over n (a multiple of 4) packed nibbles, times `weight`, to 32 f32 at `out`, or added to them. */
export function sumGroup(codes: usize, tables: usize, n: u32, weight: f32, out: usize, add: bool): void {
  for (let from: u32 = 0; from < n; from += CHUNK) {
    const bytes = <usize>min(CHUNK, n - from) << 4;
    const c = codes + (<usize>from << 4), t = tables + (<usize>from << 4);
    if (SIMD) sumChunk(c, t, bytes, weight, out, add);
    else for (let slot: u32 = 0; slot < 32; slot++) {
      let sum: u32 = 0;
      const shift = slot >> 2 & 4;
      for (let p: usize = 0; p < bytes; p += 16) sum += load<u8>(t + p + (<u32>load<u8>(c + p + (slot & 15)) >> shift & 15));
      store<f32>(out + (slot << 2), (add ? load<f32>(out + (slot << 2)) : 0) + weight * <f32>sum);
    }
    add = true;
  }
}

function sumChunk(c: usize, t: usize, bytes: usize, weight: f32, out: usize, add: bool): void {
  const nibble = v128.load(LOW_NIBBLES);
  // u16 lanes: both bytes as they are, even + 256 * odd; and the odd bytes alone. Slots 0..15, and 16..31.
  let all0 = i16x8.splat(0), odd0 = all0, all1 = all0, odd1 = all0;
  for (const end = c + bytes; c < end; c += 32, t += 32) {
    const v = v128.load(c), w = v128.load(c, 16);
    const x = v128.load(t), y = v128.load(t, 16);
    const low = i8x16.add(lookup(x, v128.and(v, nibble)), lookup(y, v128.and(w, nibble)));
    all0 = i16x8.add(all0, low);
    odd0 = i16x8.add(odd0, i16x8.shr_u(low, 8));
    const high = i8x16.add(lookup(x, v128.and(i16x8.shr_u(v, 4), nibble)), lookup(y, v128.and(i16x8.shr_u(w, 4), nibble)));
    all1 = i16x8.add(all1, high);
    odd1 = i16x8.add(odd1, i16x8.shr_u(high, 8));
  }
  const even0 = i16x8.sub(all0, i16x8.shl(odd0, 8)), even1 = i16x8.sub(all1, i16x8.shl(odd1, 8));
  const w = f32x4.splat(weight);
  putEight(v128.shuffle<u16>(even0, odd0, 0, 8, 1, 9, 2, 10, 3, 11), w, out, add);
  putEight(v128.shuffle<u16>(even0, odd0, 4, 12, 5, 13, 6, 14, 7, 15), w, out + 32, add);
  putEight(v128.shuffle<u16>(even1, odd1, 0, 8, 1, 9, 2, 10, 3, 11), w, out + 64, add);
  putEight(v128.shuffle<u16>(even1, odd1, 4, 12, 5, 13, 6, 14, 7, 15), w, out + 96, add);
}

@inline function putEight(sums: v128, weight: v128, out: usize, add: bool): void {
  let low = f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(sums)), weight);
  let high = f32x4.mul(f32x4.convert_i32x4_u(i32x4.extend_high_i16x8_u(sums)), weight);
  if (add) {
    low = f32x4.add(low, v128.load(out));
    high = f32x4.add(high, v128.load(out, 16));
  }
  v128.store(out, low);
  v128.store(out, high, 16);
}

/** n (even) tables of 16 become n / 2 tables of 256, one per byte of a row: low nibble first. */
export function pairTables(tables: usize, n: u32, out: usize): void {
  for (let i: u32 = 0; i < n; i += 2) {
    const first = tables + (i << 6), second = first + 64;
    for (let high: u32 = 0; high < 16; high++, out += 64) {
      const h = load<f32>(second + (high << 2));
      if (SIMD) {
        const hh = f32x4.splat(h);
        v128.store(out, f32x4.add(v128.load(first), hh));
        v128.store(out, f32x4.add(v128.load(first, 16), hh), 16);
        v128.store(out, f32x4.add(v128.load(first, 32), hh), 32);
        v128.store(out, f32x4.add(v128.load(first, 48), hh), 48);
      } else for (let low: u32 = 0; low < 16; low++) store<f32>(out + (low << 2), load<f32>(first + (low << 2)) + h);
    }
  }
}

/** The sum of one row's lookups, a table of 256 f32 per byte, in the order of the bytes. */
@inline export function sumBytes(tables: usize, row: usize, bytes: u32): f32 {
  let sum: f32 = 0;
  for (const end = row + bytes; row < end; row++, tables += 1024) sum += load<f32>(tables + (<usize>load<u8>(row) << 2));
  return sum;
}

/** The same of four rows side by side, so that sums do not wait for each other, to 4 x f32. */
@inline export function sumBytes4(tables: usize, r0: usize, r1: usize, r2: usize, r3: usize, bytes: u32, out: usize): void {
  let a: f32 = 0, b: f32 = 0, c: f32 = 0, d: f32 = 0;
  const end = r0 + bytes;
  for (const end4 = r0 + (bytes & ~3); r0 < end4; r0 += 4, r1 += 4, r2 += 4, r3 += 4, tables += 4096) {
    const v = load<u32>(r0), w = load<u32>(r1), x = load<u32>(r2), y = load<u32>(r3);
    a += load<f32>(tables + (v << 2 & 1020));
    b += load<f32>(tables + (w << 2 & 1020));
    c += load<f32>(tables + (x << 2 & 1020));
    d += load<f32>(tables + (y << 2 & 1020));
    a += load<f32>(tables + (v >> 6 & 1020), 1024);
    b += load<f32>(tables + (w >> 6 & 1020), 1024);
    c += load<f32>(tables + (x >> 6 & 1020), 1024);
    d += load<f32>(tables + (y >> 6 & 1020), 1024);
    a += load<f32>(tables + (v >> 14 & 1020), 2048);
    b += load<f32>(tables + (w >> 14 & 1020), 2048);
    c += load<f32>(tables + (x >> 14 & 1020), 2048);
    d += load<f32>(tables + (y >> 14 & 1020), 2048);
    a += load<f32>(tables + (v >> 22 & 1020), 3072);
    b += load<f32>(tables + (w >> 22 & 1020), 3072);
    c += load<f32>(tables + (x >> 22 & 1020), 3072);
    d += load<f32>(tables + (y >> 22 & 1020), 3072);
  }
  for (; r0 < end; r0++, r1++, r2++, r3++, tables += 1024) {
    a += load<f32>(tables + (<usize>load<u8>(r0) << 2));
    b += load<f32>(tables + (<usize>load<u8>(r1) << 2));
    c += load<f32>(tables + (<usize>load<u8>(r2) << 2));
    d += load<f32>(tables + (<usize>load<u8>(r3) << 2));
  }
  store<f32>(out, a);
  store<f32>(out, b, 4);
  store<f32>(out, c, 8);
  store<f32>(out, d, 12);
}
