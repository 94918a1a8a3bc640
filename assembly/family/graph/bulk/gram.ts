// Dots of many rows with many, in whole numbers: rows of i16 (whole.ts), eight products by one pmaddwd, twice what fused f32
// lanes give and the same bits in every build. Blocks of 2 rows x 4 columns stay in registers: 56e9 products a second on one core.
//
//   rows, in quads: [8 values of row 0][of row 1][of row 2][of row 3] [the next 8 of row 0] ...
//
// A row is no longer than LONGEST, so that a squared distance fits i32: (2 x (23000 + rounding))^2 < 2^31.
import { SIMD, sumI32 } from "../../../base/simd";

export const LONGEST: f64 = 23000;
/** Columns that stay in L1 while all rows pass: 16 x 784 i16 = 24.5 KiB. */
const TILE: u32 = 16;

/** Bytes of a quad of rows of so many values. */
@inline export function quadBytes(width: u32): usize { return (<usize>width + 7 >> 3) << 6; }

/** Where the 8 values of a row from value 8 * chunk on are. */
@inline export function chunkOf(rows: usize, quad: usize, row: u32, chunk: u32): usize {
  return rows + (row >> 2) * quad + (<usize>chunk << 6) + ((row & 3) << 4);
}

/** n rows, a multiple of 4, with their squared lengths (i32); out: n x n i32 squared distances, 0 on the diagonal. */
export function squaresAmong(rows: usize, quad: usize, n: u32, norms: usize, out: usize): void { among(rows, quad, n, norms, out, false); }

/**
 * The same of sums of absolute differences, for l1, 0 on the diagonal: twice the steps of dots. Rows are no longer than half of LONGEST, so that a
 * difference fits i16.
 */
export function differencesAmong(rows: usize, quad: usize, n: u32, out: usize): void { among(rows, quad, n, 0, out, true); }

@inline function among(rows: usize, quad: usize, n: u32, norms: usize, out: usize, differences: bool): void {
  const pitch = <usize>n << 2;
  for (let tile: u32 = 0; tile < n; tile += TILE) {
    const end = min(tile + TILE, n);
    for (let i = tile; i < n; i += 2) {
      const last = min(end, (i & ~3) + 4);
      for (let j = tile; j < last; j += 4) {
        const across = out + i * pitch + (j << 2), down = out + j * pitch + (i << 2);
        sumsOfBlock(chunkOf(rows, quad, i, 0), chunkOf(rows, quad, j, 0), quad, across, pitch, differences);
        if (differences) mirror(across, down, pitch);
        else toSquares(norms + (i << 2), norms + (j << 2), across, down, pitch);
      }
    }
  }
}

/** A quad of rows against n, a multiple of 4; out: 4 x n i32. */
export function dotsBetween(four: usize, rows: usize, quad: usize, n: u32, out: usize): void {
  const pitch = <usize>n << 2;
  for (let i: u32 = 0; i < 4; i += 2) {
    for (let j: u32 = 0; j < n; j += 4) sumsOfBlock(chunkOf(four, quad, i, 0), chunkOf(rows, quad, j, 0), quad, out + i * pitch + (j << 2), pitch, false);
  }
}

/** Two rows at p against four at q: dots, or sums of absolute differences. */
@inline function sumsOfBlock(p: usize, q: usize, quad: usize, out: usize, pitch: usize, differences: bool): void {
  if (!SIMD) {
    for (let r: usize = 0; r < 2; r++) for (let c: usize = 0; c < 4; c++) {
      const row = p + (r << 4), column = q + (c << 4);
      store<i32>(out + r * pitch + (c << 2), differences ? differenceOf(row, column, quad) : dotOf(row, column, quad));
    }
    return;
  }
  const zero = i32x4.splat(0);
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
  for (const end = q + quad; q < end; p += 64, q += 64) {
    const a = v128.load(p), b = v128.load(p, 16);
    const c0 = v128.load(q), c1 = v128.load(q, 16), c2 = v128.load(q, 32), c3 = v128.load(q, 48);
    a0 = i32x4.add(a0, inPairs(a, c0, differences));
    b0 = i32x4.add(b0, inPairs(b, c0, differences));
    a1 = i32x4.add(a1, inPairs(a, c1, differences));
    b1 = i32x4.add(b1, inPairs(b, c1, differences));
    a2 = i32x4.add(a2, inPairs(a, c2, differences));
    b2 = i32x4.add(b2, inPairs(b, c2, differences));
    a3 = i32x4.add(a3, inPairs(a, c3, differences));
    b3 = i32x4.add(b3, inPairs(b, c3, differences));
  }
  v128.store(out, sumFour(a0, a1, a2, a3));
  v128.store(out + pitch, sumFour(b0, b1, b2, b3));
}

/** Products of eight values, or their absolute differences, added up two by two. */
@inline function inPairs(a: v128, b: v128, differences: bool): v128 {
  return differences ? i32x4.dot_i16x8_s(i16x8.abs(i16x8.sub(a, b)), i16x8.splat(1)) : i32x4.dot_i16x8_s(a, b);
}

/** Of two rows within their quads, without SIMD. */
function differenceOf(p: usize, q: usize, quad: usize): i32 {
  let sum: i32 = 0;
  for (let at: usize = 0; at < quad; at += 64) {
    for (let i: usize = at; i < at + 16; i += 2) sum += abs<i32>(<i32>load<i16>(p + i) - <i32>load<i16>(q + i));
  }
  return sum;
}

/** Two rows of four become four of two; on the diagonal both are the same place. */
@inline function mirror(across: usize, down: usize, pitch: usize): void {
  for (let r: usize = 0; r < 2; r++) {
    for (let c: usize = 0; c < 4; c++) store<i32>(down + c * pitch + (r << 2), load<i32>(across + r * pitch + (c << 2)));
  }
}

/** The dots of a block become squared distances, both ways. */
@inline function toSquares(rowNorms: usize, columnNorms: usize, across: usize, down: usize, pitch: usize): void {
  if (!SIMD) {
    for (let r: usize = 0; r < 2; r++) {
      for (let c: usize = 0; c < 4; c++) {
        const at = across + r * pitch + (c << 2);
        store<i32>(at, load<i32>(rowNorms + (r << 2)) + load<i32>(columnNorms + (c << 2)) - 2 * load<i32>(at));
      }
    }
    mirror(across, down, pitch);
    return;
  }
  const columns = v128.load(columnNorms);
  const first = square(v128.load32_splat(rowNorms), columns, v128.load(across));
  const second = square(v128.load32_splat(rowNorms, 4), columns, v128.load(across + pitch));
  v128.store(across, first);
  v128.store(across + pitch, second);
  const low = v128.shuffle<i32>(first, second, 0, 4, 1, 5), high = v128.shuffle<i32>(first, second, 2, 6, 3, 7);
  v128.store64_lane(down, low, 0);
  v128.store64_lane(down + pitch, low, 1);
  v128.store64_lane(down + 2 * pitch, high, 0);
  v128.store64_lane(down + 3 * pitch, high, 1);
}

@inline function square(row: v128, columns: v128, dots: v128): v128 {
  return i32x4.sub(i32x4.add(row, columns), i32x4.shl(dots, 1));
}

/** The sums of four vectors' lanes. */
@inline function sumFour(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

/** Of two rows within their quads. */
export function dotOf(p: usize, q: usize, quad: usize): i32 {
  if (SIMD) {
    let sum = i32x4.splat(0);
    for (const end = p + quad; p < end; p += 64, q += 64) sum = i32x4.add(sum, i32x4.dot_i16x8_s(v128.load(p), v128.load(q)));
    return sumI32(sum);
  }
  let sum: i32 = 0;
  for (let at: usize = 0; at < quad; at += 64) {
    for (let i: usize = at; i < at + 16; i += 2) sum += <i32>load<i16>(p + i) * <i32>load<i16>(q + i);
  }
  return sum;
}
