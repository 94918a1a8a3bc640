// What JS calls, slice by slice, to train an index on a sample (src/base/training.ts has the order): the sample as prepared
// rows, what is left of it when the centres are taken away, and the codec's error on it.
import { CODEC_PQ, CODEC_RABITQ, KIND_IVF } from "../base/codes";
import { rowBytes } from "../base/sizes";
import { alloc, mark, reset } from "../memory/arena";
import { isSigned } from "../memory/metrics";
import { state } from "../memory/state";
import { layout } from "../table/nodes";
import { cellRow, centreRow, lessCentre, turnCentres } from "../kernel/centres";
import { scaleBy } from "../kernel/metric";
import { NearestCentre } from "../kernel/nearest-centre";
import { codeBytes, rotate } from "../kernel/rotation";
import { pqError } from "../codec/pq";
import { rabitqError } from "../codec/rabitq";
import { checkedNorm, inputBytes, prepare } from "../search/prepare";
import { KMeans } from "./kmeans";

/** Bytes from one prepared row of a sample to the next. */
export function sampleStride(): u32 { return rowBytes(state().dimensions); }
/** Bytes from one residual to the next. */
export function residualStride(): u32 { return codeBytes(); }

/** Input vectors from..to of a sample become prepared rows at `rows`. */
export function prepareSample(vectors: usize, rows: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const vector = vectors + <usize>i * inputBytes();
    prepare(vector, checkedNorm(vector), rows + <usize>i * sampleStride());
  }
}

/**
 * ivf: the finished centroids become the index's. Under dot they are directions; where codes are of what is left of a vector
 * beside its centroid, all get the mean length of the sample along them, which changes no list.
 */
export function takeCentres(km: usize): void {
  const k = changetype<KMeans>(km);
  const nlist = state().nlist;
  memory.copy(layout().cells, k.rows, <usize>nlist * sampleStride());
  if (!isSigned() || !layout().centres) return;
  const length = -k.before / <f64>k.n;
  if (length > 0) for (let i: u32 = 0; i < nlist; i++) scaleBy(cellRow(i), state().dimensions, length);
}

/** rabitq outside ivf: the mean of the sample. */
export function learnMean(rows: usize, n: u32): void {
  const mean = cellRow(0);
  memory.fill(mean, 0, sampleStride());
  for (let i: u32 = 0; i < n; i++) {
    for (let p: usize = 0; p < sampleStride(); p += 4) {
      store<f32>(mean + p, load<f32>(mean + p) + load<f32>(rows + <usize>i * sampleStride() + p));
    }
  }
  scaleBy(mean, state().dimensions, 1 / <f64>n);
}

/** What follows from the tables that were learned or loaded: rotated centres, their lengths. */
export function finishTables(): void {
  if (state().codec == CODEC_PQ || state().codec == CODEC_RABITQ) turnCentres();
  if (state().kind == KIND_IVF) changetype<NearestCentre>(layout().centroids).measure(isSigned());
}

/** Rows from..to of the sample, rotated and less their centres, to `out` + i * residualStride(). False: no scratch. */
export function takeResiduals(rows: usize, n: u32, out: usize): bool {
  const l = layout();
  const start = mark();
  const lists = alloc(<usize>n << 2);
  if (!lists) return false;
  memory.fill(lists, 0, <usize>n << 2);
  if (state().kind == KIND_IVF) changetype<NearestCentre>(l.centroids).assign(rows, n, lists, 0);
  for (let i: u32 = 0; i < n; i++) {
    const centre = l.centres ? centreRow(load<u32>(lists + (<usize>i << 2))) : 0;
    rotate(rows + <usize>i * sampleStride(), l.turned);
    lessCentre(l.turned, centre, out + <usize>i * residualStride());
  }
  reset(start);
  return true;
}

/** The sum of squared errors of n residuals, coded and decoded. */
export function residualError(residuals: usize, n: u32): f64 {
  let sum: f64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const r = residuals + <usize>i * residualStride();
    sum += state().codec == CODEC_PQ ? pqError(r) : rabitqError(r);
  }
  return sum;
}
