// What operations work with beside the index itself, so that a full index can still do all that makes it no larger:
// whatever takes permanent memory (reserve, restore, compaction) leaves as much free as this says, or does nothing.
import { bitsetBytes } from "../base/bitset";
import { align, rowBytes } from "../base/sizes";
import { ID_TABLE, ID_TABLE_BYTES, NODES, SAVED, SAVED_BYTES, UPPER, alloc, left, mark, release, reset } from "../memory/arena";
import { state } from "../memory/state";
import { Store } from "../memory/store";
import { narrowFilters } from "../table/filters";
import { lendIds, roomForIds } from "../table/ids";
import { nodes } from "../table/nodes";
import { freeSlots } from "../table/slots";
import { codecBytes } from "../codec/scorer";
import { family } from "../search/family";
import { inputBytes } from "../search/prepare";

/** JS's chunks (64 KiB to be hashed or re-scored, 8192 ids), candidates and results for k up to a hundred. */
const FIXED: usize = 128 * 1024;
/** Vectors held at once: JS's copy, a batch of one query, padded to four. */
const VECTORS: usize = 8;

/** For a search by the index's own effort, with a filter; to read or remove vectors; to save. */
export function roomToUse(): usize {
  const slots = nodes().blocks << nodes().shift;
  return FIXED + VECTORS * rowBytes(state().dimensions) + codecBytes() + bitsetBytes(slots) + family().room(slots);
}

/** What JS writes of vectors at a time, unless one is longer: CHUNK_BYTES of src/base/adding.ts. */
const CHUNK_BYTES: u32 = 128 * 1024;

/** To add n vectors, `chunk` at a time: JS has them and their ids in scratch, and there are as many slots. */
function roomToAdd(n: u32, chunk: u32): usize {
  return align(chunk * inputBytes(), 64) + 2 * align(<usize>chunk << 2, 64) + family().roomToAdd(n, chunk);
}

/**
 * To add n vectors or to put others in the place of any, as many in one call as there are slots; to move together what is left, by a map where no
 * table of ids is as long (compaction.ts); and a first such table, beside which there is to be room to search.
 */
function roomToChange(n: u32, chunk: u32): usize {
  const free = freeSlots();
  const slots = nodes().count + max(n, free) - free;
  const whole = max(CHUNK_BYTES / inputBytes(), 1);
  const table = roomForIds(slots), map = <usize>slots << 2;
  const change = roomToAdd(n, max(chunk, min(whole, slots))) + family().roomToChange(slots);
  return table + max(roomToUse(), max(change, table || lendIds(map) ? 0 : map));
}

/** Whether there is room for all this beside the tables as they are. What is wanted only once something changes need not be there yet. */
export function fits(n: u32, chunk: u32): bool {
  const start = mark();
  const now = max(roomToUse(), roomToAdd(n, chunk)), later = roomToChange(n, chunk);
  const ok = alloc(now) != 0 && family().openBuilder() && <u64>(max(later, now) - now) <= left();
  reset(start);
  return ok;
}

// Growing only adds blocks, directories and tables at the top of memory: with these records as they were, and the top,
// it has not happened.
const SAVED_UPPER: usize = SAVED + offsetof<Store>();
const SAVED_IDS: usize = SAVED_UPPER + offsetof<Store>();
if (SAVED_IDS + ID_TABLE_BYTES > SAVED + SAVED_BYTES) ERROR("saved records have outgrown SAVED_BYTES of assembly/memory/arena.ts");

/** Before growing; undo() takes what it returns. */
export function remember(): usize {
  memory.copy(SAVED, NODES, offsetof<Store>());
  memory.copy(SAVED_UPPER, UPPER, offsetof<Store>());
  memory.copy(SAVED_IDS, ID_TABLE, ID_TABLE_BYTES);
  return mark();
}
export function undo(start: usize): void {
  memory.copy(NODES, SAVED, offsetof<Store>());
  memory.copy(UPPER, SAVED_UPPER, offsetof<Store>());
  memory.copy(ID_TABLE, SAVED_IDS, ID_TABLE_BYTES);
  narrowFilters(start);
  release(start);
}
