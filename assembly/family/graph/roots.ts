// Nobody gets lost: each node but the entry has a parent, one of those that link to it, whose link is not given up for a nearer
// one. Along these links the entry reaches every node. Without them, lists that fill up with each other's nearest leave no link to
// who lies apart: 20 rows far from a crowd of 1,000 were found by no search.
//
//   parent column, u32 per slot: NONE of the entry. It is in no file: from the links it is found again before the first change.
import { NONE } from "../../base/codes";
import { state } from "../../memory/state";
import { DOOMED, FREE, layout, nodes, stageOf } from "../../table/nodes";
import { degree, degreeLimit, holds, linksOf, putLink } from "./graph";

export function openRoots(): void { layout().parent = nodes().addColumn(0, 4); }

function parentAt(slot: u32): usize { return nodes().at(layout().parent, slot); }
export function parentOf(slot: u32): u32 { return load<u32>(parentAt(slot)); }
export function setParent(slot: u32, parent: u32): void { store<u32>(parentAt(slot), parent); }

/** Whether somebody in use still links to a slot as its parent. */
export function hasParent(slot: u32): bool {
  const parent = parentOf(slot);
  return parent != NONE && stageOf(parent) != FREE && stageOf(parent) != DOOMED && holds(linksOf(0, parent), degree(0, parent), slot);
}

/** Children of a node at most, so that half of its links are its own choice. */
@inline export function mostChildren(): u32 { return state().m; }

export function childrenOf(slot: u32): u32 {
  let links = linksOf(0, slot);
  let children: u32 = 0;
  for (const end = links + (degree(0, slot) << 2); links < end; links += 4) children += <u32>(parentOf(load<u32>(links)) == slot);
  return children;
}

/** The first of n slots that has room for a child becomes the parent of `slot`, before it links to it. */
export function findParent(slot: u32, slots: usize, n: u32): void {
  let parent = NONE;
  for (const end = slots + (n << 2); slots < end && parent == NONE; slots += 4) {
    if (childrenOf(load<u32>(slots)) < mostChildren()) parent = load<u32>(slots);
  }
  setParent(slot, parent);
}

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

/** The entry has changed: the new one, at the root, leads to the old. */
export function moveRoot(from: u32, to: u32): void {
  setParent(to, NONE);
  adopt(to, from);
}
