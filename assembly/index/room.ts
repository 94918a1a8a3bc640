// What operations work with beside the index itself, so that a full index can still do all that makes it no larger:
// whatever takes permanent memory (reserve, restore, compaction) leaves as much free as this says, or does nothing.
import { bitsetBytes } from "../base/bitset";
import { ALL, GRAPH, KIND_FLAT, KIND_FOREST, KIND_HNSW, KIND_IVF, KIND_KDTREE, KIND_LSH } from "../base/codes";
import { align, rowBytes } from "../base/sizes";
import { ID_TABLE, ID_TABLE_BYTES, NODES, SAVED, SAVED_BYTES, UPPER, alloc, mark, release, reset } from "../memory/arena";
import { kindNow, state } from "../memory/state";
import { Store } from "../memory/store";
import { nodes } from "../table/nodes";
import { codecBytes } from "../codec/scorer";
import { inputBytes } from "../search/prepare";
import { flatRoom } from "../family/flat/flat";
import { prefilterRoom } from "../family/flat/prefiltered";
import { Builder } from "../family/graph/builder";
import { hnswRoom } from "../family/graph/hnsw";
import { ivfRoom } from "../family/ivf/ivf";
import { lshRoom } from "../family/lsh/lsh";
import { treeRoom, treeScratch } from "../family/tree/tree";

/** JS's chunks (64 KiB to be hashed or re-scored, 8192 ids), candidates and results for k up to a hundred. */
const FIXED: usize = 128 * 1024;
/** Vectors held at once: JS's copy, a batch of one query, padded to four. */
const VECTORS: usize = 8;

/** For a search by the index's own effort, with a filter; to read or remove vectors; to save. */
export function roomToUse(): usize {
  const slots = nodes().blocks << nodes().shift;
  return FIXED + VECTORS * rowBytes(state().dimensions) + codecBytes() + bitsetBytes(slots) + familyRoom(slots);
}

function familyRoom(slots: u32): usize {
  const kind = kindNow();
  if (kind == KIND_HNSW) return hnswRoom(slots);
  if (GRAPH && state().prefilter) return prefilterRoom(slots);
  if (!ALL) return 0;
  if (kind == KIND_IVF) return ivfRoom();
  if (kind == KIND_LSH) return lshRoom(slots);
  return kind == KIND_FLAT ? flatRoom(slots) : treeRoom(slots);
}

/** To add n vectors, `chunk` at a time: JS has them and their ids in scratch, addVectors their slots, and under ivf lists. */
function roomToAdd(n: u32, chunk: u32): usize {
  const kind = kindNow();
  const numbers = align(<usize>chunk << 2, 64);
  const bytes = align(chunk * inputBytes(), 64) + 2 * numbers;
  if (ALL && kind == KIND_IVF) return bytes + numbers + <usize>chunk * rowBytes(state().dimensions) + 64;
  return ALL && (kind == KIND_KDTREE || kind == KIND_FOREST) ? bytes + treeScratch(n) : bytes;
}

/** Whether there is room for all this beside the tables as they are. */
export function fits(n: u32, chunk: u32): bool {
  const start = mark();
  const room = alloc(max(roomToUse(), roomToAdd(n, chunk)));
  const ok = room != 0 && (kindNow() != KIND_HNSW || changetype<usize>(Builder.open()) != 0);
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
  release(start);
}
