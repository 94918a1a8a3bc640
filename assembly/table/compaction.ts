// Live slots move together at the front, in their order, in place.
import { NONE } from "../base/codes";
import { alloc } from "../memory/arena";
import { state } from "../memory/state";
import { moveInFilters } from "./filters";
import { lendIds } from "./ids";
import { LIVE, nodes, stageOf } from "./nodes";

/**
 * Where each slot goes, u32 per slot: the live ones to 0, 1, 2 ... in their order, the others NONE. It lies in the table of ids, which is of no
 * use meanwhile, or in scratch; 0: there is none.
 */
export function newNumbers(): usize {
  const n = nodes().count;
  const lent = lendIds(<usize>n << 2);
  const map = lent ? lent : alloc(<usize>n << 2);
  let to: u32 = 0;
  for (let slot: u32 = 0; map && slot < n; slot++) store<u32>(map + (<usize>slot << 2), stageOf(slot) == LIVE ? to++ : NONE);
  return map;
}

/** All that the node store has of a slot goes where newNumbers() says. */
export function moveSlots(map: usize): void {
  const s = state();
  const table = nodes();
  for (let slot: u32 = 0; slot < table.count; slot++) {
    const to = load<u32>(map + (<usize>slot << 2));
    if (to == NONE || to == slot) continue;
    for (let c: u32 = 0; c < table.columns; c++) table.move(c, slot, to);
    moveInFilters(slot, to);
  }
  table.count = s.live;
  s.freeHead = NONE;
}
