// The exported surface: what src/memory.ts declares. Pointers and codes only; JS owns sentences.
import {
  CODEC, EXACT_CODEC, EXACT_SCORER, ID_TABLE, LINK_SCORER, NODES, SAVED, STATE, STATE_BYTES, UPPER, WALK_SCORER, WORK, align, alloc,
  mark, openArena, reset,
} from "./arena";
import { bitsetBytes, hasBit, setBit } from "./bitset";
import {
  CODEC_BINARY, CODEC_F32, CODEC_SQ8, E_MEMORY, KIND_HNSW, METRIC_COSINE, METRIC_DOT, NONE, OK,
} from "./codes";
import { binaryRowBytes, installBinary } from "./codec/binary";
import { installRows, rowBytes } from "./codec/rows";
import { AUX_BYTES, installSq8, sq8QueryBytes, sq8RowBytes } from "./codec/sq8";
import { installUpper, installWhole, splitQueryBytes, splitRowBytes } from "./codec/split";
import { removeId, reserveIds, slotOfId, useIds } from "./ids";
import { COLUMN_CODE, idOf, layout, nodes, stageOf, upper } from "./nodes";
import { Codec, Scorer, bindQuery, exactCodec, scoreMany, walkCodec, walkScorer } from "./scorer";
import { VARIANT } from "./simd";
import { FREE, LIVE, clearSlots, freeSlot, takeSlot } from "./slots";
import { MIPS_AUGMENT, state } from "./state";
import { Store } from "./store";
import { checkedNorm, inputBytes, prepare, readVector, storeVector } from "./vectors";
import { isValid } from "./validate";
import { clearWork } from "./work";
import { Builder } from "./algo/builder";
import { degree, reserveGraph, topOf } from "./algo/graph";
import { hnswInsert } from "./algo/hnsw";
import { advanceSweep, hnswRemove, sweepSlots } from "./algo/sweep";

export { STATE, STATE_BYTES, WORK };
export { alloc, mark, reset };
export { checksumStart, checksumAdd, checksumEnd } from "./checksum";
export { exactSearchBatch } from "./algo/flat-batch";
export { startSweep } from "./algo/sweep";
export { compactSlots } from "./algo/compact";
export { isValid, inputBytes, slotOfId };

export function variant(): i32 { return VARIANT; }

// ---- opening ------------------------------------------------------------------------------------------------------

/** Section names, four ASCII letters, the first in the low byte. */
const TAG_IDS: u32 = 0x20736469; // "ids "
const TAG_STAGE: u32 = 0x6566696c; // "life"
const TAG_CODE: u32 = 0x65646f63; // "code"
const TAG_AUX: u32 = 0x20787561; // "aux "
const TAG_NORM: u32 = 0x6d726f6e; // "norm"
const TAG_EXTRA: u32 = 0x61727478; // "xtra"
const TAG_EXACT: u32 = 0x74637865; // "exct"
const TAG_LINKS: u32 = 0x6b6e696c; // "link"
const TAG_TOWER: u32 = 0x72776f74; // "towr"
const TAG_UPPER: u32 = 0x72707075; // "uppr"

/** Lays out an empty index from the State that JS has written. */
export function open(): i32 {
  openArena();
  const s = state();
  const l = layout();
  const table = nodes();
  const coarse = changetype<Codec>(CODEC);
  table.addColumn(TAG_IDS, 4);
  table.addColumn(TAG_STAGE, 1);
  if (s.codec == CODEC_BINARY) installBinary(coarse, table.addColumn(TAG_CODE, binaryRowBytes(s.dimensions)));
  else if (s.codec == CODEC_SQ8) installSq8(coarse, table.addColumn(TAG_CODE, sq8RowBytes(s.dimensions)));
  else if (s.kind == KIND_HNSW) installUpper(coarse, table.addColumn(TAG_CODE, splitRowBytes(s.dimensions)));
  else installRows(coarse, table.addColumn(TAG_CODE, rowBytes(s.dimensions)));
  if (s.codec == CODEC_SQ8) l.aux = table.addColumn(TAG_AUX, AUX_BYTES);
  if (s.metric == METRIC_COSINE) l.norm = table.addColumn(TAG_NORM, 4);
  if (s.metric == METRIC_DOT && s.mips == MIPS_AUGMENT) l.extra = table.addColumn(TAG_EXTRA, 4);
  if (s.rerank) installRows(exactCodec(), table.addColumn(TAG_EXACT, rowBytes(s.dimensions)));
  else {
    memory.copy(EXACT_CODEC, CODEC, offsetof<Codec>());
    if (s.kind == KIND_HNSW && s.codec == CODEC_F32) installWhole(exactCodec(), COLUMN_CODE);
  }
  l.rowColumns = table.columns;
  if (s.kind == KIND_HNSW) {
    l.links = table.addColumn(TAG_LINKS, s.m << 3);
    l.tower = table.addColumn(TAG_TOWER, 4);
  }
  table.seal(65536);
  upper().addColumn(TAG_UPPER, max(s.m, 2) << 2);
  upper().seal(8192);
  const vectorBytes = align(s.dimensions << 2, 16);
  l.query = <u32>alloc(vectorBytes);
  l.prepared = <u32>alloc(vectorBytes);
  if (!l.query || !l.prepared) return E_MEMORY;
  return giveRoom(WALK_SCORER) && giveRoom(EXACT_SCORER) && giveRoom(LINK_SCORER) ? OK : E_MEMORY;
}

function giveRoom(scorer: usize): bool {
  const own = alloc(max(sq8QueryBytes(state().dimensions), splitQueryBytes(state().dimensions)));
  changetype<Scorer>(scorer).own = <u32>own;
  changetype<Scorer>(scorer).scattered = 1; // scans say otherwise
  return own != 0;
}

/** Where JS writes a query. */
export function queryAddress(): usize { return layout().query; }

// ---- changing -----------------------------------------------------------------------------------------------------

/** What a full index keeps free beside its rows, so that it can still be searched and saved. */
const HEADROOM: usize = 128 * 1024;

/**
 * Room for `n` more vectors, with `scratch` bytes of JS's own at the time; ids other than 0, 1, 2 ... need a table.
 * Where that cannot be had, everything stays as it was and nothing of the memory is kept.
 */
export function reserve(n: u32, otherIds: bool, scratch: usize): i32 {
  const s = state();
  const table = nodes();
  // Not while a slot is free or will be: its next id is another than its number.
  const tableless = s.identity == 1 && !otherIds && s.live == table.count && s.nextId == table.count;
  const start = mark();
  remember();
  if (grow(n, tableless) && fits(scratch)) {
    if (!tableless) useIds();
    return OK;
  }
  recall();
  reset(start);
  return E_MEMORY;
}

function grow(n: u32, tableless: bool): bool {
  const s = state();
  const table = nodes();
  const free = table.count - s.live - s.dead - s.doomed;
  const fresh = n > free ? n - free : 0;
  if (<u64>table.count + fresh > 0x3ffffff) return false; // key.ts; 4 GiB end sooner
  const grown = s.kind == KIND_HNSW ? reserveGraph(fresh) : table.ensure(table.count + fresh);
  return grown == OK && (tableless || reserveIds(s.live + n) == OK);
}

function fits(scratch: usize): bool {
  const start = mark();
  const ok = alloc(max(scratch, HEADROOM)) != 0 && (state().kind != KIND_HNSW || changetype<usize>(Builder.open()) != 0);
  reset(start);
  return ok;
}

// Growing only adds blocks, directories and tables at the top of memory: with these records as they were, and the top,
// it has not happened.
function remember(): void {
  memory.copy(SAVED, NODES, offsetof<Store>());
  memory.copy(SAVED + 64, UPPER, offsetof<Store>());
  memory.copy(SAVED + 128, ID_TABLE, 64);
}
function recall(): void {
  memory.copy(NODES, SAVED, offsetof<Store>());
  memory.copy(UPPER, SAVED + 64, offsetof<Store>());
  memory.copy(ID_TABLE, SAVED + 128, 64);
}

/** The number of the first of `n` input vectors that cannot be used, or -1. */
export function firstBad(vectors: usize, n: u32): i32 {
  for (let i: u32 = 0; i < n; i++) if (checkedNorm(vectors + i * inputBytes()) < 0) return i;
  return -1;
}

/** OK, E_NOT_FINITE or E_TOO_LARGE. */
export function whyBad(vector: usize): i32 { return <i32>min(checkedNorm(vector), OK); }

/** Adds n checked vectors under new ids (n x u32), room being reserved. */
export function addVectors(vectors: usize, ids: usize, n: u32): i32 {
  const s = state();
  const start = mark();
  const graph = s.kind == KIND_HNSW;
  const builder = graph ? Builder.open() : changetype<Builder>(0);
  if (graph && !builder) return E_MEMORY;
  for (let i: u32 = 0; i < n; i++) {
    const before = nodes().count;
    const slot = takeSlot(load<u32>(ids + (i << 2)));
    storeVector(slot, vectors + i * inputBytes());
    if (!graph) continue;
    hnswInsert(builder, slot, slot == before);
    advanceSweep(builder);
  }
  reset(start);
  return OK;
}

/** Removes those of n ids that are present; returns how many. */
export function removeIds(ids: usize, n: u32): u32 {
  const s = state();
  const start = mark();
  const graph = s.kind == KIND_HNSW;
  let removed: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const id = load<u32>(ids + (i << 2));
    const slot = slotOfId(id);
    if (slot == NONE) continue;
    removeId(id);
    removed++;
    if (graph) hnswRemove(slot);
    else {
      freeSlot(slot);
      if (!--s.live) clearSlots();
    }
  }
  // Where scratch cannot grow, the sweep waits for a later change.
  const builder = graph && removed ? Builder.open() : changetype<Builder>(0);
  for (let i: u32 = 0; builder && i < removed; i++) advanceSweep(builder);
  reset(start);
  return removed;
}

/** Up to `most` slots of the running sweep; 1 when it is done, 0 when not, E_MEMORY. */
export function sweep(most: u32): i32 {
  const start = mark();
  const builder = Builder.open();
  const done = builder ? <i32>sweepSlots(builder, most) : E_MEMORY;
  reset(start);
  return done;
}

// ---- reading ------------------------------------------------------------------------------------------------------

/** Writes the vector of a live id to `out` (dimensions x f32); false if there is none. */
export function getVector(id: u32, out: usize): bool {
  const slot = slotOfId(id);
  if (slot == NONE) return false;
  readVector(slot, out);
  return true;
}

/** Writes the ids of all live slots, in slot order. */
export function liveIds(out: usize): void {
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
    if (stageOf(slot) != LIVE) continue;
    store<u32>(out, idOf(slot));
    out += 4;
  }
}

/** Checks and prepares the query that JS has written. */
export function prepareQuery(): i32 {
  clearWork();
  const norm = checkedNorm(layout().query);
  if (norm < 0) return <i32>norm;
  prepare(layout().query, norm, layout().prepared);
  return OK;
}

/** exactSearch and hnswSearch, the prepared query being in place. */
export { exactSearch } from "./algo/flat";
export { hnswSearch } from "./algo/hnsw";
export { clearWork };

/** For measurements and the self-test: the distances of n slots to the prepared query. */
export function scoreSlots(slots: usize, n: u32, out: usize): void {
  bindQuery(walkCodec(), walkScorer(), layout().prepared);
  walkScorer().scattered = 0;
  scoreMany(walkScorer(), slots, n, out);
}

// ---- filters: a bitset of slots in scratch ------------------------------------------------------------------------

/** An empty filter, or 0 where scratch cannot grow. */
export function openFilter(): usize {
  const bytes = bitsetBytes(nodes().count) + 8;
  const set = alloc(bytes);
  if (set) memory.fill(set, 0, bytes);
  return set;
}

/** Lets n ids pass; returns how many more live slots do. */
export function passIds(filter: usize, ids: usize, n: u32): u32 {
  let passing: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const slot = slotOfId(load<u32>(ids + (i << 2)));
    if (slot == NONE || hasBit(filter, slot)) continue;
    setBit(filter, slot);
    passing++;
  }
  return passing;
}

/** Lets the ids pass whose bit is set in `bytes` bytes at `bits`; returns how many live slots do. */
export function passBits(filter: usize, bits: usize, bytes: u32): u32 {
  let passing: u32 = 0;
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
    if (stageOf(slot) != LIVE) continue;
    const id = idOf(slot);
    if (id >> 3 >= bytes || !hasBit(bits, id)) continue;
    setBit(filter, slot);
    passing++;
  }
  return passing;
}

// ---- columns, for the file: store 0 nodes, 1 upper ----------------------------------------------------------------

@inline function storeOf(i: u32): Store { return i ? upper() : nodes(); }

export function storeCount(i: u32): u32 { return storeOf(i).count; }
export function storeBlockSlots(i: u32): u32 { return 1 << storeOf(i).shift; }
export function storeColumns(i: u32): u32 { return storeOf(i).columns; }
export function columnTag(i: u32, column: u32): u32 { return storeOf(i).column(column).tag; }
export function columnStride(i: u32, column: u32): u32 { return storeOf(i).column(column).stride; }
export function columnAt(i: u32, column: u32, slot: u32): usize { return storeOf(i).at(column, slot); }

/** Makes room in an empty index for the columns of a file, which are then copied in and checked with isValid. */
export function restore(slots: u32, records: u32): i32 {
  if (nodes().ensure(slots) != OK || upper().ensure(records) != OK) return E_MEMORY;
  nodes().count = slots;
  upper().count = records;
  return OK;
}

// ---- statistics of a graph ----------------------------------------------------------------------------------------

/** Slots in use whose highest layer is `level`. */
export function slotsOnLevel(level: u32): u32 {
  let found: u32 = 0;
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) if (stageOf(slot) != FREE && topOf(slot) == level) found++;
  return found;
}

/** All links of layer 0. */
export function countLinks(): f64 {
  let links: u64 = 0;
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) if (stageOf(slot) != FREE) links += degree(0, slot);
  return <f64>links;
}
