// Nobody gets lost: each node but the entry has a parent, one of those that link to it, whose link is not given up for a nearer
// one. Along these links the entry reaches every node. Without them, lists that fill up with each other's nearest leave no link to
// who lies apart: 20 rows far from a crowd of 1,000 were found by no search.
//
//   parent column, u32 per slot: NONE of the entry. Where a file has none, it is found from the links before the first change.
import { NONE } from "../../base/codes";
import { isSigned } from "../../memory/metrics";
import { state } from "../../memory/state";
import { DOOMED, FREE, layout, nodes, stageOf } from "../../table/nodes";
import { degree, degreeLimit, holds, linksOf, putLink } from "./graph";

const TAG_PARENT: u32 = 0x746e7270; // "prnt"

export function openRoots(): void { layout().parent = nodes().addColumn(TAG_PARENT, 4); }

@inline function parentAt(slot: u32): usize { return nodes().at(layout().parent, slot); }
export function parentOf(slot: u32): u32 { return load<u32>(parentAt(slot)); }
export function setParent(slot: u32, parent: u32): void { store<u32>(parentAt(slot), parent); }

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

/** Of the tree of parents so many levels are searched for room at most. */
const MOST_LEVELS: u32 = 32;

/**
 * Who is to be the parent of a slot that chose these n, before any links to it: the first that has room for a child. Where everybody chooses
 * the same few, as hubs under dot, none has; then somebody below the first, at a place drawn by the slot's number. NONE if n is 0.
 */
export function findParent(slot: u32, slots: usize, n: u32): u32 {
  for (let p = slots, end = slots + (n << 2); p < end; p += 4) if (hasRoom(load<u32>(p))) return load<u32>(p);
  let from = n ? load<u32>(slots) : NONE;
  for (let level: u32 = 0, lot = slot; level < MOST_LEVELS && from != NONE; level++, lot /= mostChildren()) {
    let links = linksOf(0, from);
    let skip = lot % mostChildren();
    const parent = from;
    from = NONE;
    for (const end = links + (degree(0, parent) << 2); links < end; links += 4) {
      const child = load<u32>(links);
      if (parentOf(child) != parent || child == slot || stageOf(child) == DOOMED) continue;
      if (hasRoom(child)) return child;
      if (skip-- == 0) from = child;
    }
  }
  return NONE;
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
  if (parent == child || parentOf(child) == NONE || !hasRoom(parent)) return false;
  let steps: u32 = 0;
  for (let above = parent; above != NONE; above = parentOf(above)) if (above == child || ++steps > MOST_STEPS) return false;
  return adopt(parent, child);
}
/** From a node to the root; along a curve they may be many. */
const MOST_STEPS: u32 = 1024;

/** The entry has changed: the new one, at the root, leads to the old, unless that is doomed: after the sweep all have parents anew. */
export function moveRoot(from: u32, to: u32): void {
  setParent(to, NONE);
  if (stageOf(from) != DOOMED) adopt(to, from);
}
