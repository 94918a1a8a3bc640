// Growing and shrinking of the kd-tree and of the forest's trees. A leaf that fills up is split; a node that changes have
// made lopsided is built anew (scapegoat trees, Galperin and Rivest 1993), so that no order of arrival makes trees deep.
// A build takes slots in one array beside their values on the plane, parts them in place and goes on with either side.
import { bitsetBytes, hasBit, testAndSet } from "../../base/bitset";
import { E_MEMORY, NONE, OK } from "../../base/codes";
import { random64, uniform } from "../../base/random";
import { alloc, mark, reset } from "../../memory/arena";
import { state } from "../../memory/state";
import { chainAt, nextOf, unchain } from "../../table/chain";
import { LIVE, nodes, stageOf, upper } from "../../table/nodes";
import { exactCodec, isSameCode } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { Frontier } from "../../search/frontier";
import { storeNew } from "../../search/rows";
import { Flat } from "../flat/flat";
import { areAlike, gatherEquals } from "./alike";
import { chooseCrowd, chooseHyperplane, dotWith, forestSearch, isOfCrowd, planeIsFinite } from "./forest";
import { boxHolds, chooseAxis, kdTreeSearch, median, noteLength, setBox, widen } from "./kdtree";
import {
  ALIKE, CROWD, HASHED, Edge, Plane, clearTrees, copyEdge, edgeOf, ensureRecords, freeRecord, highOf, isKdTree, isRoot, lowOf,
  openTrees, planeOf, plantTrees, rootOf, rowOf, setLeaf, takeRecord, treeCount, trees, usedRecords, vectorBytes,
} from "./records";

/** A node is lopsided when one side holds more than this share of its slots, and a leaf's more. */
const KDTREE_SHARE: f64 = 0.7;
const FOREST_SHARE: f64 = 0.95;
/**
 * The kd-tree's nodes of fewer leaves than this are built anew by a removal after as many changes as half of what they held: leaves are full
 * again, and boxes tight.
 */
const RENEWED_LEAVES: u32 = 32;
/** Planes of the forest that fewer slots than this were there to choose from are chosen anew when those have doubled. */
const FEW: u32 = 2048;

abstract class TreeFamily extends Flat {
  open(): bool { return openTrees(); }
  packs(): bool { return false; }
  reserve(n: u32, fresh: u32, gone: u32): bool {
    return ensureRecords(<u64>state().live + n - gone) && super.reserve(n, fresh, gone);
  }
  room(slots: u32): usize { return treeRoom(slots); }
  roomToAdd(n: u32, chunk: u32): usize { return buildRoom(n); }
  link(): bool { return treesAreValid(); }

  /** One by one, or with all others in trees built anew. */
  add(vectors: usize, ids: usize, lists: usize, n: u32): i32 {
    const slots = alloc(<usize>n << 2);
    if (!slots) return E_MEMORY;
    for (let i: u32 = 0; i < n; i++) store<u32>(slots + (<usize>i << 2), storeNew(vectors, ids, i, NONE));
    if (n > state().live - n) buildTrees();
    else for (let i: u32 = 0; i < n; i++) insert(load<u32>(slots + (<usize>i << 2)));
    return OK;
  }

  remove(slot: u32): void {
    takeOut(slot);
    super.remove(slot);
  }

  clear(): void {
    super.clear();
    clearTrees();
  }

  renew(): void { if (state().live) buildTrees(); }
  compact(): bool {
    const moved = super.compact();
    if (moved) buildTrees();
    return moved;
  }

}

export class KdTree extends TreeFamily {
  search(ask: Ask): i32 { return state().live ? kdTreeSearch(ask) : super.search(ask); }
}

export class Forest extends TreeFamily {
  search(ask: Ask): i32 { return state().live ? forestSearch(ask) : super.search(ask); }
}

/** Scratch of trees built anew. */
function buildRoom(n: u32): usize {
  return 3 * (<usize>(state().live + n) << 2) + (vectorBytes() << 1) + 1024;
}

/** Scratch of a search: a frontier of records, and which slots were seen. */
function treeRoom(slots: u32): usize {
  return Frontier.bytes((upper().blocks << upper().shift) + 1) + bitsetBytes(slots);
}

@inline function valueOf(plane: Plane, record: u32, slot: u32, row: usize): f32 {
  if (plane.axis == HASHED) return hashOf(record, slot);
  if (plane.axis == ALIKE) return hashOfSlot(slot);
  if (plane.axis == CROWD) return <f32>isOfCrowd(plane, row);
  return isKdTree() ? load<f32>(row + (<usize>plane.axis << 2)) : dotWith(plane, row);
}

@inline function hashOf(record: u32, slot: u32): f32 { return random64(state().seed, <u64>record << 32 | slot) & 1 ? 1 : -1; }

@inline function hashOfSlot(slot: u32): f32 { return <f32>uniform(state().seed, slot); }

/** The code of the leaf that a row's values lead to. */
function leafOf(tree: u32, slot: u32): u32 {
  const row = rowOf(slot);
  let code = rootOf(tree);
  for (let record = edgeOf(code).record; record != NONE; record = edgeOf(code).record) {
    const plane = planeOf(record);
    code = record << 1 | u32(!(valueOf(plane, record, slot, row) < plane.split));
  }
  return code;
}

// ---- building -------------------------------------------------------------------------------------------------------

/** All trees anew from the live slots; where scratch cannot grow, slot by slot. */
function buildTrees(): void {
  const start = mark();
  const room = <usize>state().live << 2;
  const slots = alloc(3 * room);
  plantTrees();
  if (slots) memory.fill(slots + room, 0, room);
  for (let tree: u32 = 0; slots && tree < treeCount(); tree++) build(rootOf(tree), slots, liveSlots(slots), room);
  for (let slot: u32 = 0; !slots && slot < nodes().count; slot++) if (stageOf(slot) == LIVE) insert(slot);
  reset(start);
}

/** Writes them in ascending order; returns how many they are. */
function liveSlots(out: usize): u32 {
  let n: u32 = 0;
  for (let slot: u32 = 0; slot < nodes().count; slot++) {
    if (stageOf(slot) == LIVE) store<u32>(out + (<usize>(n++) << 2), slot);
  }
  return n;
}

/** Builds what lies below an edge anew, if scratch can grow. */
function rebuild(code: u32): void {
  const start = mark();
  const edge = edgeOf(code);
  const room = <usize>edge.count << 2;
  const slots = alloc(3 * room);
  if (!slots) return;
  memory.fill(slots + room, 0, room);
  const n = edge.count;
  let at = slots;
  for (takeApart(code); edge.first != NONE; at += 4) {
    store<u32>(at, edge.first);
    edge.first = nextOf(edge.tree, edge.first);
  }
  build(code, slots, n, room);
  reset(start);
}

/** A tree over n slots; `room` bytes behind them are their values, and as many more spare. */
function build(code: u32, slots: usize, n: u32, room: usize): void {
  for (;;) {
    const edge = edgeOf(code);
    setLeaf(edge);
    edge.count = n;
    if (isKdTree()) setBox(edge, slots, n);
    const record = n > state().leafSize ? split(code, slots, n, room) : NONE;
    if (record == NONE) {
      gatherEquals(slots, slots + room, n);
      for (let i = n; i > 0; i--) chainAt(headOf(edge), edge.tree, load<u32>(slots + (<usize>(i - 1) << 2)));
      return;
    }
    // The smaller side by recursion, so that it is at most 26 deep.
    const below = edgeOf(record << 1).count, above = n - below;
    if (below <= above) {
      build(record << 1, slots, below, room);
      slots += <usize>below << 2;
      code = record << 1 | 1;
      n = above;
    } else {
      build(record << 1 | 1, slots + (<usize>below << 2), above, room);
      code = record << 1;
      n = below;
    }
  }
}

@inline function headOf(edge: Edge): usize { return changetype<usize>(edge) + offsetof<Edge>("first"); }

/** Parts n slots by a new plane; the record between them, or NONE where they stay one leaf. */
function split(code: u32, slots: usize, n: u32, room: usize): u32 {
  const record = takeRecord();
  if (record == NONE) return NONE;
  const edge = edgeOf(code);
  const plane = planeOf(record);
  const values = slots + room;
  if (isKdTree()) {
    if (!chooseAxis(plane, edge, slots, n, values, values + room)) hash(plane, record, slots, n, values);
  } else if (areAlike(slots, n)) partCopies(plane, slots, n, values, values + room);
  else if (!chooseCrowd(plane, record, slots, n, values) && !chooseHyperplane(plane, record, slots, n, values)) {
    hash(plane, record, slots, n, values);
  }
  const below = partition(slots, values, n, plane.split);
  if (!below || below == n) {
    freeRecord(record);
    return NONE;
  }
  plane.patience = !isKdTree() ? n : plane.axis == HASHED ? state().leafSize : n >> 1;
  plane.up = code;
  edge.record = record;
  for (let side: u32 = 0; side < 2; side++) {
    const child = edgeOf(record << 1 | side);
    setLeaf(child);
    child.tree = edge.tree;
    child.count = side ? n - below : below;
  }
  return record;
}

function hash(plane: Plane, record: u32, slots: usize, n: u32, values: usize): void {
  plane.axis = HASHED;
  plane.split = 0;
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 4) store<f32>(values + i, hashOf(record, load<u32>(slots + i)));
}

/** The same slots are on the same side in every tree, and so the first of them is the first in every tree. */
function partCopies(plane: Plane, slots: usize, n: u32, values: usize, spare: usize): void {
  plane.axis = ALIKE;
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 4) store<f32>(values + i, hashOfSlot(load<u32>(slots + i)));
  plane.split = median(values, spare, n);
}

/** Slots of values below `split` first; how many they are. */
function partition(slots: usize, values: usize, n: u32, split: f32): u32 {
  let below: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const p: usize = <usize>i << 2;
    const value = load<f32>(values + p);
    if (!(value < split)) continue;
    const to: usize = <usize>(below++) << 2;
    const slot = load<u32>(slots + p);
    store<u32>(slots + p, load<u32>(slots + to));
    store<f32>(values + p, load<f32>(values + to));
    store<u32>(slots + to, slot);
    store<f32>(values + to, value);
  }
  return below;
}

/** Makes what lies below an edge one leaf. */
function takeApart(code: u32): void {
  const edge = edgeOf(code);
  const n = edge.count, record = edge.record;
  if (record == NONE) return;
  setLeaf(edge);
  edge.count = n;
  spill(record, edge);
}

/** Puts all slots below a record into the leaf's chain and frees the record. */
function spill(record: u32, leaf: Edge): void {
  while (record != NONE) {
    const left = edgeOf(record << 1), right = edgeOf(record << 1 | 1);
    const small = left.count <= right.count ? left : right, large = small == left ? right : left;
    if (small.record != NONE) spill(small.record, leaf);
    else pour(small, leaf);
    const next = large.record;
    if (next == NONE) pour(large, leaf);
    freeRecord(record);
    record = next;
  }
}

function pour(from: Edge, to: Edge): void {
  for (let slot = from.first; slot != NONE; ) {
    const next = nextOf(from.tree, slot);
    chainAt(headOf(to), to.tree, slot);
    slot = next;
  }
}

// ---- changing -------------------------------------------------------------------------------------------------------

function insert(slot: u32): void {
  for (let tree: u32 = 0; tree < treeCount(); tree++) insertInto(tree, slot);
}

function insertInto(tree: u32, slot: u32): void {
  const leafCode = leafOf(tree, slot);
  const leaf = edgeOf(leafCode);
  const row = isKdTree() ? rowOf(slot) : 0;
  if (row) noteLength(row);
  const unlike = leaf.first != NONE && !isSameCode(exactCodec(), slot, leaf.first);
  chainAt(headOf(leaf), tree, slot);
  let outgrown = isFull(leaf) ? leafCode : NONE;
  for (let code = leafCode; ; code = planeOf(code >> 1).up) {
    const edge = edgeOf(code);
    if (row) widen(edge, row, !edge.count);
    edge.count++;
    if (edge.record != NONE && isOutgrown(edge.record, edge.count, unlike)) outgrown = code;
    if (isRoot(code)) break;
  }
  if (outgrown != NONE) rebuild(outgrown);
}

/** About to hold one more than a leaf should; longer ones, which could not be split, are tried again each time they double. */
function isFull(leaf: Edge): bool {
  const n = leaf.count + 1;
  return n == state().leafSize + 1 || (n > state().leafSize && !(n & n - 1));
}

/** Notes an insertion below the record, of a row `unlike` its neighbours; whether it is to be built anew. */
function isOutgrown(record: u32, count: u32, unlike: bool): bool {
  const plane = planeOf(record);
  if (plane.axis == ALIKE) return unlike;
  if (isKdTree() && plane.axis == HASHED && !unlike) return false;
  if (plane.patience) {
    plane.patience--;
    return false;
  }
  if (plane.axis == HASHED || (!isKdTree() && count <= FEW << 1)) return true;
  const larger = max(edgeOf(record << 1).count, edgeOf(record << 1 | 1).count);
  return <f64>larger > (isKdTree() ? KDTREE_SHARE : FOREST_SHARE) * <f64>count + <f64>state().leafSize;
}

/** Takes the slot, whose row is still stored, out of every tree. */
function takeOut(slot: u32): void {
  for (let tree: u32 = 0; tree < treeCount(); tree++) {
    let code = leafOf(tree, slot);
    if (!unchain(headOf(edgeOf(code)), tree, slot)) code = lookThrough(tree, slot);
    if (code != NONE) shrink(code);
  }
}

/**
 * Variants round a dot differently, so a row may not lead where another one has put it. Takes the slot out of whichever
 * leaf it is in.
 */
function lookThrough(tree: u32, slot: u32): u32 {
  for (let code: u32 = 0; code < upper().count << 1; code++) {
    const edge = edgeOf(code);
    if (edge.tree == tree && edge.record == NONE && unchain(headOf(edge), tree, slot)) return code;
  }
  return NONE;
}

/** A leaf has lost a slot: an empty one gives way to its sibling, a subtree that fits into half a leaf becomes one, and worn ones are built anew. */
function shrink(leaf: u32): void {
  const half = state().leafSize >> 1;
  let small: u32 = NONE, worn: u32 = NONE;
  for (let code = leaf; ; code = planeOf(code >> 1).up) {
    const edge = edgeOf(code);
    edge.count--;
    if (edge.record != NONE) {
      const plane = planeOf(edge.record);
      if (plane.patience) plane.patience--;
      else if (isKdTree() && edge.count > half && edge.count < RENEWED_LEAVES * state().leafSize) worn = code;
      if (edge.count <= half) small = code;
    }
    if (isRoot(code)) break;
  }
  if (small != NONE) takeApart(small);
  else if (!edgeOf(leaf).count && !isRoot(leaf)) giveWay(leaf);
  if (worn != NONE) rebuild(worn);
}

/** The sibling's edge takes the place of the one that leads to both. */
function giveWay(leaf: u32): void {
  const record = leaf >> 1;
  const up = planeOf(record).up;
  const sibling = edgeOf(leaf ^ 1);
  if (sibling.record != NONE) planeOf(sibling.record).up = up;
  copyEdge(edgeOf(up), sibling);
  freeRecord(record);
}

// ---- loading and statistics -----------------------------------------------------------------------------------------

/** Whether loaded trees can be searched: every live slot in one leaf of each, nothing else, and no way round in a circle. */
function treesAreValid(): bool {
  if (!state().live) return upper().count == 0 && state().treeFree == NONE;
  if (upper().count < treeCount()) return false;
  const start = mark();
  const slotBytes = bitsetBytes(nodes().count), recordBytes = bitsetBytes(upper().count);
  const slots = alloc(slotBytes), records = alloc(recordBytes);
  let valid = slots != 0 && records != 0;
  if (valid) memory.fill(records, 0, recordBytes);
  trees().reach = 0;
  for (let tree: u32 = 0; valid && tree < treeCount(); tree++) {
    memory.fill(slots, 0, slotBytes);
    const code = rootOf(tree);
    valid = !testAndSet(records, tree) && edgeOf(code | 1).tree == NONE
      && edgeOf(code).count == state().live && subtreeIsValid(code, tree, slots, records, false);
  }
  valid = valid && freeRecordsAreValid(records);
  reset(start);
  return valid;
}

/**
 * `slots` and `records`: bitsets of those met before; `alike`: all below must be. Counts are checked on the way down, so
 * recursion is at most 26 deep.
 */
function subtreeIsValid(code: u32, tree: u32, slots: usize, records: usize, alike: bool): bool {
  for (let edge = edgeOf(code); edge.record != NONE; edge = edgeOf(code)) {
    const record = edge.record;
    if (edge.tree != tree || edge.first != NONE || record >= upper().count || testAndSet(records, record)) return false;
    const plane = planeOf(record);
    if (plane.up != code || !planeIsValid(plane)) return false;
    const left = edgeOf(record << 1), right = edgeOf(record << 1 | 1);
    if (!left.count || !right.count || <u64>left.count + right.count != edge.count) return false;
    if (isKdTree() && !(boxHolds(edge, lowOf(left), highOf(left)) && boxHolds(edge, lowOf(right), highOf(right)))) return false;
    if (!alike && plane.axis == ALIKE) {
      alike = true;
      trees().like = NONE;
    }
    const small = u32(right.count < left.count);
    if (!subtreeIsValid(record << 1 | small, tree, slots, records, alike)) return false;
    code = record << 1 | small ^ 1;
  }
  return edgeOf(code).tree == tree && leafIsValid(edgeOf(code), slots, alike);
}

function planeIsValid(plane: Plane): bool {
  if (plane.axis == HASHED) return true;
  return isKdTree() ? plane.axis < state().dimensions : plane.axis >= CROWD || planeIsFinite(plane);
}

function leafIsValid(leaf: Edge, seen: usize, alike: bool): bool {
  let slot = leaf.first;
  for (let n = leaf.count; n > 0; n--) {
    if (slot >= nodes().count || stageOf(slot) != LIVE || testAndSet(seen, slot)) return false;
    if (isKdTree()) {
      const row = rowOf(slot);
      if (!boxHolds(leaf, row, row)) return false;
      noteLength(row);
    }
    if (alike && !isLike(slot)) return false;
    slot = nextOf(leaf.tree, slot);
  }
  return slot == NONE;
}

function isLike(slot: u32): bool {
  const t = trees();
  if (t.like == NONE) t.like = slot;
  return isSameCode(exactCodec(), slot, t.like);
}

/** `seen`: the records that trees use. The free chain holds all others, and ends. */
function freeRecordsAreValid(seen: usize): bool {
  let free: u32 = 0;
  for (let record = state().treeFree; record != NONE; record = edgeOf(record << 1).record) {
    if (record >= upper().count || testAndSet(seen, record)) return false;
    if (edgeOf(record << 1).tree != NONE || edgeOf(record << 1 | 1).tree != NONE) return false;
    free++;
  }
  for (let record: u32 = 0; record < upper().count; record++) if (!hasBit(seen, record)) return false;
  trees().free = free;
  return true;
}

/** Leaves of all trees. */
export function treeLeaves(): u32 { return state().live ? usedRecords() + treeCount() : 0; }

/** Records on the longest way from a root to a leaf. */
export function treeDepth(): u32 {
  let deepest: u32 = 0;
  for (let record = treeCount(); record < upper().count; record++) {
    if (edgeOf(record << 1).tree == NONE) continue;
    let depth: u32 = 1;
    for (let code = planeOf(record).up; !isRoot(code); code = planeOf(code >> 1).up) depth++;
    deepest = max(deepest, depth);
  }
  return deepest;
}
