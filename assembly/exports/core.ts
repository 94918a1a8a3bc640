// What the core builds export (src/memory.ts declares it): Flat and Hnsw over rows and sq8. Pointers and codes only; JS
// owns sentences. Where ALL is true, the same functions serve every family.
import { fits, remember, undo } from "../room";
import { isValid } from "../validate";
import { bitsetBytes, hasBit, setBit } from "../base/bitset";
import {
  ALL, E_BEYOND_F16, E_MEMORY, GRAPH, KIND_FOREST, KIND_HNSW, KIND_IVF, KIND_KDTREE, KIND_LSH, NONE, OK,
} from "../base/codes";
import { VARIANT } from "../base/simd";
import { STATE, STATE_BYTES, WORK, alloc, mark, reset } from "../memory/arena";
import { blob, blobCount } from "../memory/blobs";
import { kindNow, state } from "../memory/state";
import { Store } from "../memory/store";
import { removeId, reserveIds, slotOfId, useIds } from "../table/ids";
import { clearLists, giveSlotBack, reserveLists, takeSlotOf } from "../table/lists";
import { FREE, LIVE, idOf, layout, nodes, stageOf, upper } from "../table/nodes";
import { clearSlots, freeSlot, takeSlot } from "../table/slots";
import { bindQuery, scoreMany, walkCodec, walkScorer } from "../codec/scorer";
import { checkedNorm, fitsHalves, inputBytes, prepare, readVector, storeVector } from "../search/prepare";
import { clearWork } from "../search/work";
import { exactSearch, flatSearch } from "../family/flat/flat";
import { Builder, beginBuild, endBuild } from "../family/graph/builder";
import { degree, reserveGraph, topOf } from "../family/graph/graph";
import { hnswInsert, hnswSearch } from "../family/graph/hnsw";
import { advanceSweep, hnswRemove, sweepSlots } from "../family/graph/sweep";
import { assignLists, ivfSearch } from "../family/ivf/ivf";
import { clearLsh, lshInsert, lshRemove, lshSearch, reserveLsh } from "../family/lsh/lsh";
import { clearTrees, growTrees, reserveTrees, treeRemove, treeSearch } from "../family/tree/tree";

export { checksumAdd, checksumEnd, checksumStart } from "../memory/checksum";
export { batchBytes, exactSearchBatch, sharesScans } from "../family/flat/batch";
export { rescore } from "../search/rerank";
export { startSweep } from "../family/graph/sweep";
export { compactSlots } from "../algo/compact";
export { open } from "../open";
export { roomToUse } from "../room";

export { STATE, STATE_BYTES, WORK };
export { alloc, mark, reset };
export { exactSearch };

export { isValid, inputBytes, slotOfId };

export function variant(): i32 { return VARIANT; }

/** Where JS writes a query. */
export function queryAddress(): usize { return layout().query; }

// ---- changing -----------------------------------------------------------------------------------------------------

/**
 * Room for `n` more vectors, which come `chunk` at a time; ids other than 0, 1, 2 ... need a table. Where that cannot be
 * had, everything stays as it was and nothing of the memory is kept.
 */
export function reserve(n: u32, otherIds: bool, chunk: u32): i32 {
  const s = state();
  const table = nodes();
  // Not while a slot is free or will be: its next id is another than its number.
  const tableless = kindNow() != KIND_IVF && s.identity == 1 && !otherIds && s.live == table.count && s.nextId == table.count;
  const start = remember();
  if (!grow(n, tableless) || !fits(n, chunk)) {
    undo(start);
    return E_MEMORY;
  }
  if (!tableless) useIds();
  return OK;
}

function grow(n: u32, tableless: bool): bool {
  const s = state();
  const table = nodes();
  const free = table.count - s.live - s.dead - s.doomed;
  const fresh = n > free ? n - free : 0;
  if (<u64>table.count + fresh > 0x3ffffff) return false; // key.ts; 4 GiB end sooner
  return growTables(n, fresh) && (tableless || reserveIds(s.live + n) == OK);
}

function growTables(n: u32, fresh: u32): bool {
  const kind = kindNow();
  if (kind == KIND_HNSW) return reserveGraph(fresh) == OK;
  if (ALL && kind == KIND_IVF) return reserveLists(n);
  if (ALL && (kind == KIND_KDTREE || kind == KIND_FOREST) && !reserveTrees(n)) return false;
  if (ALL && kind == KIND_LSH && !reserveLsh(n)) return false;
  if (GRAPH && state().prefilter && upper().ensure(nodes().count + fresh) != OK) return false;
  return nodes().ensure(nodes().count + fresh) == OK;
}

/** The number of the first of `n` input vectors that cannot be used, or -1. */
export function firstBad(vectors: usize, n: u32): i32 {
  for (let i: u32 = 0; i < n; i++) if (whyBad(vectors + <usize>i * inputBytes()) < 0) return i;
  return -1;
}

/** OK, E_NOT_FINITE, E_TOO_LARGE or E_BEYOND_F16: why a vector cannot be stored. */
export function whyBad(vector: usize): i32 {
  const norm = checkedNorm(vector);
  return norm < 0 ? <i32>norm : fitsHalves(vector, norm) ? OK : E_BEYOND_F16;
}

/**
 * Adds n checked vectors under new ids (n x u32), room being reserved. Under ivf, `lists` (n x u32) says where they
 * belong; 0 lets the centroids say.
 */
export function addVectors(vectors: usize, ids: usize, lists: usize, n: u32): i32 {
  const kind = kindNow();
  const start = mark();
  const builder = kind == KIND_HNSW ? Builder.open() : changetype<Builder>(0);
  if (kind == KIND_HNSW && !builder) return E_MEMORY;
  if (ALL && kind == KIND_IVF && !lists) {
    lists = assignLists(vectors, n);
    if (!lists) {
      reset(start);
      return E_MEMORY;
    }
  }
  const slots = alloc(<usize>n << 2);
  if (!slots) {
    reset(start);
    return E_MEMORY;
  }
  beginBuild();
  for (let i: u32 = 0; i < n; i++) {
    const before = nodes().count;
    const place = ALL && kind == KIND_IVF ? takeSlotOf(load<u32>(lists + (<usize>i << 2))) : NONE;
    const slot = takeSlot(load<u32>(ids + (<usize>i << 2)), place);
    storeVector(slot, vectors + <usize>i * inputBytes());
    store<u32>(slots + (<usize>i << 2), slot);
    if (kind == KIND_HNSW) {
      hnswInsert(builder, slot, slot == before);
      advanceSweep(builder);
    } else if (ALL && kind == KIND_LSH) lshInsert(slot);
  }
  if (ALL && (kind == KIND_KDTREE || kind == KIND_FOREST)) growTrees(slots, n);
  endBuild();
  reset(start);
  return OK;
}

/** Removes those of n ids that are present; returns how many. */
export function removeIds(ids: usize, n: u32): u32 {
  const s = state();
  const kind = kindNow();
  const start = mark();
  let removed: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const id = load<u32>(ids + (<usize>i << 2));
    const slot = slotOfId(id);
    if (slot == NONE) continue;
    removeId(id);
    removed++;
    if (kind == KIND_HNSW) hnswRemove(slot);
    else {
      if (ALL && (kind == KIND_KDTREE || kind == KIND_FOREST)) treeRemove(slot);
      if (ALL && kind == KIND_LSH) lshRemove(slot);
      if (ALL && kind == KIND_IVF) giveSlotBack(slot);
      else freeSlot(slot);
      if (!--s.live) clearAll(kind);
    }
  }
  // Where scratch cannot grow, the sweep waits for a later change.
  const builder = kind == KIND_HNSW && removed ? Builder.open() : changetype<Builder>(0);
  beginBuild();
  for (let i: u32 = 0; builder && i < removed; i++) advanceSweep(builder);
  endBuild();
  reset(start);
  return removed;
}

function clearAll(kind: u32): void {
  clearSlots();
  if (!ALL) return;
  if (kind == KIND_IVF) clearLists();
  else if (kind == KIND_KDTREE || kind == KIND_FOREST) clearTrees();
  else if (kind == KIND_LSH) clearLsh();
}

/** Up to `most` slots of the running sweep; 1 when it is done, 0 when not, E_MEMORY. */
export function sweep(most: u32): i32 {
  const start = mark();
  const builder = Builder.open();
  beginBuild();
  const done = builder ? <i32>sweepSlots(builder, most) : E_MEMORY;
  endBuild();
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

/** Writes the ids of the live ones of `n` slots from `first` on; returns how many they are. */
export function liveIds(first: u32, n: u32, out: usize): u32 {
  const start = out;
  for (let slot = first, end = min(first + n, nodes().count); slot < end; slot++) {
    if (stageOf(slot) != LIVE) continue;
    store<u32>(out, idOf(slot));
    out += 4;
  }
  return <u32>(out - start) >> 2;
}

/** Checks and prepares the query that JS has written. */
export function prepareQuery(): i32 {
  clearWork();
  const norm = checkedNorm(layout().query);
  if (norm < 0) return <i32>norm;
  prepare(layout().query, norm, layout().prepared);
  return OK;
}

/**
 * The family's own search for the prepared query: the k nearest of the `passing` live slots that pass the filter (bitset
 * of slots, 0 = all). `effort` is ef, nprobe, searchK, maxLeaves or probes. Results: work().
 */
export function search(k: u32, effort: u32, candidates: u32, filter: usize, passing: u32): i32 {
  const kind = kindNow();
  if (kind == KIND_HNSW) return hnswSearch(k, effort, candidates, filter, passing);
  if (ALL && kind == KIND_IVF) return ivfSearch(k, effort, candidates, filter, passing, 0);
  if (ALL && (kind == KIND_KDTREE || kind == KIND_FOREST)) return treeSearch(k, effort, candidates, filter, passing);
  if (ALL && kind == KIND_LSH) return lshSearch(k, effort, candidates, filter, passing);
  return flatSearch(k, candidates, filter);
}

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

/** The packed columns of a store end with a whole group. */
export function columnPacking(i: u32, column: u32): u32 { return storeOf(i).column(column).packing; }

export { blobCount };
export function blobTag(i: u32): u32 { return blob(i).tag; }
export function blobAt(i: u32): usize { return blob(i).address; }
export function blobBytes(i: u32): u32 { return blob(i).bytes; }

/**
 * Makes room in an empty index for the columns of a file, which are then copied in and checked with isValid, and for
 * what isValid builds from them.
 */
export function restore(slots: u32, records: u32): i32 {
  const s = state();
  if (nodes().ensure(slots) != OK || upper().ensure(GRAPH && s.prefilter ? slots : records) != OK) return E_MEMORY;
  if (!s.identity && reserveIds(s.live) != OK) return E_MEMORY;
  if (ALL && kindNow() == KIND_LSH && !reserveLsh(0)) return E_MEMORY;
  if (slots && !fits(0, 0)) return E_MEMORY;
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
