// What an index holds, for files and statistics: columns and blobs, and the room to put those of a file into.
import { E_MEMORY, OK } from "../base/codes";
import { blob } from "../memory/blobs";
import { state } from "../memory/state";
import { Store } from "../memory/store";
import { reserveIds } from "../table/ids";
import { FREE, layout, nodes, stageOf, upper } from "../table/nodes";
import { family } from "../search/family";
import { degree, topOf } from "../family/graph/graph";
import { fits } from "./room";

@inline function storeOf(i: u32): Store { return i ? upper() : nodes(); }

export function storeCount(i: u32): u32 { return storeOf(i).count; }

/** Slots from a multiple of this on that have theirs of a column together. */
export function columnRun(i: u32, column: u32): u32 { return storeOf(i).run(column); }

export function storeColumns(i: u32): u32 { return storeOf(i).columns; }

/** 0: not in a file, since it would say nothing. */
export function columnTag(i: u32, column: u32): u32 {
  const l = layout(), s = state();
  const silent = !i && column && ((column == l.twin && !s.twins) || (column == l.parent && !s.rooted));
  return silent ? 0 : storeOf(i).column(column).tag;
}

export function columnStride(i: u32, column: u32): u32 { return storeOf(i).column(column).stride; }

export function columnAt(i: u32, column: u32, slot: u32): usize { return storeOf(i).at(column, slot); }

/** The packed columns of a store end with a whole group. */
export function columnPacking(i: u32, column: u32): u32 { return storeOf(i).column(column).packing; }

export function blobTag(i: u32): u32 { return blob(i).tag; }

export function blobAt(i: u32): usize { return blob(i).address; }

export function blobBytes(i: u32): u32 { return blob(i).bytes; }

/**
 * Makes room in an empty index for the columns of a file, which are then copied in and checked with isValid, and for
 * what isValid builds from them.
 */
export function restore(slots: u32, records: u32): i32 {
  const s = state();
  if (nodes().ensure(slots) != OK || upper().ensure(records) != OK) return E_MEMORY;
  if (!s.identity && reserveIds(s.live) != OK) return E_MEMORY;
  if (!family().restore(slots)) return E_MEMORY;
  if (slots && !fits(0, 0)) return E_MEMORY;
  nodes().count = slots;
  upper().count = records;
  return OK;
}

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
