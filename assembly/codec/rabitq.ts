// rabitq (Gao and Long 2024, arXiv 2405.12497; more bits: Gao et al. 2024, arXiv 2409.09913): what is left of a vector when
// its centre is taken away, randomly rotated, on a grid of 2^bits values per dimension. Nothing is learned but the centre,
// the estimate of a distance is unbiased, and how far it can be off is known.
//
//   r: rotated residual, u_i in 0 .. 2^B - 1 its code, v = u - (2^B - 1) / 2 what that points along
//   <q, r> is estimated as <q, v> |r|^2 / <v, r>; the error is below ERROR_SIGMAS deviations,
//   |q| |r| sqrt((1 - cos^2) / (cos^2 (D - 1))) each, with cos the cosine between v and r
//
//   code column: B planes of one bit per dimension, plane p holding bit p of every u, as nibbles of four dimensions
//   aux column:  [add f32][scale f32][error f32], so that distance = bias + add + scale * <q, v> and at least
//                that less error * |q|
//
// Distances are of q and x both seen from the centre c: l2: |q-c|^2 + |r|^2 - 2 <q-c, r>; cosine: half of it;
// dot: -<q, c> - <c, r> - <q-c, r>.
import { SIMD } from "../base/simd";
import { addBlob } from "../memory/blobs";
import { isSigned, squareShare } from "../memory/metrics";
import { state } from "../memory/state";
import { nibbleAt, setNibble } from "../memory/store";
import { layout, nodes } from "../table/nodes";
import { centreOf, centreRow, lessCentre, plusCentre } from "../kernel/centres";
import { fillTables, pairTables, quantiseTables, sumBytes, sumGroup } from "../kernel/lookup";
import { dotOf, squaredNorm, sumOf } from "../kernel/metric";
import { codeBytes, codeDimensions, rotate, rotateBack } from "../kernel/rotation";
import { GROUP_BYTES, scoreByGroup } from "./packed";
import { Codec, Scorer, indexOf } from "./scorer";
import { touchRows } from "./touch";

export const RABITQ_AUX_BYTES: u32 = 12;
/** epsilon_0 of the paper: one error in some 60 dimensions-independent draws is larger. */
const ERROR_SIGMAS: f64 = 1.9;
/** Grid sizes tried per row, for more than one bit. */
const GRIDS: u32 = 24;
/** From this many bits on the u8 tables of fast-scan are too coarse, and a second one holds what they lose. */
const FINE_BITS: u32 = 5;

@inline function bits(): u32 { return state().codeBits; }
/** Nibbles of one plane. */
@inline function planeNibbles(): u32 { return codeDimensions() >> 2; }
@inline function planeBytes(): u32 { return codeDimensions() >> 3; }
@inline function isFine(): bool { return bits() >= FINE_BITS; }
/** v = u - middle. */
@inline function middle(): f32 { return <f32>((1 << bits()) - 1) / 2; }

export function rabitqRowBytes(): u32 { return bits() * planeBytes(); }

export function installRabitq(c: Codec, column: u32, aux: u32, packed: bool): void {
  c.encode = indexOf(encodeRow);
  c.decode = indexOf(decodeRow);
  c.bindQuery = indexOf(bindQuery);
  c.bindSlot = indexOf(bindSlot);
  c.bindList = indexOf(bindList);
  c.sound = indexOf(soundRow);
  c.screen = 0;
  c.column = column;
  c.aux = aux;
  c.groups = packed ? 1 : 0;
  const tables = planeNibbles() << 6;
  c.ownBytes = GROUP_BYTES + tables + (packed ? tables >> 1 : planeBytes() << 10);
}

// ---- codes --------------------------------------------------------------------------------------------------------

@inline function auxOf(c: Codec, slot: u32, i: u32): usize { return nodes().floatAt(c.aux, slot, i); }

/** Nibble i of plane p. */
@inline function readNibble(c: Codec, slot: u32, p: u32, i: u32): u32 {
  if (c.groups) return nibbleAt(nodes().groupAt(c.column, slot), slot, p * planeNibbles() + i);
  return <u32>load<u8>(nodes().at(c.column, slot) + p * planeBytes() + (i >> 1)) >> ((i & 1) << 2) & 15;
}

@inline function writeNibble(c: Codec, slot: u32, p: u32, i: u32, value: u32): void {
  if (c.groups) {
    setNibble(nodes().groupAt(c.column, slot), slot, p * planeNibbles() + i, value);
    return;
  }
  const at = nodes().at(c.column, slot) + p * planeBytes() + (i >> 1);
  const shift = (i & 1) << 2;
  store<u8>(at, <u8>(<u32>load<u8>(at) & ~(15 << shift) | value << shift));
}

function encodeRow(c: Codec, slot: u32, vector: usize): void {
  const l = layout();
  const r: usize = l.residual;
  const centre = centreOf(slot);
  rotate(vector, l.turned);
  lessCentre(l.turned, centre, r);
  const perStep = bestGrid(r);
  let dot: f64 = 0, square: f64 = 0;
  const half = middle();
  for (let i: u32 = 0, n = planeNibbles(); i < n; i++) {
    const u0 = codeOf(r, 4 * i, perStep), u1 = codeOf(r, 4 * i + 1, perStep);
    const u2 = codeOf(r, 4 * i + 2, perStep), u3 = codeOf(r, 4 * i + 3, perStep);
    for (let p: u32 = 0; p < bits(); p++) {
      writeNibble(c, slot, p, i, (u0 >> p & 1) | (u1 >> p & 1) << 1 | (u2 >> p & 1) << 2 | (u3 >> p & 1) << 3);
    }
    const v0 = <f64>(<f32>u0 - half), v1 = <f64>(<f32>u1 - half), v2 = <f64>(<f32>u2 - half), v3 = <f64>(<f32>u3 - half);
    const at = r + (i << 4);
    dot += v0 * load<f32>(at) + v1 * load<f32>(at, 4) + (v2 * load<f32>(at, 8) + v3 * load<f32>(at, 12));
    square += v0 * v0 + v1 * v1 + (v2 * v2 + v3 * v3);
  }
  setAux(c, slot, centre, dot, square);
}

function setAux(c: Codec, slot: u32, centre: usize, dot: f64, square: f64): void {
  const r: usize = layout().residual;
  const norm = squaredNorm(r, codeDimensions());
  let scale: f64 = 0, error: f64 = 0;
  if (dot > 0) {
    const cos2 = min(dot * dot / (norm * square), 1.0);
    scale = norm / dot;
    error = ERROR_SIGMAS * sqrt(norm * (1 - cos2) / (cos2 * <f64>max(codeDimensions() - 1, 1)));
  }
  const factor = 2 * squareShare();
  const add: f64 = isSigned() ? (centre ? -<f64>dotOf(centre, r, codeBytes()) : 0) : norm * factor / 2;
  store<f32>(auxOf(c, slot, 0), <f32>add);
  store<f32>(auxOf(c, slot, 1), <f32>(-factor * scale));
  store<f32>(auxOf(c, slot, 2), <f32>(factor * error));
}

/** The grid (codes per unit) along which v comes nearest to the direction of r; one bit has only signs. */
function bestGrid(r: usize): f32 {
  if (bits() == 1) return 1;
  const d = codeDimensions();
  let largest: f32 = 0;
  for (let i: u32 = 0; i < d; i++) largest = max(largest, abs(load<f32>(r + (i << 2))));
  if (largest == 0) return 1;
  // A larger grid clips the largest values and resolves the others.
  const plain = (middle() + 0.5) / largest;
  let best = plain, bestCosine: f64 = -1;
  for (let g: u32 = 0; g < GRIDS; g++) {
    const perUnit = plain * (1 + 3 * <f32>g / <f32>GRIDS);
    const cosine = cosineOn(r, perUnit);
    if (cosine <= bestCosine) continue;
    bestCosine = cosine;
    best = perUnit;
  }
  return best;
}

/** <v, r> / |v|, v being r on a grid. */
function cosineOn(r: usize, perUnit: f32): f64 {
  const d = codeDimensions();
  const half = middle();
  let dot: f32 = 0, square: f32 = 0;
  for (let p = r, end = r + (d << 2); p < end; p += 4) {
    const x = load<f32>(p);
    const v = min(max(floor(x * perUnit), -half - 0.5), half - 0.5) + 0.5;
    dot += v * x;
    square += v * v;
  }
  return <f64>dot / sqrt(<f64>square);
}

/** v = floor(x * perUnit) + 1/2 within the grid: u counts its steps from the lowest. */
@inline function codeOf(r: usize, i: u32, perUnit: f32): u32 {
  const half = middle() + 0.5;
  return <u32>(min(max(floor(load<f32>(r + (i << 2)) * perUnit), -half), half - 1) + half);
}

/** The rotated vector that estimates speak of: centre + v |r|^2 / <v, r>. */
function decodeTurned(c: Codec, slot: u32, out: usize): void {
  const r: usize = layout().residual;
  const half = middle();
  const factor = <f32>(-0.5 / squareShare());
  const scale = load<f32>(auxOf(c, slot, 1)) * factor;
  for (let i: u32 = 0, n = planeNibbles(); i < n; i++) {
    for (let j: u32 = 0; j < 4; j++) {
      let u: u32 = 0;
      for (let p: u32 = 0; p < bits(); p++) u |= (readNibble(c, slot, p, i) >> j & 1) << p;
      store<f32>(r + (i << 4) + (j << 2), (<f32>u - half) * scale);
    }
  }
  plusCentre(r, centreOf(slot), out);
}

function decodeRow(c: Codec, slot: u32, out: usize): void {
  decodeTurned(c, slot, layout().turned);
  rotateBack(layout().turned, out);
}

function soundRow(c: Codec, slot: u32): bool {
  for (let i: u32 = 0; i < 3; i++) if (!(abs(load<f32>(auxOf(c, slot, i))) < Infinity)) return false;
  return load<f32>(auxOf(c, slot, 1)) <= 0 && load<f32>(auxOf(c, slot, 2)) >= 0;
}

// ---- queries ------------------------------------------------------------------------------------------------------

function bindQuery(c: Codec, s: Scorer, vector: usize): void {
  rotate(vector, layout().turned);
  bindToMean(c, s);
}

function bindSlot(c: Codec, s: Scorer, slot: u32): void {
  decodeTurned(c, slot, layout().turned);
  bindToMean(c, s);
}

function bindToMean(c: Codec, s: Scorer): void {
  const centre = centreRow(0);
  bindTurned(c, s, centre, isSigned() ? -dotOf(layout().turned, centre, codeBytes()) : 0);
}

/** ivf; under dot, `distance` is -<q, centroid>. */
function bindList(c: Codec, s: Scorer, list: u32, distance: f32): void { bindTurned(c, s, centreRow(list), distance); }

function bindTurned(c: Codec, s: Scorer, centre: usize, distance: f32): void {
  const l = layout();
  const q: usize = l.residual;
  const n = planeNibbles();
  lessCentre(l.turned, centre, q);
  const norm = squaredNorm(q, codeDimensions());
  s.norm = sqrt(norm);
  s.bias = isSigned() ? distance : <f32>(squareShare() * norm);
  s.column = c.column;
  s.aux = c.aux;
  s.planes = bits();
  s.queryBytes = planeBytes();
  // <q, v> = sum over planes of 2^p sum(q_i bit_i) - middle * sum(q_i)
  s.shift = <f32>(-<f64>middle() * sumOf(q, codeDimensions()));
  const tables = s.own + GROUP_BYTES;
  fillTables(q, n, tables);
  s.tables = <u32>tables + (n << 6);
  if (!c.groups) {
    pairTables(tables, n, s.tables);
    s.score = indexOf(scoreRows);
    s.groups = 0;
    return;
  }
  quantiseTables(tables, n, s.tables, s.steps());
  if (isFine()) quantiseRest(tables, n, s.tables, s);
  s.shift += <f32>((1 << bits()) - 1) * s.tableLeast;
  s.score = indexOf(scoreByGroup);
  s.groups = indexOf(scoreGroup);
}

/** A second set of u8 tables behind the first, for what rounding took from it, in 1/127 of its steps. */
function quantiseRest(tables: usize, n: u32, coarse: usize, s: Scorer): void {
  const fine = coarse + (n << 4);
  for (let i: u32 = 0; i < n; i++) {
    const t = tables + (i << 6);
    let low = load<f32>(t);
    for (let j: u32 = 1; j < 16; j++) low = min(low, load<f32>(t + (j << 2)));
    for (let j: u32 = 0; j < 16; j++) {
      const rest = (load<f32>(t + (j << 2)) - low) / s.step - <f32>load<u8>(coarse + (i << 4) + j); // -1/2 .. 1/2
      store<u8>(fine + (i << 4) + j, <u8>nearest(min(max(rest + 0.5, 0), 1) * FINE_STEPS));
    }
  }
}
/** Two fine values add up to 254. */
const FINE_STEPS: f32 = 127;

// ---- scores -------------------------------------------------------------------------------------------------------

/** <q, v> + middle sum(q) of one row: its planes, weighted. */
@inline function sumPlanes(s: Scorer, row: usize): f32 {
  let sum: f32 = 0, weight: f32 = 1;
  for (let p: u32 = 0; p < s.planes; p++, row += s.queryBytes, weight *= 2) sum += weight * sumBytes(s.tables, row, s.queryBytes);
  return sum;
}

function scoreRows(s: Scorer, slots: usize, n: u32, out: usize): void {
  const table = nodes();
  if (s.scattered) touchRows(table, s.column, slots, n, 0, table.column(s.column).stride);
  for (let i: u32 = 0; i < n; i++) {
    const slot = load<u32>(slots + (i << 2));
    const aux = table.at(s.aux, slot);
    const along = s.shift + sumPlanes(s, table.at(s.column, slot));
    store<f32>(out + (i << 2), s.bias + (load<f32>(aux) + load<f32>(aux, 4) * along));
  }
}

/** 32 distances from the group's first slot on; with s.bounds, lower bounds behind them. */
function scoreGroup(s: Scorer, group: u32, out: usize): void {
  const n = s.queryBytes << 1;
  const aux = nodes().at(s.aux, group);
  let codes = nodes().at(s.column, group);
  let weight = s.step;
  let shift = s.shift;
  for (let p: u32 = 0; p < s.planes; p++, codes += n << 4, weight *= 2) {
    sumGroup(codes, s.tables, n, weight, out, p > 0);
    if (!isFine()) continue;
    sumGroup(codes, s.tables + (n << 4), n, weight / FINE_STEPS, out, true);
    shift -= weight * 0.5 * <f32>n;
  }
  if (!SIMD) {
    for (let i: usize = 0; i < 128; i += 4) {
      const along = shift + load<f32>(out + i);
      const distance = s.bias + (load<f32>(aux + i) + load<f32>(aux + i, 128) * along);
      store<f32>(out + i, distance);
      if (s.bounds) store<f32>(out + i, distance - load<f32>(aux + i, 256) * <f32>s.norm, 128);
    }
    return;
  }
  const shifts = f32x4.splat(shift), bias = f32x4.splat(s.bias), norm = f32x4.splat(<f32>s.norm);
  for (let i: usize = 0; i < 128; i += 16) {
    const along = f32x4.add(shifts, v128.load(out + i));
    const distance = f32x4.add(bias, f32x4.add(v128.load(aux + i), f32x4.mul(v128.load(aux + i, 128), along)));
    v128.store(out + i, distance);
    if (s.bounds) v128.store(out + i, f32x4.sub(distance, f32x4.mul(v128.load(aux + i, 256), norm)), 128);
  }
}

/** The squared error of a residual, coded and decoded: |r|^2 (1 / cos^2 - 1). */
export function rabitqError(residual: usize): f64 {
  const perUnit = bestGrid(residual);
  let dot: f64 = 0, square: f64 = 0;
  for (let i: u32 = 0, d = codeDimensions(); i < d; i++) {
    const v = <f64>(<f32>codeOf(residual, i, perUnit) - middle());
    dot += v * load<f32>(residual + (i << 2));
    square += v * v;
  }
  const norm = squaredNorm(residual, codeDimensions());
  return dot > 0 ? norm * max(norm * square / (dot * dot) - 1, 0) : 0;
}
