// What changes an index: room for vectors, adding, removing.
import { E_BEYOND_F16, E_MEMORY, GRAPH, NONE, OK } from "../base/codes";
import { MAX_SLOTS } from "../base/key";
import { mark, reset } from "../memory/arena";
import { state } from "../memory/state";
import { dropFromFilters, widenFilters } from "../table/filters";
import { removeId, reserveIds, slotOfId, useIds } from "../table/ids";
import { nodes } from "../table/nodes";
import { freeSlots } from "../table/slots";
import { family } from "../search/family";
import { checkedNorm, fitsHalves, inputBytes } from "../search/prepare";
import { stopLinking } from "../family/graph/bulk/steps";
import { fits, remember, undo } from "./room";

/**
 * Room for `n` more vectors, which come `chunk` at a time; ids other than 0, 1, 2 ... need a table. Where that cannot be
 * had, also where the places of removed vectors are given back at once, no vector has changed and nothing of the memory is kept.
 */
export function reserve(n: u32, otherIds: bool, chunk: u32): i32 {
  const code = tryReserve(n, otherIds, chunk);
  return code != OK && family().reclaim() ? tryReserve(n, otherIds, chunk) : code;
}

function tryReserve(n: u32, otherIds: bool, chunk: u32): i32 {
  const s = state();
  if (GRAPH) stopLinking();
  const count = nodes().count;
  // Not while a slot is free or will be: its next id is another than its number.
  const tableless = !family().places() && s.identity == 1 && !otherIds && s.live == count && s.nextId == count;
  const start = remember();
  if (!grow(n, tableless) || !fits(n, chunk)) {
    undo(start);
    return E_MEMORY;
  }
  if (!tableless) useIds();
  return OK;
}

function grow(n: u32, tableless: bool): bool {
  return growBy(n, freeSlots(), 0) && (tableless || reserveIds(state().live + n) == OK) && widenFilters();
}

function growBy(n: u32, free: u32, gone: u32): bool {
  const fresh = n > free ? n - free : 0;
  return <u64>nodes().count + fresh <= MAX_SLOTS && family().reserve(n, fresh, gone);
}

/** OK where reserve() has room for n vectors, `chunk` at a time, once `gone` of those that are there have been removed. Nothing changes. */
export function tryReplace(n: u32, gone: u32, chunk: u32): i32 {
  const s = state();
  const start = remember();
  const ok = growBy(n, freeSlots() + s.dead + s.doomed + gone, gone) && reserveIds(s.live + n - gone) == OK && widenFilters() && fits(n - gone, chunk);
  undo(start);
  return ok ? OK : E_MEMORY;
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
  const start = mark();
  const code = family().add(vectors, ids, lists, n);
  reset(start);
  return code;
}

/** Removes those of n ids that are present; returns how many. */
export function removeIds(ids: usize, n: u32): u32 {
  const s = state();
  let removed: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const id = load<u32>(ids + (<usize>i << 2));
    const slot = slotOfId(id);
    if (slot == NONE) continue;
    removeId(id);
    dropFromFilters(slot);
    removed++;
    family().remove(slot);
    if (--s.live) continue;
    if (GRAPH) stopLinking();
    family().clear();
  }
  if (removed) family().settle(removed);
  return removed;
}
