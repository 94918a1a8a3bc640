// Codes of a node's neighbours, kept beside the node: one sequential read and a fast-scan estimate the distances of all of
// them, where their rows lie anywhere in memory. RaBitQ seen from the node itself, as in SymphonyQG (Gou et al. 2024,
// arXiv 2411.12229): of r, neighbour less node, randomly rotated, the signs are kept, and
//
//   <q - u, r> is estimated as <q - u, sign(r)> |r|^2 / <r, sign(r)>, so that with u's own distance known
//   |q - v|^2 = |q - u|^2 + add + scale <q, sign(r)>   add = |r|^2 + 2 f <u, sign(r)>, scale = -2 f, f = |r|^2 / |r|_1
//
// Halved for cosine. Under dot what of q lies along u is known exactly, by c = <q, u> / |u|^2, and the signs tell of the rest alone:
//
//   <q, r> = c <u, r> + <q - c u, r>, so that with -<q, u> known
//   -<q, v> = -<q, u> (1 - add) + scale <q, sign(r)>   add = (f <u, sign(r)> - <u, r>) / |u|^2, scale = -f
//
// which files of before, whose add is 0, take for f <q, sign(r)> alone.
//
//   column, per 32 neighbours: [code dimensions / 4 nibbles x 16 bytes][add: 32 f32][scale: 32 f32]
//
// A link is encoded when it is made, and keeps its place while it lasts: an insertion turns about 2m rows for it.
import { SIMD, THREADS, sumF32 } from "../../base/simd";
import { align } from "../../base/sizes";
import { alloc } from "../../memory/arena";
import { isSigned, squareShare } from "../../memory/metrics";
import { state } from "../../memory/state";
import { GROUP, nibbleAt, setNibble } from "../../memory/store";
import { layout, nodes, upper } from "../../table/nodes";
import { Steps, fillTables, quantiseTables, sumGroup } from "../../kernel/lookup";
import { dotOf, squaredNorm, sumOf } from "../../kernel/metric";
import { codeBytes, codeDimensions, openRotation, rotate } from "../../kernel/rotation";
import { decode, exactCodec } from "../../codec/scorer";

const TAG_NEIGHBOURS: u32 = 0x7262686e; // "nhbr"
const TAG_UPPER_NEIGHBOURS: u32 = 0x72626e75; // "unbr"
/** Rotated rows kept while building in bulk. */
const MANY_BYTES: usize = 4 << 20;
const MOST_PAIRS: u32 = 1024;
/** In place of the first `add`, which is never NaN: the codes' place holds the node's own row, rotated (as long as 32 codes are). */
const ROTATED: u32 = 0x7fc0726f;
/** Threads: and it is being copied. */
const COPIED: u32 = 0x7fc0636f;
/** quantiseTables() needs no more before its tables. */
const FACTOR_BYTES: usize = GROUP << 3;
/** What |add| and |scale| may be, so that estimates stay finite or overflow to Infinity, never to NaN. */
const LARGEST: f64 = 1e38;

@inline function nibbles(): u32 { return codeDimensions() >> 2; }
@inline export function groupBytes(): usize { return (<usize>nibbles() << 4) + FACTOR_BYTES; }
/** Bytes of the codes of `links` neighbours. */
@inline export function codesBytes(links: u32): u32 { return (links + GROUP - 1) / GROUP * <u32>groupBytes(); }

@inline function groupOf(codes: usize, i: u32): usize { return codes + (i / GROUP) * groupBytes(); }
@inline function factorsOf(group: usize, i: u32): usize { return group + (nibbles() << 4) + ((i & GROUP - 1) << 2); }

/**
 * Rotated rows, in pairs: a slot's is in either place of its pair. One pair does for insertions; building in bulk, which
 * takes nodes near each other one after the other, has a thousand.
 */
@unmanaged class Turned {
  pairs: u32; // a power of two
  rows: u32;  // 2 x pairs x codeBytes(), behind the owners: 2 x pairs x u32, NONE where there is none
  inPlace: u32; // 1: some nodes of layer 0 have ROTATED rows in place of codes

  static bytes(pairs: u32): usize { return OWNERS_AT + align(pairs << 3, 64) + <usize>(pairs << 1) * codeBytes(); }

  open(pairs: u32): void {
    this.pairs = pairs;
    this.inPlace = 0;
    this.rows = <u32>(changetype<usize>(this) + OWNERS_AT + align(pairs << 3, 64));
    this.forget();
  }

  @inline forget(): void { memory.fill(this.owner(0), 0xff, this.pairs << 3); }
  @inline owner(place: u32): usize { return changetype<usize>(this) + OWNERS_AT + (place << 2); }
  @inline row(place: u32): usize { return this.rows + <usize>place * codeBytes(); }
}
const OWNERS_AT: usize = 64;

/** The query as codes are compared with it: lookup tables behind this, n x 16 f32 and then n x 16 u8 in steps. */
@unmanaged export class Guide extends Steps {
  nibbles: u32; // n
  tables: u32;  // those in steps
  shift: f32;   // what a sum of lookups lacks
  nearest: f32; // nearer than this to a node, the query's neighbours are not told apart by codes
}
const TABLES_AT: usize = 64;

@inline export function guide(): Guide { return changetype<Guide>(layout().guide); }

@inline function turned(): Turned { return changetype<Turned>(layout().turnedRows); }

/** Room for a query; false where memory cannot grow. */
export function openGuide(): bool {
  layout().guide = <u32>alloc(TABLES_AT + nibbles() * 80);
  return layout().guide != 0;
}

/** The same, the column and the rotation. */
export function openNeighbours(): bool {
  const l = layout();
  if (!openRotation()) return false;
  l.neighbours = nodes().addColumn(TAG_NEIGHBOURS, codesBytes(state().m << 1));
  upper().addColumn(TAG_UPPER_NEIGHBOURS, codesBytes(state().m));
  l.turnedRows = <u32>alloc(Turned.bytes(1));
  if (!l.turnedRows || !openGuide()) return false;
  turned().open(1);
  return true;
}

/** Rows are about to change. */
export function forgetTurned(): void { turned().forget(); }

/** Bytes of the scratch of openManyTurned. */
export function manyTurnedBytes(): usize { return Turned.bytes(manyPairs()); }
function manyPairs(): u32 {
  let pairs: u32 = 1;
  while (pairs < MOST_PAIRS && Turned.bytes(pairs << 1) <= MANY_BYTES) pairs <<= 1;
  return pairs;
}

/** More rotated rows, in scratch, for keepTurned(); 0 where it cannot grow. */
export function openManyTurned(): usize {
  const many = alloc(manyTurnedBytes());
  if (many) changetype<Turned>(many).open(manyPairs());
  return many;
}

/** Rotated rows are kept there from now on; where they were until now. `inPlace`: of layer 0 some lie in place of codes. */
export function keepTurned(at: usize, inPlace: bool): usize {
  const before: usize = layout().turnedRows;
  layout().turnedRows = <u32>at;
  turned().inPlace = <u32>inPlace;
  return before;
}

/** The row of a node of layer 0, rotated, in place of its codes. Building fashion-mnist-784 at once: 6.3 -> 5.8 s. */
export function turnInPlace(slot: u32): void {
  const place = nodes().at(layout().neighbours, slot);
  decode(exactCodec(), slot, place);
  rotate(place, place);
  store<u32>(factorsOf(place, 0), ROTATED);
}

/** The place of a node's codes is to be written; its rotated row is kept for the links that it packs now. */
export function leavePlace(codes: usize, slot: u32): void {
  turnedRow(slot, slot);
  if (THREADS && turned().inPlace) while (atomic.cmpxchg<u32>(factorsOf(codes, 0), ROTATED, 0) == COPIED) {}
}

/** False where the row is not in place of codes, or another thread is at it. */
function copyRotated(slot: u32, to: usize): bool {
  const place = nodes().at(layout().neighbours, slot);
  const mark = factorsOf(place, 0);
  if ((THREADS ? atomic.cmpxchg<u32>(mark, ROTATED, COPIED) : load<u32>(mark)) != ROTATED) return false;
  memory.copy(to, place, codeBytes());
  if (THREADS) atomic.store<u32>(mark, ROTATED);
  return true;
}

/** The rotated row of a slot; that of `other` is not overwritten. */
function turnedRow(slot: u32, other: u32): usize {
  const t = turned();
  let place = (slot & t.pairs - 1) << 1;
  if (load<u32>(t.owner(place)) == slot) return t.row(place);
  if (load<u32>(t.owner(place + 1)) == slot) return t.row(place + 1);
  if (load<u32>(t.owner(place)) == other) place++;
  store<u32>(t.owner(place), slot);
  const row = t.row(place);
  if (t.inPlace && copyRotated(slot, row)) return row;
  decode(exactCodec(), slot, row);
  rotate(row, row);
  return row;
}

/** No code of so many links is anything. */
export function clearNeighbours(codes: usize, links: u32): void { memory.fill(codes, 0, codesBytes(links)); }

/** `to` as `slot` sees it becomes the code at place i. */
export function packNeighbour(codes: usize, i: u32, slot: u32, to: u32): void {
  packRow(codes, i, turnedRow(slot, to), turnedRow(to, slot));
}

/** The rotated row `v` as the rotated row `u` sees it becomes the code at place i of a list. */
export function packRow(codes: usize, i: u32, u: usize, v: usize): void {
  const group = groupOf(codes, i);
  i &= GROUP - 1;
  const bytes: usize = codeBytes();
  let square: f32 = 0, length: f32 = 0, along: f32 = 0; // |r|^2, |r|_1, <u, sign(r)>
  if (SIMD) {
    const zero = f32x4.splat(0);
    let squares = zero, lengths = zero, alongs = zero;
    for (let p: usize = 0; p < bytes; p += 16) {
      const a = v128.load(u + p);
      const r = f32x4.sub(v128.load(v + p), a);
      const positive = f32x4.gt(r, zero);
      squares = f32x4.add(squares, f32x4.mul(r, r));
      lengths = f32x4.add(lengths, f32x4.abs(r));
      alongs = f32x4.add(alongs, v128.bitselect(a, f32x4.neg(a), positive));
      setNibble(group, i, <u32>(p >> 4), i32x4.bitmask(positive));
    }
    square = sumF32(squares);
    length = sumF32(lengths);
    along = sumF32(alongs);
  } else {
    let oddSquare: f32 = 0, oddLength: f32 = 0, oddAlong: f32 = 0;
    for (let lane: u32 = 0; lane < 4; lane++) {
      let s: f32 = 0, l: f32 = 0, g: f32 = 0;
      for (let p: usize = lane << 2; p < bytes; p += 16) {
        const a = load<f32>(u + p);
        const r = load<f32>(v + p) - a;
        const before = lane ? nibbleAt(group, i, <u32>(p >> 4)) : 0;
        s += r * r;
        l += abs(r);
        g += r > 0 ? a : -a;
        setNibble(group, i, <u32>(p >> 4), before | <u32>(r > 0) << lane);
      }
      if (lane & 1) {
        oddSquare = lane == 1 ? s : oddSquare + s;
        oddLength = lane == 1 ? l : oddLength + l;
        oddAlong = lane == 1 ? g : oddAlong + g;
      } else {
        square = lane ? square + s : s;
        length = lane ? length + l : l;
        along = lane ? along + g : g;
      }
    }
    square += oddSquare;
    length += oddLength;
    along += oddAlong;
  }
  const dot = isSigned();
  const half = squareShare();
  const f: f64 = length > 0 ? <f64>square / <f64>length : 0;
  const factors = factorsOf(group, i);
  store<f32>(factors, bounded(dot ? beside(u, v, f * <f64>along) : half * (<f64>square + 2 * f * <f64>along)));
  store<f32>(factors, bounded(dot ? -f : -2 * half * f), GROUP << 2);
}

/** Of two rotated rows, by how much `along` is more than <u, v - u>, in |u|^2; 0 where u is a zero. */
function beside(u: usize, v: usize, along: f64): f64 {
  const square = <f64>squaredNorm(u, codeDimensions());
  return square > 0 ? 1 + (along - <f64>dotOf(u, v, <u32>codeBytes())) / square : 0;
}

@inline function bounded(x: f64): f32 { return <f32>min(max(x, -LARGEST), LARGEST); }

/** The code at place `from` of a list becomes that at place `to` of another, or of the same. */
export function copyCode(source: usize, from: u32, target: usize, to: u32): void {
  const group = groupOf(source, from), into = groupOf(target, to);
  let p = group + (from & 15), q = into + (to & 15);
  const down = from >> 2 & 4, up = to >> 2 & 4, others = 0xf0 >> up;
  for (const end = p + (nibbles() << 4); p < end; p += 16, q += 16) {
    store<u8>(q, <u8>(<u32>load<u8>(q) & others | (<u32>load<u8>(p) >> down & 15) << up));
  }
  const factors = factorsOf(group, from), places = factorsOf(into, to);
  store<f32>(places, load<f32>(factors));
  store<f32>(places, load<f32>(factors, GROUP << 2), GROUP << 2);
}

/** The prepared query becomes the guide's. */
export function bindNeighbours(): void {
  const turned = layout().turned;
  const g = guide();
  const n = nibbles();
  const tables = changetype<usize>(g) + TABLES_AT;
  rotate(layout().prepared, turned);
  fillTables(turned, n, tables);
  g.nibbles = n;
  g.tables = <u32>tables + (n << 6);
  quantiseTables(tables, n, g.tables, g);
  // <q, sign> = 2 sum(q where the sign is positive) - sum(q)
  g.shift = 2 * g.least - <f32>sumOf(turned, codeDimensions());
  g.nearest = leastDistance(blur(g));
}

/** What rounding of the tables moves <q, sign(r)> by, standard deviation. */
export function blur(g: Guide): f32 { return 2 * g.step * sqrt(<f32>g.nibbles / 12); }

/**
 * Nearer to a node than this, a query is not seen sharply enough: blur(), `error`, is to be no more than half of what the signs
 * themselves leave open of <q, sign(r)>, sqrt(1 - 2 / pi) |q - u|. Under dot no node is too near: nothing but rows would tell more.
 */
function leastDistance(error: f32): f32 {
  if (isSigned()) return -Infinity;
  const least = error / <f32>0.3;
  return least * least * <f32>squareShare();
}

/** Estimates for the 32 neighbours of a group, to `out`; the node itself is at `distance`. */
export function scoreNeighbours(g: Guide, group: usize, distance: f32, out: usize): void {
  const n = g.nibbles;
  const factors = group + (n << 4);
  sumGroup(group, g.tables, n, 2 * g.step, out, false);
  const times: f32 = isSigned() ? -distance : 1;
  if (SIMD) {
    const shift = f32x4.splat(g.shift), own = f32x4.splat(distance), each = f32x4.splat(times);
    for (let i: usize = 0; i < GROUP << 2; i += 16) {
      const change = f32x4.mul(v128.load(factors + i, GROUP << 2), f32x4.add(shift, v128.load(out + i)));
      v128.store(out + i, f32x4.add(own, f32x4.add(f32x4.mul(each, v128.load(factors + i)), change)));
    }
    return;
  }
  for (let i: usize = 0; i < GROUP << 2; i += 4) {
    const change = load<f32>(factors + i, GROUP << 2) * (g.shift + load<f32>(out + i));
    store<f32>(out + i, distance + (times * load<f32>(factors + i) + change));
  }
}

/** How much each of a group's estimates goes by its code. */
@inline export function scalesOf(group: usize): usize { return group + (<usize>nibbles() << 4) + (GROUP << 2); }

/** What lies below 32 estimates by so many times their scales, to `out`. */
export function lowerBounds(estimates: usize, scales: usize, error: f32, out: usize): void {
  for (let i: usize = 0; i < GROUP << 2; i += 16) {
    if (SIMD) {
      const slack = f32x4.mul(f32x4.splat(error), f32x4.abs(v128.load(scales + i)));
      v128.store(out + i, f32x4.sub(v128.load(estimates + i), slack));
    } else for (let j = i; j < i + 16; j += 4) store<f32>(out + j, load<f32>(estimates + j) - error * abs(load<f32>(scales + j)));
  }
}
