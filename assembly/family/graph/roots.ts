// Nobody gets lost: each node but the entry has a parent, one of those that link to it, whose link is not given up for a nearer
// one. Along these links the entry reaches every node. Without them, lists that fill up with each other's nearest leave no link to
// who lies apart: 20 rows far from a crowd of 1,000 were found by no search.
//
//   parent column, u32 per slot: NONE of the entry. Where a file has none, it is found from the links before the first change.
import { NONE } from "../../base/codes";
import { isSigned } from "../../memory/metrics";
import { FREEING, ROOTING, state } from "../../memory/state";
import { DOOMED, FREE, layout, nodes, stageOf } from "../../table/nodes";
import { degree, degreeLimit, holds, linksOf, putLink } from "./graph";

const TAG_PARENT: u32 = 0x746e7270; // "prnt"

export function openRoots(): void { layout().parent = nodes().addColumn(TAG_PARENT, 4); }

@inline function parentAt(slot: u32): usize { return nodes().at(layout().parent, slot); }
export function parentOf(slot: u32): u32 { return load<u32>(parentAt(slot)); }
export function setParent(slot: u32, parent: u32): void { store<u32>(parentAt(slot), parent); }

/** Everybody's parent is to be found anew. A sweep begins again: some of those behind it may get a doomed one. */
export function forgetParents(): void {
  const s = state(), n = nodes().count;
  for (let slot: u32 = 0; slot < n; slot++) setParent(slot, NONE);
  if (s.doomed && s.sweepCursor < FREEING) s.sweepCursor = ROOTING;
}

/** Of a file: parents are slots, whoever they are. */
export function rootsAreValid(): bool {
  if (!state().rooted) return true;
  const n = nodes().count;
  for (let slot: u32 = 0; slot < n; slot++) if (parentOf(slot) != NONE && parentOf(slot) >= n) return false;
  return true;
}

/** Whether somebody in use still links to a slot as its parent. */
export function hasParent(slot: u32): bool {
  const parent = parentOf(slot);
  return parent != NONE && stageOf(parent) != FREE && stageOf(parent) != DOOMED && holds(linksOf(0, parent), degree(0, parent), slot);
}

/**
 * Children of a node at most, so that half of its links are its own choice; under dots, where most vectors choose the same few and
 * are nobody's answer themselves, seven of eight. gowalla-als-64, 10,000, ef 64: recall .962 after 766
 * distances, with half .955 after 834, and .970 after 719 where two in five are found by no search.
 */
@inline function mostChildren(): u32 { return isSigned() ? max(state().m >> 2, 1) : state().m; }

function childrenOf(slot: u32): u32 {
  let links = linksOf(0, slot);
  let children: u32 = 0;
  for (const end = links + (degree(0, slot) << 2); links < end; links += 4) children += <u32>(parentOf(load<u32>(links)) == slot);
  return children;
}

/** From a node to the root; along a curve they may be many. */
const MOST_STEPS: u32 = 1024;

/** Whether the way up from a node ends at the entry, and not by way of `slot`: then it can be its parent. */
function leadsUp(node: u32, slot: u32): bool {
  for (let steps: u32 = 0; node != NONE && node != slot && steps < MOST_STEPS; steps++) {
    if (node == state().entry) return true;
    node = parentOf(node);
  }
  return false;
}

/** Of the tree of parents so many levels are searched for room at most. */
const MOST_LEVELS: u32 = 32;

/**
 * Who is to be the parent of a slot that chose these n: the first that has room for a child, and is not below the slot. Where everybody chooses
 * the same few, as hubs under dot, none has; then somebody below the first, at a place drawn by the slot's number. NONE where all are below it.
 */
export function findParent(slot: u32, slots: usize, n: u32): u32 {
  let from = NONE;
  for (let p = slots, end = slots + (n << 2); p < end; p += 4) {
    const other = load<u32>(p);
    if (stageOf(other) == DOOMED || !leadsUp(other, slot)) continue;
    if (hasRoom(other)) return other;
    if (from == NONE) from = other;
  }
  for (let level: u32 = 0, lot = slot; level < MOST_LEVELS && from != NONE; level++, lot /= mostChildren()) {
    let links = linksOf(0, from);
    let skip = <i32>(lot % mostChildren());
    const parent = from;
    from = NONE;
    for (const end = links + (degree(0, parent) << 2); links < end; links += 4) {
      const child = load<u32>(links);
      if (parentOf(child) != parent || child == slot || stageOf(child) == DOOMED) continue;
      if (hasRoom(child)) return child;
      if (skip-- >= 0) from = child;
    }
    if (from == NONE) return parent; // its children are doomed, and go
  }
  return from;
}

@inline function hasRoom(slot: u32): bool { return childrenOf(slot) < mostChildren(); }

/** Links a node to a child, in place of the last that is none where its list is full; false where all are. */
export function adopt(parent: u32, child: u32): bool {
  const links = linksOf(0, parent);
  const n = degree(0, parent);
  if (!holds(links, n, child)) {
    let place = n;
    if (n == degreeLimit(0)) do {
      if (!place) return false;
      place--;
    } while (parentOf(load<u32>(links + (place << 2))) == parent);
    putLink(0, parent, place, child);
  }
  setParent(child, parent);
  return true;
}

/** Makes a node the parent of another instead of who was, so that the link lasts. False where it has no room, or is below the other. */
export function moveTo(parent: u32, child: u32): bool {
  return parentOf(child) != NONE && hasRoom(parent) && leadsUp(parent, child) && adopt(parent, child);
}

/** The entry has changed: the new one, at the root, leads to the old; only to its eyes where that is doomed. */
export function moveRoot(from: u32, to: u32): void {
  setParent(to, NONE);
  if (stageOf(from) == DOOMED) setParent(from, to);
  else adopt(to, from);
}
