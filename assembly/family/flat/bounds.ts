// One byte per value beside each f32 row, and what that byte loses: enough to prove of nearly every row that it is too far,
// from a quarter of the bytes that its distance would take. The codes are locally adaptive (Aguerrebere et al. 2023,
// arXiv 2304.04759); pruning by an approximation and a bound on its error is the VA-file's (Weber, Schek, Blott 1998).
//
// A row x stands as x' = m + t (c - mean(c)), c of 0 to 127, a query q as q' = a + s Q, integers Q of sum 0 and at most 127
// (63 where RELAXED). So
//
//   |q' - x'|^2 = d (a - m)^2 + s^2 |Q|^2 + g^2 - 2 s t <Q, c>     g = |x' - m|
//   <q', x'>    = d a m + s t <Q, c>
//
// and with e >= |q - q'| and f >= |x - x'|, for l2, and halved for unit vectors under cosine,
//
//   |q - x| >= |q' - x'| - e - f
//
// and for dot, where a is the mean of q but for rounding,
//
//   <q, x> <= <q', x'> + |q| f + e g + |sum(q) - d a| |m|
//
// What is answered is the exact kernel's f32 number K, so the bound must hold for that. u = 2^-24.
//   - The kernel adds d / 16 terms in each lane and then five times: |K - real| <= (d / 16 + 8) u times the sum of the terms'
//     sizes, which is |q - x|^2 itself or at most |q| |x|. `slack` is (d / 16 + 32) u, the rest for the f32 steps here.
//   - |q' - x'|^2 is a sum of four terms, each within 6 u of itself, in three additions: off by no more than 2^-19 of
//     d (a - m)^2 + s^2 |Q|^2 + g^2, which bounds the fourth. KEEP takes that off, and off every root and product after it.
//   - e and f are computed in f64 and raised by 2^-20 of themselves and 2^-45 of what they are the difference of, f also by
//     what rounding m may have moved it.
//   - The squared length of a unit vector is off by less than 2^-20; a row that is not so (a file may hold one) gets f =
//     Infinity, and is never passed over. A zero row is at 1, its bound at 1/2 or less.
//   - TINY, added to e, f and squares, is more than all that is lost below the least normal f32.
//   - <Q, c> is exact: |Q| <= 127, c <= 127, d <= 65536 keep it below 2^31.
//
// Codes lie in blocks of their own, the other store, for a scan to read them in one stream: between the rows it took twice as
// long (fashion-mnist-784: 56 against 26 ns a row). Per 16 slots, as many as there are registers for their sums:
//   per four values 16 x [4 u8], an even number of times; then 16 f32 each of m, t, g, f
// They are not in the file: loading codes the rows anew.
import { RELAXED, SIMD, dotPairs } from "../../base/simd";
import { alloc } from "../../memory/arena";
import { isOfUnits, isSigned, squareShare } from "../../memory/metrics";
import { state } from "../../memory/state";
import { COLUMN_CODE, FREE, layout, nodes, stageOf, upper } from "../../table/nodes";
import { squaredNorm, sumOf } from "../../kernel/metric";

const CODES: u32 = 0; // the column
const BLOCK: u32 = 16;
const BLOCK_BYTES: usize = 64; // one word of each
const FACTORS: u32 = 4;
const LARGEST_CODE: f64 = 127;
/** One less than what fits, for the sum to be brought to 0. Two products of 63 x 127 twice fit an i16. */
const LARGEST_UNIT: i32 = RELAXED ? 62 : 126;
/** What |Q| may come to in one lane, so that 256 x 127 times as much fits an i32. */
const MOST_UNITS: u32 = 66051;
/** So many words never come to more: 4 x 128 x 127. */
const SURE_WORDS: u32 = 128;
const SMALLEST: f64 = 1.401298464324817e-45; // the least f32 above 0
const MEAN_OFF: f64 = 1.1920928955078125e-7; // 2^-23: m is rounded
const TINY: f64 = 7.888609052210118e-31; // 2^-100
const RAISE: f64 = 1 + 9.5367431640625e-7; // 2^-20
const KEEP: f32 = 1 - 1.9073486328125e-6; // 2^-19
const UNIT: f64 = 9.5367431640625e-7; // 2^-20

/** The query at hand. `words` x 8 bytes for its integers follow. */
@unmanaged class Question {
  lanes: u64;    // in 4 x i16: 1 where RELAXED, else 255, the first and third byte of a word
  words: u32;
  chunk: u32;    // words summed in one lane
  mean: f32;     // a
  along: f32;    // d; dot: d a
  square: f32;   // s^2 |Q|^2; dot: nothing
  step: f32;     // 2 s; dot: s
  error: f32;    // e; dot: how often f counts
  spread: f32;   // dot: how often g counts
  level: f32;    // dot: how often |m| counts
  scale: f32;    // l2, cosine: bound = scale * (...)^2 + bias; dot: bias - ...
  bias: f32;

  @inline units(): usize { return changetype<usize>(this) + QUESTION_BYTES; }
}
const QUESTION_BYTES: usize = 64;

@inline function question(): Question { return changetype<Question>(layout().question); }
@inline function wordsOf(dimensions: u32): u32 { return (dimensions + 7) >> 3 << 1; }

/** Room for a query; false where memory cannot grow. */
export function openQuestion(): bool {
  layout().question = <u32>alloc(QUESTION_BYTES + (wordsOf(state().dimensions) << 3));
  return layout().question != 0;
}

/** The same, and the column. */
export function openPrefilter(): bool {
  upper().addColumn(0, wordsOf(state().dimensions) + FACTORS << 2); // a group's bytes are the 16 slots' together
  return openQuestion();
}

// ---- rows ---------------------------------------------------------------------------------------------------------

/** Codes every row, as a file or a copy has brought them. */
export function filterRows(): bool {
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) if (stageOf(slot) != FREE) filterRow(slot);
  return true;
}

/** The f32 row of a slot is coded. */
export function filterRow(slot: u32): void {
  const d = state().dimensions;
  const row = nodes().at(COLUMN_CODE, slot);
  const codes = upper().at(CODES, slot & ~(BLOCK - 1)) + ((slot & BLOCK - 1) << 2);
  const low = <f64>leastOf(row, d, 1), high = -<f64>leastOf(row, d, -1), span = high - low;
  // As sq8 has it: integers that span little lose nothing.
  const step = <f32>(span == 0 || (span <= LARGEST_CODE && areIntegers(row, d)) ? 1 : max(span / LARGEST_CODE, SMALLEST));
  const t = <f64>step, inverse = 1 / t;
  let sum: f64 = 0, squares: f64 = 0, error: f64 = 0; // the first two are exact
  let i: u32 = 0;
  if (SIMD) {
    const lows = f64x2.splat(low), steps = f64x2.splat(t), inverses = f64x2.splat(inverse), largest = f64x2.splat(LARGEST_CODE);
    let sums = f64x2.splat(0), products = sums, errors = sums;
    for (let to = codes; i + 4 <= d; i += 4, to += BLOCK_BYTES) {
      const v = v128.load(row + (i << 2));
      const a = f64x2.sub(f64x2.promote_low_f32x4(v), lows);
      const b = f64x2.sub(f64x2.promote_low_f32x4(v128.shuffle<f32>(v, v, 2, 3, 2, 3)), lows);
      const c = f64x2.pmin(largest, f64x2.nearest(f64x2.mul(a, inverses))), e = f64x2.pmin(largest, f64x2.nearest(f64x2.mul(b, inverses)));
      const lostA = f64x2.sub(a, f64x2.mul(steps, c)), lostB = f64x2.sub(b, f64x2.mul(steps, e));
      sums = f64x2.add(sums, f64x2.add(c, e));
      products = f64x2.add(products, f64x2.add(f64x2.mul(c, c), f64x2.mul(e, e)));
      errors = f64x2.add(errors, f64x2.add(f64x2.mul(lostA, lostA), f64x2.mul(lostB, lostB)));
      const whole = v128.shuffle<i32>(i32x4.trunc_sat_f64x2_s_zero(c), i32x4.trunc_sat_f64x2_s_zero(e), 0, 1, 4, 5);
      const shorts = i16x8.narrow_i32x4_s(whole, whole);
      v128.store32_lane(to, i8x16.narrow_i16x8_u(shorts, shorts), 0);
    }
    sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
    squares = f64x2.extract_lane(products, 0) + f64x2.extract_lane(products, 1);
    error = f64x2.extract_lane(errors, 0) + f64x2.extract_lane(errors, 1);
  }
  for (; i < d; i++) {
    const v = <f64>load<f32>(row + (i << 2)) - low;
    const code = min(nearest(v * inverse), LARGEST_CODE);
    const lost = v - t * code;
    sum += code;
    squares += code * code;
    error += lost * lost;
    store<u8>(codes + (i >> 2) * BLOCK_BYTES + (i & 3), <u8>code);
  }
  for (; i < wordsOf(d) << 2; i++) store<u8>(codes + (i >> 2) * BLOCK_BYTES + (i & 3), 0);
  const most = max(abs(low), abs(high));
  let f = raised(sqrt(error), most, d) + most * sqrt(<f64>d) * MEAN_OFF;
  if (isOfUnits()) {
    const square = squaredNorm(row, d);
    if (square != 0 && !(abs(square - 1) <= UNIT)) f = Infinity;
  }
  const factors = codes + wordsOf(d) * BLOCK_BYTES;
  store<f32>(factors, <f32>(low + t * (sum / <f64>d)));
  store<f32>(factors, step, BLOCK_BYTES);
  store<f32>(factors, <f32>(t * sqrt((squares * <f64>d - sum * sum) / <f64>d)), 2 * BLOCK_BYTES); // both products are exact
  store<f32>(factors, <f32>f, 3 * BLOCK_BYTES);
}

/** The least of d values times `sign`. */
function leastOf(p: usize, d: u32, sign: f32): f32 {
  let least: f32 = Infinity;
  const end = p + (<usize>d << 2);
  if (SIMD) {
    const signs = f32x4.splat(sign);
    let all = f32x4.splat(least);
    for (; p + 16 <= end; p += 16) all = f32x4.pmin(all, f32x4.mul(v128.load(p), signs));
    all = f32x4.pmin(all, v128.shuffle<f32>(all, all, 2, 3, 0, 1));
    least = min(f32x4.extract_lane(all, 0), f32x4.extract_lane(all, 1));
  }
  for (; p < end; p += 4) least = min(least, load<f32>(p) * sign);
  return least;
}

function areIntegers(p: usize, d: u32): bool {
  for (const end = p + (<usize>d << 2); p < end; p += 4) if (load<f32>(p) != nearest(load<f32>(p))) return false;
  return true;
}

/** What is surely no less than the length of d differences of values up to `largest`, which were computed in f64. */
@inline function raised(length: f64, largest: f64, d: u32): f64 {
  return length * RAISE + largest * sqrt(<f64>d) * 2.842170943040401e-14 + TINY; // 2^-45
}

// ---- the query ----------------------------------------------------------------------------------------------------

/** The query at `vector`, prepared. */
export function askPrefilter(vector: usize): void {
  const d = state().dimensions;
  const x = question();
  const words = wordsOf(d);
  const sum = sumOf(vector, d);
  const mean = <f32>(sum / <f64>d);
  let largest: f64 = 0, most: f64 = abs(<f64>mean);
  for (let i: u32 = 0; i < d; i++) {
    const v = <f64>load<f32>(vector + (i << 2));
    largest = max(largest, abs(v - <f64>mean));
    most = max(most, abs(v));
  }
  const step = <f32>max(largest / <f64>LARGEST_UNIT, SMALLEST);
  const s = <f64>step, a = <f64>mean;
  roundTo0(x, vector, d, a, s);
  let error: f64 = 0, square: f64 = 0;
  let units: u32 = 0;
  for (let i: u32 = 0; i < d; i++) {
    const unit = unitAt(x, i);
    const lost = <f64>load<f32>(vector + (i << 2)) - a - s * <f64>unit;
    error += lost * lost;
    square += <f64>(unit * unit);
    units += abs(unit);
  }
  if (SIMD && !RELAXED) packPairs(x, words);
  else packBytes(x, words);
  const slack = (<f64>d / 16 + 32) / 16777216;
  const e = raised(sqrt(error), most, d);
  x.lanes = RELAXED ? 0x0001000100010001 : 0x00ff00ff00ff00ff;
  x.words = words;
  x.chunk = units <= MOST_UNITS ? words : SURE_WORDS;
  x.mean = mean;
  if (isSigned()) {
    const length = raised(sqrt(squaredNorm(vector, d)), most, d) + e;
    x.along = <f32>(<f64>d * a);
    x.step = step;
    x.error = <f32>((1 + slack) * length * RAISE);
    x.spread = <f32>((e + slack * length) * RAISE);
    // a is not quite the mean
    x.level = <f32>((raised(abs(sum - <f64>d * a), most * <f64>d, d) + slack * length * sqrt(<f64>d)) * RAISE);
    x.bias = -<f32>TINY;
    return;
  }
  x.along = <f32>d;
  x.square = <f32>(s * s * square);
  x.step = 2 * step;
  x.error = <f32>(e * RAISE);
  x.scale = <f32>(squareShare() * (1 - slack));
  x.bias = -<f32>(isOfUnits() ? 2 * UNIT + slack : TINY);
}

// While it is made, the question has its integers as i16 in place of the pairs.
@inline function unitAt(x: Question, i: u32): i32 { return load<i16>(x.units() + (i << 1)); }
@inline function setUnit(x: Question, i: u32, unit: i32): void { store<i16>(x.units() + (i << 1), <i16>unit); }

/** The values less `a`, in units of s, as integers of sum 0: where rounding leaves another, some are rounded the other way. */
function roundTo0(x: Question, vector: usize, d: u32, a: f64, s: f64): void {
  let sum: i32 = 0;
  for (let i: u32 = 0, end = wordsOf(d) << 2; i < end; i++) {
    const unit = i < d ? <i32>nearest((<f64>load<f32>(vector + (i << 2)) - a) / s) : 0;
    setUnit(x, i, unit);
    sum += unit;
  }
  // First those that were rounded by a quarter or more; then all, again and again where a is far from the mean for its last bit.
  for (let least: f64 = 0.25; sum; least = -Infinity) {
    const by: i32 = sum > 0 ? 1 : -1;
    for (let i: u32 = 0; i < d && sum; i++) {
      const unit = unitAt(x, i);
      const rounded = <f64>unit - (<f64>load<f32>(vector + (i << 2)) - a) / s;
      if (rounded * <f64>by < least || unit * by < -LARGEST_UNIT) continue;
      setUnit(x, i, unit - by);
      sum -= by;
    }
  }
}

/** As i8, in place. */
function packBytes(x: Question, words: u32): void {
  for (let i: u32 = 0; i < words << 2; i++) store<i8>(x.units() + i, <i8>unitAt(x, i));
}

/**
 * For simd a word is two i16, the first of its bytes b0 + 256 b1: 256 (Q0 b0 + Q1 b1) = Q1 (b0 + 256 b1) + (256 Q0 - Q1) b0,
 * which saves a shift. Per word [Q1 i16][Q3 i16][256 Q0 - Q1 i16][256 Q2 - Q3 i16], in place.
 */
function packPairs(x: Question, words: u32): void {
  for (let p = x.units(), end = p + (words << 3); p < end; p += 8) {
    const q0 = <i32>load<i16>(p), q1 = <i32>load<i16>(p, 2), q2 = <i32>load<i16>(p, 4), q3 = <i32>load<i16>(p, 6);
    store<i16>(p, <i16>q1);
    store<i16>(p, <i16>q3, 2);
    store<i16>(p, <i16>((q0 << 8) - q1), 4);
    store<i16>(p, <i16>((q2 << 8) - q3), 6);
  }
}

// ---- bounds -------------------------------------------------------------------------------------------------------

/** Lower bounds of the 32 slots from `first` on to the query, to `out`; anything for a slot without a row. */
export function filterSlots(first: u32, out: usize): void {
  const x = question();
  for (let slot = first; slot < first + 32; slot += BLOCK, out += BLOCK_BYTES) {
    const group = upper().at(CODES, slot);
    sumProducts(x, group, out);
    const factors = group + x.words * BLOCK_BYTES;
    if (isSigned()) boundDots(x, factors, out);
    else boundSquares(x, factors, out);
  }
}

/** <Q, c> of 16 slots as i32. */
function sumProducts(x: Question, p: usize, out: usize): void {
  const first = x.units();
  if (RELAXED) {
    sumBytes(p, first, first + (x.words << 2), v128.load64_splat(changetype<usize>(x)), out);
  } else if (SIMD) {
    const lanes = v128.load64_splat(changetype<usize>(x));
    const chunk = <usize>x.chunk << 3;
    for (let i: usize = 0; i < BLOCK_BYTES; i += 16) v128.store(out + i, i32x4.splat(0));
    for (let q = first, end = q + (x.words << 3); q < end; q += chunk, p += chunk << 3) addPairs(p, q, min(q + chunk, end), lanes, out);
  } else {
    for (let i: usize = 0; i < BLOCK_BYTES; i += 4) {
      let sum: i32 = 0;
      for (let q = first, end = q + (x.words << 2), r = p + i; q < end; q += 4, r += BLOCK_BYTES) {
        sum += <i32>load<i8>(q) * <i32>load<u8>(r) + <i32>load<i8>(q, 1) * <i32>load<u8>(r, 1)
          + (<i32>load<i8>(q, 2) * <i32>load<u8>(r, 2) + <i32>load<i8>(q, 3) * <i32>load<u8>(r, 3));
      }
      store<i32>(out + i, sum);
    }
  }
}

// Functions of their own, for eight sums at once V8 takes more registers than there are: minilm-384, 10.2 ns a row.

/** simd: 7.9 ns. Adds the sums of the words from `q` to `end`. */
function addPairs(p: usize, q: usize, end: usize, low: v128, out: usize): void {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (; q < end; q += 8, p += BLOCK_BYTES) {
    const odd = v128.load32_splat(q), even = v128.load32_splat(q, 4);
    a = addPair(a, v128.load(p), odd, even, low);
    b = addPair(b, v128.load(p, 16), odd, even, low);
    c = addPair(c, v128.load(p, 32), odd, even, low);
    d = addPair(d, v128.load(p, 48), odd, even, low);
  }
  addTo(out, a);
  addTo(out + 16, b);
  addTo(out + 32, c);
  addTo(out + 48, d);
}
@inline function addPair(sum: v128, codes: v128, odd: v128, even: v128, low: v128): v128 {
  return i32x4.add(i32x4.add(sum, i32x4.dot_i16x8_s(v128.and(codes, low), even)), i32x4.dot_i16x8_s(codes, odd));
}
@inline function addTo(out: usize, sum: v128): void { v128.store(out, i32x4.add(v128.load(out), i32x4.shr_s(sum, 8))); }

/** relaxed: 4.6 ns. Products of two words are added before they are widened. */
function sumBytes(p: usize, q: usize, end: usize, ones: v128, out: usize): void {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (; q < end; q += 8, p += 2 * BLOCK_BYTES) {
    const first = v128.load32_splat(q), second = v128.load32_splat(q, 4);
    a = addBytes(a, v128.load(p), v128.load(p, 64), first, second, ones);
    b = addBytes(b, v128.load(p, 16), v128.load(p, 80), first, second, ones);
    c = addBytes(c, v128.load(p, 32), v128.load(p, 96), first, second, ones);
    d = addBytes(d, v128.load(p, 48), v128.load(p, 112), first, second, ones);
  }
  v128.store(out, a);
  v128.store(out, b, 16);
  v128.store(out, c, 32);
  v128.store(out, d, 48);
}
@inline function addBytes(sum: v128, codes: v128, next: v128, first: v128, second: v128, ones: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.add(dotPairs(first, codes), dotPairs(second, next)), ones));
}

/** l2 and cosine: scale (|q' - x'| - e - f)^2 + bias. */
function boundSquares(x: Question, factors: usize, out: usize): void {
  if (SIMD) {
    const zero = f32x4.splat(0), keep = f32x4.splat(KEEP), mean = f32x4.splat(x.mean);
    const along = f32x4.splat(x.along), square = f32x4.splat(x.square), step = f32x4.splat(x.step), error = f32x4.splat(x.error);
    const scale = f32x4.splat(x.scale), bias = f32x4.splat(x.bias), tiny = f32x4.splat(<f32>TINY);
    for (const end = out + BLOCK_BYTES; out < end; out += 16, factors += 16) {
      const off = f32x4.sub(mean, v128.load(factors));
      const g = v128.load(factors, 2 * BLOCK_BYTES);
      const sizes = f32x4.add(f32x4.mul(f32x4.mul(along, off), off), f32x4.add(square, f32x4.mul(g, g)));
      const products = f32x4.mul(v128.load(factors, BLOCK_BYTES), f32x4.convert_i32x4_s(v128.load(out)));
      const between = f32x4.sub(f32x4.sub(f32x4.mul(sizes, keep), f32x4.mul(step, products)), tiny);
      const errors = f32x4.add(error, v128.load(factors, 3 * BLOCK_BYTES));
      const root = f32x4.sub(f32x4.mul(f32x4.sqrt(f32x4.pmax(zero, between)), keep), errors);
      const least = f32x4.pmax(zero, root);
      v128.store(out, f32x4.add(f32x4.mul(f32x4.mul(least, least), scale), bias));
    }
    return;
  }
  for (const end = out + BLOCK_BYTES; out < end; out += 4, factors += 4) {
    const off = x.mean - load<f32>(factors);
    const g = load<f32>(factors, 2 * BLOCK_BYTES);
    const sizes = x.along * off * off + (x.square + g * g);
    const products = load<f32>(factors, BLOCK_BYTES) * <f32>load<i32>(out);
    const between = sizes * KEEP - x.step * products - <f32>TINY;
    const least = max(sqrt(max<f32>(between, 0)) * KEEP - (x.error + load<f32>(factors, 3 * BLOCK_BYTES)), 0);
    store<f32>(out, least * least * x.scale + x.bias);
  }
}

/** dot: -<q', x'> less all that it may lack. */
function boundDots(x: Question, factors: usize, out: usize): void {
  if (SIMD) {
    const along = f32x4.splat(x.along), step = f32x4.splat(x.step);
    const error = f32x4.splat(x.error), spread = f32x4.splat(x.spread), level = f32x4.splat(x.level), bias = f32x4.splat(x.bias);
    for (const end = out + BLOCK_BYTES; out < end; out += 16, factors += 16) {
      const m = v128.load(factors);
      const products = f32x4.mul(v128.load(factors, BLOCK_BYTES), f32x4.convert_i32x4_s(v128.load(out)));
      const dot = f32x4.add(f32x4.mul(along, m), f32x4.mul(step, products));
      const codes = f32x4.add(f32x4.mul(error, v128.load(factors, 3 * BLOCK_BYTES)), f32x4.mul(spread, v128.load(factors, 2 * BLOCK_BYTES)));
      const more = f32x4.add(codes, f32x4.mul(level, f32x4.abs(m)));
      v128.store(out, f32x4.sub(bias, f32x4.add(dot, more)));
    }
    return;
  }
  for (const end = out + BLOCK_BYTES; out < end; out += 4, factors += 4) {
    const m = load<f32>(factors);
    const products = load<f32>(factors, BLOCK_BYTES) * <f32>load<i32>(out);
    const codes = x.error * load<f32>(factors, 3 * BLOCK_BYTES) + x.spread * load<f32>(factors, 2 * BLOCK_BYTES);
    store<f32>(out, x.bias - (x.along * m + x.step * products + (codes + x.level * abs(m))));
  }
}
