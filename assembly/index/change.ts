// What changes an index: room for vectors, adding, removing, the sweep of a graph.
import {
  ALL, E_BEYOND_F16, E_MEMORY, GRAPH, KIND_FOREST, KIND_HNSW, KIND_IVF, KIND_KDTREE, KIND_LSH, NONE, OK,
} from "../base/codes";
import { MAX_SLOTS } from "../base/key";
import { alloc, mark, reset } from "../memory/arena";
import { kindNow, state } from "../memory/state";
import { removeId, reserveIds, slotOfId, useIds } from "../table/ids";
import { clearLists, giveSlotBack, reserveLists, takeSlotOf } from "../table/lists";
import { nodes, upper } from "../table/nodes";
import { clearSlots, freeSlot, takeSlot } from "../table/slots";
import { checkedNorm, fitsHalves, inputBytes } from "../search/prepare";
import { Builder, beginBuild, endBuild } from "../family/graph/builder";
import { reserveGraph } from "../family/graph/graph";
import { hnswInsert } from "../family/graph/hnsw";
import { advanceSweep, hnswRemove, sweepSlots } from "../family/graph/sweep";
import { assignLists } from "../family/ivf/ivf";
import { clearLsh, lshInsert, lshRemove, reserveLsh } from "../family/lsh/lsh";
import { clearTrees, growTrees, reserveTrees, treeRemove } from "../family/tree/tree";
import { fits, remember, undo } from "./room";
import { storeVector } from "./rows";

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
  if (<u64>table.count + fresh > MAX_SLOTS) return false;
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
