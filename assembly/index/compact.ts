// Renumbers the live slots 0, 1, 2 ... in their order, in place, so that what follows is free. Before: no slot is dead
// or doomed. After: JS copies the columns into a smaller memory.
import { E_MEMORY, OK } from "../base/codes";
import { mark } from "../memory/arena";
import { state } from "../memory/state";
import { fillIds, reserveIds, useIds } from "../table/ids";
import { nodes } from "../table/nodes";
import { family } from "../search/family";
import { fits, remember, undo } from "./room";

export function compactSlots(): i32 {
  const live = state().live;
  if (live == nodes().count) {
    family().renew();
    return OK;
  }
  const before = remember();
  // Where nothing is taken, what is free stays as it is.
  if (reserveIds(live) != OK || !family().reserve(0, 0, 0) || (mark() != before && !fits(0, 0)) || !family().compact()) {
    undo(before);
    return E_MEMORY;
  }
  useIds(); // a slot's number is no longer its id
  fillIds();
  return OK;
}
