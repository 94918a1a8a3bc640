// pq: product quantisation (Jegou, Douze and Schmid 2011, doi:10.1109/TPAMI.2010.57). The code space is cut into m parts of
// equal length (the first ones longer by one where m does not divide it), each part of a vector becomes the number of its
// nearest of 256 or 16 learned centroids, and a query's distances to all of them are looked up and added (ADC).
//
//   8 bits: m bytes per row. 4 bits: nibbles, m rounded up to a multiple of 4, packed where a scan reads them (lookup.ts).
//   codebook: part after part, dimension after dimension, all centroids' values together (so kernels run across them)
//
// Under cosine a distance is |q - x|^2 / 2 of unit vectors, which is 1 - cos, and better than -<q, x> of a decoded row,
// whose length is not quite 1. `symmetric` rounds the query to its own code first (SDC).
import { random64, randomBelow } from "../base/random";
import { SIMD } from "../base/simd";
import { align, leastOf } from "../base/sizes";
import { alloc, mark, reset } from "../memory/arena";
import { addBlob } from "../memory/blobs";
import { isOfUnits, isSigned } from "../memory/metrics";
import { state } from "../memory/state";
import { nibbleAt, setNibble } from "../memory/store";
import { layout, nodes } from "../table/nodes";
import { centreOf, centreRow, lessCentre, plusCentre } from "../kernel/centres";
import { pairTables, quantiseTables, sumBytes, sumBytes4, sumGroup } from "../kernel/lookup";
import { codeBytes, codeDimensions, rotate, rotateBack } from "../kernel/rotation";
import { GROUP_BYTES, scoreByGroup } from "./packed";
import { Codec, Scorer, indexOf, walkScorer } from "./scorer";
import { touchRows } from "./touch";

const TAG_BOOK: u32 = 0x6b6f6f62; // "book"

@inline function eightBits(): bool { return state().codeBits == 8; }
/** Centroids per part. */
@inline export function centroids(): u32 { return 1 << state().codeBits; }
/** Parts as stored: with 4 bits a multiple of 4, the last ones always 0. */
@inline function storedParts(): u32 { return eightBits() ? state().pqM : <u32>align(state().pqM, 4); }
export function pqRowBytes(): u32 { return eightBits() ? state().pqM : storedParts() >> 1; }

/** First dimension of part j; partStart(m) is the end. */
@inline export function partStart(j: u32): u32 {
  const d = codeDimensions(), m = state().pqM;
  return j * (d / m) + min(j, d % m);
}
/** Where the values of all centroids for one dimension begin. */
@inline export function bookAt(dimension: u32): usize { return layout().model + (<usize>dimension << 2) * centroids(); }

export function openPq(): bool {
  layout().model = <u32>addBlob(TAG_BOOK, <usize>codeDimensions() * centroids() << 2);
  return layout().model != 0;
}

export function installPq(c: Codec, column: u32, packed: bool): void {
  c.encode = indexOf(encodeRow);
  c.decode = indexOf(decodeRow);
  c.bindQuery = indexOf(bindQuery);
  c.bindSlot = indexOf(bindSlot);
  c.bindList = state().residual ? indexOf(bindList) : 0;
  c.sound = indexOf(soundRow);
  c.screen = 0;
  c.column = column;
  c.groups = packed ? 1 : 0;
  // tables of f32, then what the kernel reads: u8 tables, or one table of 256 f32 per byte
  const tables = tableBytes();
  c.ownBytes = GROUP_BYTES + (eightBits() ? tables : tables + (packed ? tables >> 2 : pqRowBytes() << 10));
}

@inline function tableBytes(): u32 { return storedParts() * centroids() << 2; }

// ---- codes --------------------------------------------------------------------------------------------------------

@inline function readCode(c: Codec, slot: u32, j: u32): u32 {
  if (eightBits()) return load<u8>(nodes().at(c.column, slot) + j);
  if (c.groups) return nibbleAt(nodes().groupAt(c.column, slot), slot, j);
  return <u32>load<u8>(nodes().at(c.column, slot) + (j >> 1)) >> ((j & 1) << 2) & 15;
}

@inline function writeCode(c: Codec, slot: u32, j: u32, code: u32): void {
  if (eightBits()) {
    store<u8>(nodes().at(c.column, slot) + j, <u8>code);
    return;
  }
  if (c.groups) {
    setNibble(nodes().groupAt(c.column, slot), slot, j, code);
    return;
  }
  const p = nodes().at(c.column, slot) + (j >> 1);
  const shift = (j & 1) << 2;
  store<u8>(p, <u8>(<u32>load<u8>(p) & ~(15 << shift) | code << shift));
}

function encodeRow(c: Codec, slot: u32, vector: usize): void {
  const l = layout();
  rotate(vector, l.turned);
  lessCentre(l.turned, centreOf(slot), l.residual);
  // Memory is not cleared, and equal rows are to be equal byte for byte.
  for (let j: u32 = 0, m = state().pqM; j < storedParts(); j++) writeCode(c, slot, j, j < m ? nearestCode(l.residual, j) : 0);
}

/** The rotated vector that a slot's code stands for. */
function decodeTurned(c: Codec, slot: u32, out: usize): void {
  const l = layout();
  memory.fill(l.residual, 0, codeBytes());
  for (let j: u32 = 0; j < state().pqM; j++) putCentroid(l.residual, j, readCode(c, slot, j));
  plusCentre(l.residual, centreOf(slot), out);
}

/** Centroid `code` of part j becomes that part of `out`. */
function putCentroid(out: usize, j: u32, code: u32): void {
  for (let i = partStart(j), end = partStart(j + 1); i < end; i++) store<f32>(out + (i << 2), load<f32>(bookAt(i) + (code << 2)));
}

function decodeRow(c: Codec, slot: u32, out: usize): void {
  decodeTurned(c, slot, layout().turned);
  rotateBack(layout().turned, out);
}

function soundRow(c: Codec, slot: u32): bool { return true; } // every code is a centroid

/** The nearest centroid of part j; the lower number of equals. Uses the walk scorer's tables as room. */
function nearestCode(vector: usize, j: u32): u32 {
  const distances = walkScorer().own + GROUP_BYTES;
  fillTable(vector, j, false, distances);
  return leastOf(distances, centroids());
}

// ---- tables -------------------------------------------------------------------------------------------------------

/** The distances of part j of a vector to all its centroids: squared l2, or the negative dot. */
function fillTable(vector: usize, j: u32, dot: bool, out: usize): void {
  if (dot) fillWith<Negative>(vector, j, out);
  else fillWith<Squared>(vector, j, out);
}

@unmanaged @final class Squared {
  @inline add(sum: v128, q: v128, c: v128): v128 {
    const d = f32x4.sub(q, c);
    return f32x4.add(sum, f32x4.mul(d, d));
  }
  @inline addScalar(sum: f32, q: f32, c: f32): f32 { return sum + (q - c) * (q - c); }
}
@unmanaged @final class Negative {
  @inline add(sum: v128, q: v128, c: v128): v128 { return f32x4.sub(sum, f32x4.mul(q, c)); }
  @inline addScalar(sum: f32, q: f32, c: f32): f32 { return sum - q * c; }
}

@inline function fillWith<M>(vector: usize, j: u32, out: usize): void {
  const m = changetype<M>(0);
  const bytes: usize = centroids() << 2;
  const first = partStart(j);
  const q0 = vector + (first << 2), end = vector + (partStart(j + 1) << 2);
  const book = bookAt(first);
  if (SIMD) {
    for (let k: usize = 0; k < bytes; k += 32) {
      let a = f32x4.splat(0), b = a;
      let c = book + k;
      for (let q = q0; q < end; q += 4, c += bytes) {
        const v = v128.load32_splat(q);
        a = m.add(a, v, v128.load(c));
        b = m.add(b, v, v128.load(c, 16));
      }
      v128.store(out + k, a);
      v128.store(out + k, b, 16);
    }
    return;
  }
  for (let k: usize = 0; k < bytes; k += 4) {
    let sum: f32 = 0;
    let c = book + k;
    for (let q = q0; q < end; q += 4, c += bytes) sum = m.addScalar(sum, load<f32>(q), load<f32>(c));
    store<f32>(out + k, sum);
  }
}

function bindQuery(c: Codec, s: Scorer, vector: usize): void {
  rotate(vector, layout().turned);
  if (state().symmetric) pqRound(layout().turned);
  bindTurned(c, s, 0, 0);
}

function bindSlot(c: Codec, s: Scorer, slot: u32): void {
  decodeTurned(c, slot, layout().turned);
  bindTurned(c, s, 0, 0);
}

/** ivf: codes are of what is left of the centroid; under dot a list adds -<q, centroid>. */
function bindList(c: Codec, s: Scorer, list: u32, distance: f32): void {
  const dot = isSigned();
  bindTurned(c, s, dot ? 0 : centreRow(list), dot ? distance : 0);
}

function bindTurned(c: Codec, s: Scorer, centre: usize, bias: f32): void {
  const l = layout();
  const dot = isSigned();
  const k = centroids();
  const tables = s.own + GROUP_BYTES;
  lessCentre(l.turned, centre, l.residual);
  if (centre && state().symmetric) pqRound(l.residual);
  for (let j: u32 = 0; j < state().pqM; j++) fillTable(l.residual, j, dot, tables + (j * k << 2));
  for (let p = tables + (state().pqM * k << 2), end = tables + tableBytes(); p < end; p += 8) store<u64>(p, 0);
  s.column = c.column;
  s.bias = bias;
  s.scale = isOfUnits() ? 0.5 : 1;
  s.queryBytes = pqRowBytes();
  s.tables = <u32>tables;
  s.score = indexOf(scoreRows);
  s.groups = 0;
  if (eightBits()) return;
  s.tables += tableBytes();
  if (!c.groups) {
    pairTables(tables, storedParts(), s.tables);
    return;
  }
  quantiseTables(tables, storedParts(), s.tables, s.steps());
  s.bias += s.scale * s.tableLeast;
  s.scale *= s.step;
  s.score = indexOf(scoreByGroup);
  s.groups = indexOf(scoreGroup);
}

// ---- scores -------------------------------------------------------------------------------------------------------

function scoreRows(s: Scorer, slots: usize, n: u32, out: usize): void {
  const table = nodes();
  const column = table.column(s.column);
  const directory: usize = table.directory, shift = table.shift, mask = table.mask;
  const offset: usize = column.offset, stride: usize = column.stride;
  const tables: usize = s.tables;
  const bytes = s.queryBytes;
  const bias = s.bias, scale = s.scale;
  if (s.scattered) touchRows(table, s.column, slots, n, 0, stride);
  const end = slots + (n << 2), first = out;
  for (const end4 = slots + ((n & ~3) << 2); slots < end4; slots += 16, out += 16) {
    const s0 = load<u32>(slots), s1 = load<u32>(slots, 4), s2 = load<u32>(slots, 8), s3 = load<u32>(slots, 12);
    const r0 = <usize>load<u32>(directory + (s0 >> shift << 2)) + offset + (s0 & mask) * stride;
    const r1 = <usize>load<u32>(directory + (s1 >> shift << 2)) + offset + (s1 & mask) * stride;
    const r2 = <usize>load<u32>(directory + (s2 >> shift << 2)) + offset + (s2 & mask) * stride;
    const r3 = <usize>load<u32>(directory + (s3 >> shift << 2)) + offset + (s3 & mask) * stride;
    sumBytes4(tables, r0, r1, r2, r3, bytes, out);
  }
  for (; slots < end; slots += 4, out += 4) {
    const slot = load<u32>(slots);
    store<f32>(out, sumBytes(tables, <usize>load<u32>(directory + (slot >> shift << 2)) + offset + (slot & mask) * stride, bytes));
  }
  for (let p = first; p < out; p += 4) store<f32>(p, bias + scale * load<f32>(p));
}

/** 32 distances from the group's first slot on. */
function scoreGroup(s: Scorer, group: u32, out: usize): void {
  sumGroup(nodes().at(s.column, group), s.tables, s.queryBytes << 1, 1, out, false);
  if (SIMD) {
    const bias = f32x4.splat(s.bias), scale = f32x4.splat(s.scale);
    for (const end = out + 128; out < end; out += 16) v128.store(out, f32x4.add(bias, f32x4.mul(scale, v128.load(out))));
  } else for (const end = out + 128; out < end; out += 4) store<f32>(out, s.bias + s.scale * load<f32>(out));
}

// ---- training -----------------------------------------------------------------------------------------------------

/**
 * One round of k-means for part j over n residuals (n >= centroids), each `every` behind the one before; `first` starts from n / k-spaced
 * random ones.
 */
export function pqStep(residuals: usize, n: u32, every: u32, j: u32, first: bool): bool {
  const k = centroids();
  const dims = partStart(j + 1) - partStart(j);
  const start = mark();
  const sums = alloc(k * dims << 2), counts = alloc(k << 2);
  if (!sums || !counts) {
    reset(start);
    return false;
  }
  const apart: usize = codeBytes() * every;
  if (first) seedPart(residuals, n, apart, j);
  memory.fill(sums, 0, k * dims << 2);
  memory.fill(counts, 0, k << 2);
  const at = partStart(j) << 2;
  for (let i: u32 = 0; i < n; i++) {
    const r = residuals + <usize>i * apart;
    const code = nearestCode(r, j);
    store<u32>(counts + (code << 2), load<u32>(counts + (code << 2)) + 1);
    const sum = sums + (code * dims << 2);
    for (let p: u32 = 0; p < dims << 2; p += 4) store<f32>(sum + p, load<f32>(sum + p) + load<f32>(r + at + p));
  }
  for (let code: u32 = 0; code < k; code++) {
    const count = load<u32>(counts + (code << 2));
    for (let i: u32 = 0; count && i < dims; i++) setCentroid(j, i, code, load<f32>(sums + (code * dims + i << 2)) / <f32>count);
  }
  for (let code: u32 = 0; code < k; code++) if (!load<u32>(counts + (code << 2))) splitLargest(j, code, counts);
  reset(start);
  return true;
}

@inline function setCentroid(j: u32, i: u32, code: u32, value: f32): void { store<f32>(bookAt(partStart(j) + i) + (code << 2), value); }

function seedPart(residuals: usize, n: u32, apart: usize, j: u32): void {
  const k = centroids();
  for (let code: u32 = 0; code < k; code++) {
    const from = <u32>(<u64>code * n / k), to = <u32>(<u64>(code + 1) * n / k);
    const r = residuals + <usize>(from + randomBelow(random64(state().seed + 1, j), code, to - from)) * apart;
    for (let i: u32 = 0, dims = partStart(j + 1) - partStart(j); i < dims; i++) setCentroid(j, i, code, load<f32>(r + (partStart(j) + i << 2)));
  }
}

/** A centroid without points takes half of those of the one with most, as in kmeans.ts. */
function splitLargest(j: u32, empty: u32, counts: usize): void {
  let largest: u32 = 0;
  for (let code: u32 = 1; code < centroids(); code++) {
    if (load<u32>(counts + (code << 2)) > load<u32>(counts + (largest << 2))) largest = code;
  }
  for (let i: u32 = 0, dims = partStart(j + 1) - partStart(j); i < dims; i++) {
    const v = load<f32>(bookAt(partStart(j) + i) + (largest << 2));
    const apart: f32 = i & 1 ? 1 / 1024 : -1 / 1024;
    setCentroid(j, i, largest, v * (1 + apart));
    setCentroid(j, i, empty, v * (1 - apart));
  }
  const half = load<u32>(counts + (largest << 2)) >> 1;
  store<u32>(counts + (largest << 2), half);
  store<u32>(counts + (empty << 2), half);
}

/** The squared error of a residual, coded and decoded. */
export function pqError(residual: usize): f64 {
  const distances = walkScorer().own + GROUP_BYTES;
  let sum: f64 = 0;
  for (let j: u32 = 0; j < state().pqM; j++) sum += load<f32>(distances + (nearestCode(residual, j) << 2));
  return sum;
}

/** A residual becomes what its code stands for. */
export function pqRound(residual: usize): void {
  for (let j: u32 = 0; j < state().pqM; j++) putCentroid(residual, j, nearestCode(residual, j));
}
