// Lloyd's k-means over a sample of prepared rows, in slices that JS paces. It starts from a seeded sample of the points; a
// cell that loses all its points takes half of the largest one (as Faiss does): the two centres are one, moved apart a
// little. Most rounds look at the SHORT centres alone that were nearest to a point when it last saw all: 40,000 x 160 into 1,024 cells
// end .04 % above what rounds of all end at where rounds 1 and 3 are of all, .5 % where the first is. Under "dot" cells are directions: centres of unit length, points go to the largest dot (spherical k-means,
// Dhillon and Modha 2001).
import { NONE } from "../base/codes";
import { random64 } from "../base/random";
import { rowBytes } from "../base/sizes";
import { alloc } from "../memory/arena";
import { isSigned } from "../memory/metrics";
import { state } from "../memory/state";
import { addRow, scaleBy, squaredNorm } from "../kernel/metric";
import { NearestCentre, SHORT } from "../kernel/nearest-centre";

/** So many cells and fewer are looked at by every point in every round. */
const FEW: u32 = 4 * SHORT;
/** How far the halves of a split cell are moved apart. */
const APART: f32 = 1 / 1024;

@unmanaged export class KMeans {
  points: u32;
  n: u32;
  stride: u32;
  centres: u32; // NearestCentre
  rows: u32;    // k x stride
  sums: u32;    // k x stride, of the assigned points
  counts: u32;  // k x u32
  nearest: u32; // n x u32
  short: u32;   // n x SHORT u32: centres that each point looks at; 0: at all
  every: u32;   // one of so many points takes part
  scores: u32;  // n x f32
  squares: f64;   // sum of the points' squared lengths; 0 under dot
  objective: f64;
  before: f64;    // the objective of the round that ended last

  @inline centresOf(): NearestCentre { return changetype<NearestCentre>(this.centres); }
}

/** k <= n cells over n prepared rows; 0 where scratch cannot grow. */
export function kmeansOpen(points: usize, n: u32, k: u32): usize {
  const stride = rowBytes(state().dimensions);
  const at = alloc(offsetof<KMeans>());
  const rows = alloc(<usize>k * stride);
  const sums = alloc(<usize>k * stride);
  const counts = alloc(<usize>k << 2);
  const nearest = alloc(<usize>n << 2);
  const scores = alloc(<usize>n << 2);
  const short = k > FEW ? alloc(<usize>n * SHORT << 2) : 1;
  if (!at || !rows || !sums || !counts || !nearest || !scores || !short) return 0;
  const centres = NearestCentre.open(rows, k, stride);
  if (!centres) return 0;
  const km = changetype<KMeans>(at);
  km.points = <u32>points;
  km.n = n;
  km.stride = stride;
  km.centres = <u32>changetype<usize>(centres);
  km.rows = <u32>rows;
  km.sums = <u32>sums;
  km.counts = <u32>counts;
  km.nearest = <u32>nearest;
  km.scores = <u32>scores;
  km.short = k > FEW ? <u32>short : 0;
  seedCentres(km);
  kmeansTake(at, 1);
  return at;
}

/** From the next round on, one of `every` points takes part, of as many as there are centres at least; returns how many do. */
export function kmeansTake(at: usize, every: u32): u32 {
  const km = changetype<KMeans>(at);
  km.every = every;
  const stride: usize = km.stride;
  const n = km.n / every;
  km.squares = 0;
  if (!isSigned()) for (let i: u32 = 0; i < n; i++) km.squares += squaredNorm(km.points + <usize>(i * every) * stride, stride >> 2);
  beginRound(km);
  return n;
}

/** k different points: the first k of a seeded shuffle, made in the room of `nearest`. */
function seedCentres(km: KMeans): void {
  const k = km.centresOf().k;
  const order: usize = km.nearest;
  for (let i: u32 = 0; i < km.n; i++) store<u32>(order + (<usize>i << 2), i);
  for (let i: u32 = 0; i < k; i++) {
    const other = order + (<usize>(i + <u32>(random64(state().seed, i) % <u64>(km.n - i))) << 2);
    const at = order + (<usize>i << 2);
    const chosen = load<u32>(other);
    store<u32>(other, load<u32>(at));
    store<u32>(at, chosen);
    memory.copy(km.rows + <usize>i * km.stride, km.points + <usize>chosen * km.stride, km.stride);
  }
}

function beginRound(km: KMeans): void {
  const c = km.centresOf();
  if (isSigned()) for (let i: u32 = 0; i < c.k; i++) toUnitLength(c.rows + <usize>i * c.stride);
  c.measure(isSigned());
  memory.fill(km.sums, 0, <usize>c.k * km.stride);
  memory.fill(km.counts, 0, <usize>c.k << 2);
  km.objective = km.squares;
}

function toUnitLength(row: usize): void {
  const d = state().dimensions;
  const norm = squaredNorm(row, d);
  if (norm > 0) scaleBy(row, d, 1 / sqrt(norm));
}

/** Points from..to, of those that take part, find their centres: among all, or (`short`) those that were nearest when it was among all. */
export function kmeansAssign(at: usize, from: u32, to: u32, short: bool): void {
  const km = changetype<KMeans>(at);
  const c = km.centresOf();
  const stride: usize = km.stride;
  const apart = stride * km.every;
  const first = km.points + <usize>from * apart, nearest = km.nearest + (<usize>from << 2), scores = km.scores + (<usize>from << 2);
  const lists = km.short ? km.short + (<usize>from * SHORT << 2) : 0;
  if (!short || !lists) c.assignEvery(first, apart, to - from, nearest, scores, lists);
  else for (let i: usize = 0; i < to - from; i++) {
    store<f32>(scores + (i << 2), c.nearestOf(first + i * apart, lists + (i * SHORT << 2), nearest + (i << 2)));
  }
  for (let i: usize = 0; i < to - from; i++) {
    const cell = load<u32>(nearest + (i << 2));
    store<u32>(km.counts + (<usize>cell << 2), load<u32>(km.counts + (<usize>cell << 2)) + 1);
    addRow(km.sums + <usize>cell * stride, first + i * apart, stride);
    km.objective += load<f32>(scores + (i << 2));
  }
}

/** After all points: the centres move to their points' means. The sum of squared distances that was (dot: less the sum of dots). */
export function kmeansUpdate(at: usize): f64 {
  const km = changetype<KMeans>(at);
  const k = km.centresOf().k;
  const stride: usize = km.stride;
  for (let i: u32 = 0; i < k; i++) {
    const count = load<u32>(km.counts + (<usize>i << 2));
    if (!count) continue;
    memory.copy(km.rows + <usize>i * stride, km.sums + <usize>i * stride, stride);
    scaleBy(km.rows + <usize>i * stride, state().dimensions, 1 / <f64>count);
  }
  repairEmpty(km);
  km.before = km.objective;
  beginRound(km);
  return km.before;
}

/** Empty cells take halves of the largest, and the points of these look at both from now on. */
function repairEmpty(km: KMeans): void {
  const k = km.centresOf().k, n = km.n / km.every;
  const halves: usize = km.scores; // k x u32: who has taken half of a cell
  let some = false;
  for (let i: u32 = 0; i < k; i++) {
    if (load<u32>(km.counts + (<usize>i << 2))) continue;
    if (!some) memory.fill(halves, 0xff, <usize>k << 2);
    some = true;
    store<u32>(halves + (<usize>splitLargest(km, i) << 2), i);
  }
  for (let i: u32 = 0; some && km.short && i < n; i++) {
    const half = load<u32>(halves + (<usize>load<u32>(km.nearest + (<usize>i << 2)) << 2));
    if (half != NONE) lookAt(km.short + (<usize>i * SHORT << 2), load<u32>(km.nearest + (<usize>i << 2)), half);
  }
}

/** Puts a centre on a list, in place of any but one. */
function lookAt(list: usize, but: u32, centre: u32): void {
  for (let p = list; p < list + (SHORT << 2); p += 4) if (load<u32>(p) == centre) return;
  store<u32>(load<u32>(list) == but ? list + 4 : list, centre);
}

/** Returns the largest. */
function splitLargest(km: KMeans, empty: u32): u32 {
  let largest: u32 = 0, most: u32 = 0;
  for (let i: u32 = 0; i < km.centresOf().k; i++) {
    const count = load<u32>(km.counts + (<usize>i << 2));
    if (count <= most) continue;
    most = count;
    largest = i;
  }
  const a = km.rows + <usize>largest * km.stride, b = km.rows + <usize>empty * km.stride;
  for (let i: u32 = 0; i < state().dimensions; i++) {
    const v = load<f32>(a + (i << 2));
    const sign: f32 = i & 1 ? APART : -APART;
    store<f32>(a + (i << 2), v * (1 + sign));
    store<f32>(b + (i << 2), v * (1 - sign));
  }
  store<u32>(km.counts + (<usize>largest << 2), most >> 1);
  store<u32>(km.counts + (<usize>empty << 2), most - (most >> 1));
  return largest;
}
