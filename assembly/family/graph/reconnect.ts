// Lost nodes are tied back: where a node's parent is to go (sweep.ts), or a file says nothing of parents (roots.ts), it gets another by its
// own links, or by a walk for it. So the entry reaches every node on layer 0, whatever is cut; a node of the layers above that these do not
// lead to any more is looked for by strays.ts.
import { bitsetBytes, testAndSet } from "../../base/bitset";
import { NONE } from "../../base/codes";
import { alloc, mark, reset } from "../../memory/arena";
import { state } from "../../memory/state";
import { DEAD, LIVE, nodes, stageOf } from "../../table/nodes";
import { Builder, beamAround, linkBack } from "./builder";
import { degree, degreeLimit, isTwin, linkedSlots, linksOf } from "./graph";
import { findParent, forgetParents, hasParent, setParent } from "./roots";
import { tieStrayed } from "./strays";

/** Before layer 0 changes: everybody's parent is known. */
export function findRoots(b: Builder): void {
  const s = state();
  if (s.rooted) return;
  s.rooted = 1;
  if (s.entry == NONE) return;
  forgetParents();
  const n = nodes().count;
  const start = mark();
  const reached = alloc(bitsetBytes(n));
  const queue = alloc(<usize>n << 2);
  if (reached && queue) {
    memory.fill(reached, 0, bitsetBytes(n));
    flood(0, s.entry, reached, queue, 0, true);
  }
  reset(start);
  for (let slot: u32 = 0; slot < n; slot++) if (stays(slot)) keepRooted(b, slot);
}

export function roomToReconnect(slots: u32): usize { return bitsetBytes(slots) + (<usize>slots << 2) + 128; }

/** Whether a slot is a node, linked, and not doomed. */
export function stays(slot: u32): bool {
  const stage = stageOf(slot);
  return (stage == LIVE || stage == DEAD) && !isTwin(slot) && slot < linkedSlots();
}

/** A node that has no parent, or a doomed one, gets another: one that it links to, or somebody near it; none that is below it. */
export function keepRooted(b: Builder, slot: u32): void {
  if (slot == state().entry || hasParent(slot)) return;
  let parent = findParent(slot, linksOf(0, slot), degree(0, slot));
  const cutOff = parent == NONE;
  if (cutOff) {
    const beam = beamAround(b, slot, 0, state().efConstruction);
    const near = min(beam.size, degreeLimit(0) - 1);
    for (let i: u32 = 0; i < near; i++) store<u32>(b.chosen + (i << 2), beam.slotAt(i));
    store<u32>(b.chosen + (near << 2), state().entry);
    parent = findParent(slot, b.chosen, near + 1);
  }
  setParent(slot, parent);
  if (parent == NONE) return;
  linkBack(b, 0, parent, slot);
  if (cutOff) tieStrayed(b, slot);
}

/**
 * Marks all that can be reached from `from`, and leaves them in `queue` from place `at` on; returns where they end. `asChildren`: of whom they
 * were reached from (roots.ts).
 */
export function flood(layer: u32, from: u32, reached: usize, queue: usize, at: u32, asChildren: bool): u32 {
  let tail = at;
  testAndSet(reached, from);
  store<u32>(queue + (<usize>tail << 2), from);
  tail++;
  for (let head = at; head < tail; head++) tail = spread(layer, load<u32>(queue + (<usize>head << 2)), reached, queue, tail, asChildren);
  return tail;
}

/** The same of those that a slot links to. */
export function spread(layer: u32, slot: u32, reached: usize, queue: usize, tail: u32, asChildren: bool): u32 {
  const links = linksOf(layer, slot);
  for (let p = links, end = links + (degree(layer, slot) << 2); p < end; p += 4) {
    const other = load<u32>(p);
    if (testAndSet(reached, other)) continue;
    if (asChildren) setParent(other, slot);
    store<u32>(queue + (<usize>tail << 2), other);
    tail++;
  }
  return tail;
}
