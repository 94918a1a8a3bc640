// What trees are made of. Whatever leads to slots is an edge; a leaf is nothing but the edge that leads to it, so only
// inner nodes take a record of the upper store.
//
//   edge:    [Edge][box: low, high; 2 x vectorBytes() under kdtree: where the rows below lie]
//   record:  [edge 0][edge 1][Plane][unit normal; vectorBytes() under forest]     a row of value < split is behind edge 0
//
// Edge 0 of record t leads to the root of tree t; nothing else of these first records is used. An edge goes by its code,
// 2 x record + side. An empty index has no records.
import { KIND_KDTREE, NONE, OK } from "../../base/codes";
import { rowBytes } from "../../base/sizes";
import { addBlob } from "../../memory/blobs";
import { state } from "../../memory/state";
import { layout, nodes, upper } from "../../table/nodes";
import { decode, exactCodec } from "../../codec/scorer";

const TAG_CHAIN: u32 = 0x6e696863; // "chin"
const TAG_TREE: u32 = 0x65657274; // "tree"
const TRANSIENT: u32 = 0;

/** Plane.axis where no plane parts the slots; under kdtree because their rows are equal: a hash of record and slot does. */
export const HASHED: u32 = NONE;
/** forest: all rows below are equal; a hash of the slot, the same in every tree, parts them. */
export const ALIKE: u32 = NONE - 1;
/** forest: rows equal to that in the place of the normal are behind edge 1, all others behind edge 0. */
export const CROWD: u32 = NONE - 2;
/** Records a tree may use: twice the leaves that its slots would fill. */
const RECORDS_PER_LEAF: u64 = 2;

@unmanaged export class Edge {
  record: u32; // NONE: a leaf
  first: u32;  // leaf: the first slot of its chain, or NONE
  count: u32;  // slots below
  tree: u32;   // NONE where the edge is not used
}

@unmanaged export class Plane {
  axis: u32;     // HASHED, ALIKE, CROWD; kdtree: a row's value is its coordinate here; forest: 0, its dot with the normal
  split: f32;
  patience: u32; // changes below until the node may be built anew
  up: u32;       // code of the edge that leads here
}

/** What follows from the trees and is not saved. */
@unmanaged export class Trees {
  free: u32;  // free records, chained from state.treeFree through `record` of their edge 0
  like: u32;  // while loading: a slot below the ALIKE record at hand, or NONE
  reach: f64; // kdtree: no row has a larger squared length
}

@inline export function isKdTree(): bool { return state().kind == KIND_KDTREE; }
@inline export function treeCount(): u32 { return isKdTree() ? 1 : state().trees; }
@inline export function trees(): Trees { return changetype<Trees>(layout().lists); }

/** A row as f32, padded with zeros to 16 bytes. */
@inline export function vectorBytes(): u32 { return rowBytes(state().dimensions); }
@inline function edgeBytes(): u32 { return offsetof<Edge>() + (isKdTree() ? vectorBytes() << 1 : 0); }
@inline function recordBytes(): u32 { return (edgeBytes() << 1) + offsetof<Plane>() + (isKdTree() ? 0 : vectorBytes()); }

@inline export function rootOf(tree: u32): u32 { return tree << 1; }
@inline export function isRoot(code: u32): bool { return code >> 1 < treeCount(); }
@inline export function edgeOf(code: u32): Edge {
  return changetype<Edge>(upper().at(0, code >> 1) + (code & 1) * edgeBytes());
}
@inline export function planeOf(record: u32): Plane { return changetype<Plane>(upper().at(0, record) + (edgeBytes() << 1)); }
@inline export function lowOf(edge: Edge): usize { return changetype<usize>(edge) + offsetof<Edge>(); }
@inline export function highOf(edge: Edge): usize { return lowOf(edge) + vectorBytes(); }
@inline export function normalOf(plane: Plane): usize { return changetype<usize>(plane) + offsetof<Plane>(); }
@inline export function copyEdge(to: Edge, from: Edge): void {
  memory.copy(changetype<usize>(to), changetype<usize>(from), edgeBytes());
}

/** Columns; false where memory cannot grow. */
export function openTrees(): bool {
  layout().chain = nodes().addColumn(TAG_CHAIN, treeCount() << 2);
  upper().addColumn(TAG_TREE, recordBytes());
  layout().lists = <u32>addBlob(TRANSIENT, offsetof<Trees>() + vectorBytes());
  layout().row = layout().lists + offsetof<Trees>();
  return layout().lists != 0;
}

/** No trees, as of an empty index. */
export function clearTrees(): void {
  const t = trees();
  upper().count = 0;
  state().treeFree = NONE;
  t.free = 0;
  t.reach = 0;
}

/** Trees of one empty leaf each, for which there is room. */
export function plantTrees(): void {
  clearTrees();
  for (let tree: u32 = 0; tree < treeCount(); tree++) {
    clearRecord(upper().count++);
    edgeOf(rootOf(tree)).tree = tree;
  }
}

/** The edge leads to an empty leaf. */
export function setLeaf(edge: Edge): void {
  edge.record = NONE;
  edge.first = NONE;
  edge.count = 0;
}

/** The slot's row, decoded, in a place of its own: until the next call. */
export function rowOf(slot: u32): usize {
  decode(exactCodec(), slot, layout().row);
  return layout().row;
}

// ---- records --------------------------------------------------------------------------------------------------------

/** All but those of roots. */
export function usedRecords(): u32 { return max(upper().count, treeCount()) - treeCount() - trees().free; }

/** Edges that can wait in a frontier at once: each record that is left for two adds one. */
export function frontierSize(): u32 { return treeCount() + usedRecords() + 1; }

function mostRecords(slots: u64): u64 {
  return treeCount() * (RECORDS_PER_LEAF * slots / max(state().leafSize, 1) + 1);
}

/** Room for all the records that trees of so many slots may use. */
export function ensureRecords(slots: u64): bool {
  const records = mostRecords(slots) + treeCount();
  return records < <u64>NONE >> 1 && upper().ensure(<u32>records) == OK;
}

/** A record, or NONE: the leaf stays as it is, longer than others. */
export function takeRecord(): u32 {
  const s = state();
  if (usedRecords() >= mostRecords(s.live)) return NONE;
  const record = s.treeFree;
  if (record == NONE) return upper().count < upper().blocks << upper().shift ? upper().count++ : NONE;
  s.treeFree = edgeOf(record << 1).record;
  trees().free--;
  return record;
}

export function freeRecord(record: u32): void {
  const s = state();
  clearRecord(record);
  edgeOf(record << 1).record = s.treeFree;
  s.treeFree = record;
  trees().free++;
}

/** Two empty leaves of no tree, and zeros. */
function clearRecord(record: u32): void {
  memory.fill(upper().at(0, record), 0, recordBytes());
  for (let side: u32 = 0; side < 2; side++) {
    const edge = edgeOf(record << 1 | side);
    setLeaf(edge);
    edge.tree = NONE;
  }
}
