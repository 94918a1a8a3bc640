// Equal rows below one edge are one candidate with many ids.
import { NONE } from "../../base/codes";
import { nextOf } from "../../table/chain";
import { exactCodec, isSameCode } from "../../codec/scorer";
import { Gathering } from "../../search/gathering";
import { edgeOf } from "./records";

/** Adds what lies below an edge, all of it equal, until `most` slots have been met in all. */
export function gatherAlike(g: Gathering, code: u32, most: u32): void {
  if (g.beginCopies(firstBelow(code))) addBelow(g, code, most);
}

function firstBelow(code: u32): u32 {
  while (edgeOf(code).record != NONE) code = edgeOf(code).record << 1;
  return edgeOf(code).first;
}

function addBelow(g: Gathering, code: u32, most: u32): void {
  const edge = edgeOf(code);
  if (edge.record != NONE) {
    addBelow(g, edge.record << 1, most);
    addBelow(g, edge.record << 1 | 1, most);
    return;
  }
  for (let slot = edge.first; slot != NONE && g.met < most; slot = nextOf(edge.tree, slot)) g.addCopy(slot);
}

/** Whether the rows of n slots are equal. */
export function areAlike(slots: usize, n: u32): bool {
  for (let i: usize = 4, end = <usize>n << 2; i < end; i += 4) {
    if (!isSameCode(exactCodec(), load<u32>(slots), load<u32>(slots + i))) return false;
  }
  return true;
}

/** Leaves may be long, and looking through all of one for each of its slots would take longer than splitting it did. */
const WINDOW: u32 = 64;

/** Puts slots of equal values, as copies are, one after the other, where they are not far apart. */
export function gatherEquals(slots: usize, values: usize, n: u32): void {
  for (let i: u32 = 0; i + 1 < n; i++) {
    for (let j = i + 1, end = min(n, i + WINDOW); j < end; j++) {
      if (load<f32>(values + (<usize>j << 2)) != load<f32>(values + (<usize>i << 2))) continue;
      i++;
      swap(slots, i, j);
      swap(values, i, j);
    }
  }
}

function swap(words: usize, i: u32, j: u32): void {
  const a = words + (<usize>i << 2), b = words + (<usize>j << 2);
  const word = load<u32>(a);
  store<u32>(a, load<u32>(b));
  store<u32>(b, word);
}
