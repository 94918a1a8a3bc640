// Counters and results of the last search, read by JS. The results lie in scratch that is given back when the search returns: they
// last until something takes scratch again.
import { WORK, WORK_BYTES, alloc, here } from "../memory/arena";
import { isSigned } from "../memory/metrics";
import { idOf } from "../table/nodes";
import { TopK } from "./topk";

@unmanaged export class Work {
  distances: u32; // distances computed on the walked codec
  visited: u32;   // graph: nodes expanded; scan: rows scored
  reranked: u32;  // exact distances computed to re-score
  plan: u32;      // PLAN_*: how it was searched
  met: u32;       // slots that a walk came across
  metPassing: u32; // those among them that pass
  walkCost: f32;  // microseconds that a walk was thought to take; 0: nobody asked
  scanCost: f32;  // and a scan
  passing: u32;   // live slots that pass the filter
  found: u32;
  ids: u32;       // found x u32
  values: u32;    // found x f32
}
if (offsetof<Work>() > WORK_BYTES) ERROR("Work has outgrown WORK_BYTES of assembly/memory/arena.ts");

@inline export function work(): Work { return changetype<Work>(WORK + here()); }

/** For a new search, whose filter so many slots pass: all that tells how it goes at 0, two numbers at a time. */
export function openWork(passing: u32): void {
  clearWork();
  const w = changetype<usize>(work());
  store<u64>(w, 0, 16);
  store<u64>(w, 0, 24);
  work().passing = passing;
}

/** Counters at 0, the plan PLAN_SCAN; two at a time. */
export function clearWork(): void {
  const w = changetype<usize>(work());
  store<u64>(w, 0);
  store<u64>(w, 0, 8);
}

/**
 * Sorts `top` as it will be seen. Estimates below 0 are shown as 0 where no distance is negative, and equal distances go
 * by id.
 */
export function sortShown(top: TopK): void {
  top.sort();
  if (top.size && top.distanceAt(0) < 0 && !isSigned()) top.raise();
}

/** Sorts `top` into scratch as ids and distances. False where scratch cannot grow. */
export function publish(top: TopK): bool {
  const w = work();
  sortShown(top);
  const ids = alloc(<usize>top.size << 2);
  const values = alloc(<usize>top.size << 2);
  if (!ids || !values) return false;
  publishTo(top, ids, values);
  w.found = top.size;
  w.ids = <u32>ids;
  w.values = <u32>values;
  return true;
}

export function publishTo(top: TopK, ids: usize, values: usize): void {
  for (let i: u32 = 0; i < top.size; i++) {
    store<u32>(ids + (i << 2), idOf(top.slotAt(i)));
    store<f32>(values + (i << 2), top.distanceAt(i));
  }
}
