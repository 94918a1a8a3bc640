// Chains of slots, threaded through the `chain` column: each slot is in one chain per list (a tree of the forest, a
// table of the lsh), and what it is chained to is one u32, NONE at the end.
import { NONE } from "../base/codes";
import { layout, nodes } from "./nodes";

@inline function nextAt(list: u32, slot: u32): usize { return nodes().at(layout().chain, slot) + (<usize>list << 2); }
@inline export function nextOf(list: u32, slot: u32): u32 { return load<u32>(nextAt(list, slot)); }

/** Puts the slot before what the u32 at `head` leads to. */
@inline export function chainAt(head: usize, list: u32, slot: u32): void {
  store<u32>(nextAt(list, slot), load<u32>(head));
  store<u32>(head, slot);
}

/** Takes the slot out of the chain that begins at `head`; false if it is not there. */
export function unchain(head: usize, list: u32, slot: u32): bool {
  for (let at = head; load<u32>(at) != NONE; at = nextAt(list, load<u32>(at))) {
    if (load<u32>(at) != slot) continue;
    store<u32>(at, nextOf(list, slot));
    return true;
  }
  return false;
}
