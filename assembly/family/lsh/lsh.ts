// Locality-sensitive hashing: `trees` tables, each with a key of `hashBits` functions of the row.
//
//   cosine   the side of a random hyperplane, one bit (Charikar 2002, doi:10.1145/509907.509965)
//   dot      the same, of rows with one coordinate more that brings all of a range of lengths to one length; the query's is
//            0 (Neyshabur and Srebro 2015, arXiv 1410.5518; ranges: Yan et al. 2018, arXiv 1809.08782)
//   l2       the cell of a random projection, floor((a . x + b) / width) (Datar et al. 2004, doi:10.1145/997817.997857)
//   hamming  a sampled bit (Indyk and Motwani 1998, doi:10.1145/276698.276876)
//
// A key is the sum of cell x multiplier, mod 2^32: powers of two for bits, random odd numbers for cells, so that moving
// over a border changes the key by the multiplier; under dot the range's number is one more cell. Keys are saved; chains
// and bucket heads follow from them.
//
//   node store   keys: u32 x tables, chain: u32 x tables
//   upper store  one record per bucket: u32 x tables, the first slot, or NONE; never counted or saved
//   blob         [Tables][ranges][HashFunction x tables x bits][vector x tables x bits][one row]: from the seed, not saved
import { bitsetBytes, hasBit, setBit } from "../../base/bitset";
import { E_MEMORY, NONE, OK, PLAN_BUCKETS, PLAN_BUCKETS_THEN_SCAN } from "../../base/codes";
import { gaussian, random64, randomBelow, uniform } from "../../base/random";
import { align, rowBytes } from "../../base/sizes";
import { alloc, mark, reset } from "../../memory/arena";
import { addBlob } from "../../memory/blobs";
import { addsSquares, isOfBits, isSigned } from "../../memory/metrics";
import { state } from "../../memory/state";
import { chainAt, nextOf, unchain } from "../../table/chain";
import { COLUMN_CODE, LIVE, layout, nodes, stageOf, upper } from "../../table/nodes";
import { centreRow } from "../../kernel/centres";
import { L2, Plain, dotOf, squaredNorm, sumRow } from "../../kernel/metric";
import { codeDimensions } from "../../kernel/rotation";
import { decode, exactCodec, scanNominates, walkScorer } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { Gathering } from "../../search/gathering";
import { rowsToMeet, scanIsCheaper } from "../../search/planner";
import { publishReranked } from "../../search/rerank";
import { storeNew } from "../../search/rows";
import { publish, work } from "../../search/work";
import { Flat, flatSearch } from "../flat/flat";
import { Probes } from "./probes";

const TAG_KEYS: u32 = 0x7379656b; // "keys"
const TRANSIENT: u32 = 0;
const LEAST_BUCKETS: u32 = 32;
/** Live slots per bucket, at most. */
const LOAD: u64 = 2;

/** Cells per function are as wide as this share of hashBits times the distance of a neighbour (learnWidth). */
const WIDTH_SHARE: f64 = 0.2;
/** Vectors that the width is learned from, at most. */
const WIDTH_SAMPLE: u32 = 256;

/** dot: ranges of squared lengths, [2^r, 2^(r + 1)) for each exponent r of an f64. */
const RANGES: u32 = 2048;
const RANGE_MULTIPLIER: u32 = 0x9E3779B1;
/** Of a sum of a thousand products of f32. */
const ROUNDING: f64 = 6.103515625e-5; // 2^-14
/** Probes of one table, at most. */
const MOST_PROBES: u32 = 65536;

export class Lsh extends Flat {
  open(): bool { return openLsh(); }
  packs(): bool { return false; }
  reserve(n: u32, fresh: u32, gone: u32): bool { return reserveBuckets(n - gone) && super.reserve(n, fresh, gone); }
  restore(slots: u32): bool { return reserveBuckets(0); }
  room(slots: u32): usize { return lshRoom(slots); }
  compact(): bool { return super.compact() && linkLsh(); }
  link(): bool { return linkLsh(); }
  search(ask: Ask): i32 { return lshSearch(ask); }

  add(vectors: usize, ids: usize, lists: usize, n: u32): i32 {
    for (let i: u32 = 0; i < n; i++) insert(storeNew(vectors, ids, i, NONE));
    return OK;
  }

  remove(slot: u32): void {
    unlink(slot);
    super.remove(slot);
  }

  clear(): void {
    super.clear();
    clearTables();
  }
}

@unmanaged class Tables {
  buckets: u32; // a power of two; 0: no slot is chained
  pad: u32;
  // then a bitset of the ranges that rows have been in, RANGES bits
}

@unmanaged class HashFunction {
  multiplier: u32;
  offset: f32;   // l2: of the cells, in widths
  position: u32; // hamming: which bit of the row
  pad: u32;
}

@inline function tables(): Tables { return changetype<Tables>(layout().lists); }
@inline function tableCount(): u32 { return state().trees; }
@inline function functionCount(): u32 { return state().trees * state().hashBits; }

/** Values that hash functions look at, and their bytes. */
@inline function coordinates(): u32 { return state().dimensions + u32(isSigned()); }
@inline function vectorBytes(): u32 { return rowBytes(coordinates()); }
@inline function ranges(): usize { return layout().lists + offsetof<Tables>(); }
@inline function hashFunction(i: u32): HashFunction {
  return changetype<HashFunction>(ranges() + (RANGES >> 3) + i * offsetof<HashFunction>());
}
@inline function vectorAt(i: u32): usize {
  return align(changetype<usize>(hashFunction(functionCount())), 16) + <usize>i * vectorBytes();
}
@inline function keyAt(table: u32, slot: u32): usize { return nodes().at(layout().keys, slot) + (table << 2); }

/** Columns and hash functions; false where memory cannot grow. */
function openLsh(): bool {
  layout().keys = nodes().addColumn(TAG_KEYS, tableCount() << 2);
  layout().chain = nodes().addColumn(TRANSIENT, tableCount() << 2);
  upper().addColumn(TRANSIENT, tableCount() << 2);
  const bytes = offsetof<Tables>() + (RANGES >> 3) + functionCount() * offsetof<HashFunction>() + 16;
  layout().lists = <u32>addBlob(TRANSIENT, bytes + <usize>(isOfBits() ? 1 : functionCount() + 1) * vectorBytes());
  if (!layout().lists) return false;
  layout().row = <u32>vectorAt(isOfBits() ? 0 : functionCount());
  for (let i: u32 = 0; i < functionCount(); i++) drawFunction(i);
  return true;
}

function drawFunction(i: u32): void {
  const s = state();
  const f = hashFunction(i);
  const seed = random64(s.seed, i);
  const cells = addsSquares();
  f.multiplier = cells ? <u32>random64(seed, 0) | 1 : 1 << i % s.hashBits;
  f.offset = <f32>uniform(seed, 1);
  f.position = randomBelow(seed, 2, s.dimensions);
  if (isOfBits()) return;
  const scale = cells ? 1 / <f64>s.width : 1;
  const vector = vectorAt(i);
  for (let j: u32 = 0, n = coordinates(); j < n; j++) store<f32>(vector + (j << 2), <f32>(scale * gaussian(seed, j + 3)));
}

/**
 * The width of a cell for n rows, rowBytes(dimensions) apart. With hashBits x 0.2 of the mean distance from one of 256 rows
 * to its nearest among them (copies left out), 16 tables of 8 to 16 functions at 32 probes find .89 to .95 of the 10
 * nearest of siftsmall-128, words-glove-100 and mnist-784, among a tenth to a quarter of the rows.
 */
export function learnWidth(rows: usize, n: u32): f32 {
  const step = max(n / WIDTH_SAMPLE, 1), bytes: usize = rowBytes(state().dimensions);
  let sum: f64 = 0;
  let count: u32 = 0;
  for (let i: u32 = 0; i < n; i += step) {
    let least: f32 = Infinity;
    let isCopy = false;
    for (let j: u32 = 0; j < n; j += step) {
      const distance = sumRow<L2, Plain>(rows + i * bytes, rows + j * bytes, bytes);
      if (distance > 0) least = min(least, distance);
      else if (j < i) isCopy = true;
    }
    if (isCopy || least == Infinity) continue;
    sum += sqrt(<f64>least);
    count++;
  }
  return count ? <f32>(WIDTH_SHARE * <f64>state().hashBits * sum / <f64>count) : 1;
}

// ---- keys -----------------------------------------------------------------------------------------------------------

/** What a function makes of a row; under l2 in widths. */
@inline function valueOf(i: u32, row: usize): f32 {
  const f = hashFunction(i);
  if (isOfBits()) return hasBit(row, f.position) ? 1 : -1;
  const dot = dotOf(vectorAt(i), row, vectorBytes());
  return addsSquares() ? dot + f.offset : dot;
}

@inline function cellOf(value: f32): i32 { return addsSquares() ? <i32>floor(value) : i32(value >= 0); }

function keyOf(table: u32, row: usize): u32 {
  const bits = state().hashBits;
  let key: u32 = 0;
  for (let i = table * bits, end = i + bits; i < end; i++) key += cellOf(valueOf(i, row)) * hashFunction(i).multiplier;
  return key;
}

/** The same, with the steps over the borders next to the row. */
function keyAndSteps(table: u32, row: usize, probes: Probes): u32 {
  const bits = state().hashBits;
  let key: u32 = 0;
  probes.clear();
  for (let i: u32 = 0; i < bits; i++) {
    const multiplier = hashFunction(table * bits + i).multiplier;
    const value = valueOf(table * bits + i, row);
    const cell = cellOf(value);
    key += cell * multiplier;
    if (addsSquares()) {
      const below = value - floor(value), above: f32 = 1 - below;
      probes.add(i, below * below, -multiplier);
      probes.add(i, above * above, multiplier);
    } else probes.add(i, value * value, cell ? -multiplier : multiplier);
  }
  probes.begin();
  return key;
}

/** The prepared query as the functions see it; in the place of rows. */
function queryRow(): usize {
  if (isOfBits()) return layout().prepared;
  const row: usize = layout().row;
  memory.copy(row, layout().prepared, state().dimensions << 2);
  if (isSigned()) store<f32>(row + (state().dimensions << 2), 0);
  return row;
}

/** The slot's row as the functions see it. */
function slotRow(slot: u32): usize {
  if (isOfBits()) return nodes().at(COLUMN_CODE, slot);
  decode(exactCodec(), slot, layout().row);
  return layout().row;
}

function rangeOf(squaredLength: f64): u32 { return <u32>(reinterpret<u64>(squaredLength) >> 52); }
/** Rows of the range are shorter than the root of this. */
function rangeEnd(range: u32): f64 { return reinterpret<f64>(<u64>(range + 1) << 52); }

/** Completes a row to the length at the end of its range, and notes the range. */
function completeRow(row: usize): u32 {
  const d = state().dimensions;
  const norm = squaredNorm(row, d);
  const range = rangeOf(norm);
  setBit(ranges(), range);
  store<f32>(row + (d << 2), <f32>sqrt(rangeEnd(range) - norm));
  return range;
}

function setKeys(slot: u32): void {
  const row = slotRow(slot);
  const base = isSigned() ? completeRow(row) * RANGE_MULTIPLIER : 0;
  for (let table: u32 = 0; table < tableCount(); table++) store<u32>(keyAt(table, slot), base + keyOf(table, row));
}

// ---- buckets --------------------------------------------------------------------------------------------------------

/** The head of a key's bucket; the key is mixed as by murmur3's last step. */
@inline function headOf(table: u32, key: u32): usize {
  key = (key ^ key >> 16) * 0x85EBCA6B;
  key = (key ^ key >> 13) * 0xC2B2AE35;
  return upper().at(0, (key ^ key >> 16) & tables().buckets - 1) + (table << 2);
}

function bucketsFor(slots: u64): u32 {
  let buckets = LEAST_BUCKETS;
  while (buckets * LOAD < slots) buckets <<= 1;
  return buckets;
}

/** For n more vectors. */
function reserveBuckets(n: u32): bool { return upper().ensure(bucketsFor(<u64>state().live + n)) == OK; }

/** Enters a live slot, whose row is stored, into every table. */
function insert(slot: u32): void {
  setKeys(slot);
  if (state().live > tables().buckets * LOAD) chainAll();
  else chain(slot);
}

function chain(slot: u32): void {
  for (let table: u32 = 0; table < tableCount(); table++) chainAt(headOf(table, load<u32>(keyAt(table, slot))), table, slot);
}

/** Chains all live slots anew, in as many buckets as there should be. */
function chainAll(): void {
  const buckets = bucketsFor(state().live);
  tables().buckets = buckets;
  for (let i: u32 = 0; i < buckets; i++) memory.fill(upper().at(0, i), 0xff, tableCount() << 2);
  for (let slot: u32 = 0; slot < nodes().count; slot++) if (stageOf(slot) == LIVE) chain(slot);
}

/** Takes the slot out of every table. */
function unlink(slot: u32): void {
  for (let table: u32 = 0; table < tableCount(); table++) unchain(headOf(table, load<u32>(keyAt(table, slot))), table, slot);
}

function clearTables(): void {
  tables().buckets = 0;
  memory.fill(ranges(), 0, RANGES >> 3);
}

/** Builds the chains from the keys, after load or compaction; any key will do. Room is reserved. */
function linkLsh(): bool {
  clearTables();
  for (let slot: u32 = 0; isSigned() && slot < nodes().count; slot++) if (stageOf(slot) == LIVE) completeRow(slotRow(slot));
  chainAll();
  return true;
}

// ---- searching ------------------------------------------------------------------------------------------------------

/** Scratch of a search that says nothing of probes. */
function lshRoom(slots: u32): usize {
  const probes = min(state().effort, MOST_PROBES);
  return (<usize>tableCount() * (probes + 1) << 2) + Probes.bytes(probes) + bitsetBytes(slots);
}

/** The keys to look up, in scratch: for each table first the query's own. */
@unmanaged class Lookup {
  probes: u32; // per table, at most
  counts: u32; // u32 x tables
  keys: u32;   // u32 x tables x probes

  /** 0 where scratch cannot grow. */
  static open(effort: u32): Lookup {
    const probes = min(effort, MOST_PROBES);
    const l = changetype<Lookup>(alloc(offsetof<Lookup>()));
    const counts = alloc(<usize>tableCount() << 2), keys = alloc(<usize>tableCount() * probes << 2);
    const sets = Probes.open(probes);
    if (!(l && counts && keys && sets)) return changetype<Lookup>(0);
    l.probes = probes;
    l.counts = <u32>counts;
    l.keys = <u32>keys;
    const query = queryRow();
    for (let table: u32 = 0; table < tableCount(); table++) l.fill(table, query, sets);
    return l;
  }

  private fill(table: u32, query: usize, sets: Probes): void {
    const keys: usize = this.keys + table * this.probes * 4;
    const own = keyAndSteps(table, query, sets);
    let n: u32 = 1;
    store<u32>(keys, own);
    for (let change: u32 = 1; n < this.probes; n++) {
      change = sets.next();
      if (!change) break;
      store<u32>(keys + (n << 2), own + change);
    }
    store<u32>(this.counts + (table << 2), n);
  }

  /** Gathers the rows of these keys, in each table from the `done`th on, each moved by `base`. */
  gather(base: u32, done: u32, g: Gathering): void {
    for (let table: u32 = 0; table < tableCount(); table++) {
      const keys: usize = this.keys + table * this.probes * 4;
      const n = load<u32>(this.counts + (table << 2));
      for (let i = done; i < n; i++) gatherBucket(table, base + load<u32>(keys + (i << 2)), g);
      work().visited += max(n, done) - done;
    }
    g.flush();
  }
}

function gatherBucket(table: u32, key: u32, g: Gathering): void {
  for (let slot = load<u32>(headOf(table, key)); slot != NONE; slot = nextOf(table, slot)) {
    if (load<u32>(keyAt(table, slot)) == key) g.add(slot);
  }
}

/**
 * The k nearest in `effort` buckets of each table (dot: and range), in as many more as a filter leaves the fewer rows in each,
 * and in more again while those hold fewer than k; of all that pass where that is cheaper. work().visited: buckets.
 */
function lshSearch(ask: Ask): i32 {
  const wanted = min(ask.k, ask.passing);
  const probes = <u32>min(rowsToMeet(ask, min(ask.effort, MOST_PROBES)), MOST_PROBES);
  if (!tables().buckets || !wanted || (ask.filter && scanIsCheaper(ask, bucketsOf(probes)))) return flatSearch(ask);
  const start = mark();
  work().plan = PLAN_BUCKETS;
  const k = ask.k;
  const g = Gathering.open(scanNominates() ? max(ask.candidates, k) : k, ask.codec(), walkScorer(), ask.filter, true);
  if (!g || !gatherMany(ask, g, probes, wanted)) {
    reset(start);
    return E_MEMORY;
  }
  const done = scanNominates() ? publishReranked(g.nearest(), k, Infinity) : publish(g.nearest());
  reset(start);
  return done ? OK : E_MEMORY;
}

@inline function bucketsOf(probes: u32): f64 { return <f64>tableCount() * <f64>probes; }

/**
 * Twice as many probes until `wanted` rows have been met; all rows where that is cheaper, or where scratch cannot grow for more
 * probes than the search was asked for. False where it cannot grow for those.
 */
function gatherMany(ask: Ask, g: Gathering, probes: u32, wanted: u32): bool {
  for (let done: u32 = 0; !done || g.met < wanted; probes <<= 1) {
    const start = mark();
    const dear = done && (probes > MOST_PROBES || scanIsCheaper(ask, bucketsOf(probes)));
    const lookup = dear ? changetype<Lookup>(0) : Lookup.open(probes);
    if (!lookup) {
      reset(start);
      if (!done && probes <= ask.effort) return false;
      work().plan = PLAN_BUCKETS_THEN_SCAN;
      return g.addRest();
    }
    if (isSigned()) gatherRanges(lookup, done, g);
    else lookup.gather(0, done, g);
    reset(start);
    done = probes;
  }
  return true;
}

/**
 * From the longest rows down, until no row is long enough to be among the nearest (Cauchy-Schwarz), though its distance be rounded: by some
 * units in the last place of the lengths that are multiplied, which rabitq sees from a centre.
 */
function gatherRanges(lookup: Lookup, done: u32, g: Gathering): void {
  const query = sqrt(squaredNorm(layout().prepared, state().dimensions));
  const aside = layout().centres ? sqrt(squaredNorm(centreRow(0), codeDimensions())) : 0;
  for (let range = RANGES - 1; range > 0; ) {
    if (!hasBit(ranges(), --range)) continue;
    const row = sqrt(rangeEnd(range));
    if (-(query * row + ROUNDING * (query + aside) * (row + aside)) > <f64>g.nearest().bound) break;
    lookup.gather(range * RANGE_MULTIPLIER, done, g);
  }
}
