// What a metric is: a row of properties. Everything else asks for these, and compares no number with METRIC_*, so that a new
// metric is a row here, one in src/words/kinds.ts and the kernel that it adds up with.
import { ALL, CODED, METRICS, METRIC_COSINE, METRIC_DOT, METRIC_HAMMING, METRIC_L1, METRIC_L2 } from "../base/codes";
import { state } from "./state";

// Each row has one of these: what its kernels add up.
const SQUARES: u32 = 1;     // squared differences: the number is their sum
const DOTS: u32 = 2;        // products: the number is a bias less their sum
const BITS: u32 = 4;        // differing bits, of vectors that are bits
const DIFFERENCES: u32 = 8; // absolute differences, in the full builds alone: the number is their sum
// And any of these.
const UNIT: u32 = 16;       // rows and queries are brought to unit length; the rows' own length is kept beside them
const SIGNED: u32 = 32;     // long vectors are near to everything: no number is the least, and it may be below 0

const L2: u32 = SQUARES;
const COSINE: u32 = DOTS | UNIT;
const DOT: u32 = DOTS | SIGNED;
const HAMMING: u32 = BITS;
const L1: u32 = DIFFERENCES;

/** The metrics that have a property, one bit each. */
@inline function having(property: u32): u32 {
  return u32((L2 & property) != 0) << METRIC_L2 | u32((COSINE & property) != 0) << METRIC_COSINE
    | u32((DOT & property) != 0) << METRIC_DOT | u32((HAMMING & property) != 0) << METRIC_HAMMING
    | u32((L1 & property) != 0) << METRIC_L1;
}

/** Whether the index's metric is one of them; where they are one, a comparison is the shortest code. */
@inline function isOneOf(metrics: u32): bool {
  return popcnt(metrics) == 1 ? state().metric == ctz(metrics) : (metrics >> state().metric & 1) != 0;
}

if ((having(SQUARES) ^ having(DOTS) ^ having(BITS) ^ having(DIFFERENCES)) != (1 << METRICS) - 1) ERROR("a metric adds up one thing");

@inline export function addsSquares(): bool { return isOneOf(having(SQUARES)); }
@inline export function isOfBits(): bool { return CODED && isOneOf(having(BITS)); }
@inline export function isOfUnits(): bool { return isOneOf(having(UNIT)); }
@inline export function isSigned(): bool { return isOneOf(having(SIGNED)); }

/** Of numbers: one of these, by what the metric adds up. Another thing to add up is another value to give everywhere. */
@inline export function byKernel<T>(squares: T, differences: T, dots: T): T {
  return addsSquares() ? squares : ALL && isOneOf(having(DIFFERENCES)) ? differences : dots;
}
/** Whether it adds up absolute differences. */
@inline export function addsDifferences(): bool { return ALL && byKernel<bool>(false, true, false); }
/** Of numbers: whether the metric follows from dots and lengths. */
@inline export function followsFromDots(): bool { return !ALL || byKernel<bool>(true, false, true); }
/** Where it does: how often a squared distance counts in it, as -<q, v> = (|q - v|^2 - |q|^2 - |v|^2) / 2. */
@inline export function squareShare(): f64 { return addsSquares() ? 1 : 0.5; }
