// Which vectors a walk can meet. One that no chain of links leads to is in no answer, however wide the beam.
import { bitsetBytes, hasBit, setBit } from "../../base/bitset";
import { E_MEMORY, NONE } from "../../base/codes";
import { alloc, mark, reset } from "../../memory/arena";
import { state } from "../../memory/state";
import { LIVE, nodes, stageOf } from "../../table/nodes";
import { linkedSlots } from "./graph";
import { flood } from "./reconnect";
import { nodeOf } from "./twins";

/**
 * Live slots that no walk can reach, but for those that wait to be linked: every layer is flooded from what was reached on the layer above, the highest from the entry.
 * Costs a pass over all links and 4.25 bytes of scratch per slot; E_MEMORY where scratch cannot grow.
 */
export function countUnreachable(): i32 {
  const s = state();
  if (s.entry == NONE) return 0;
  const start = mark();
  const bytes = bitsetBytes(nodes().count);
  const reached = alloc(bytes);
  const above = alloc(bytes);
  const queue = alloc(<usize>nodes().count << 2);
  let lost: i32 = E_MEMORY;
  if (reached && above && queue) {
    memory.fill(reached, 0, bytes);
    setBit(reached, s.entry);
    for (let layer = <i32>s.topLevel; layer >= 0; layer--) {
      memory.copy(above, reached, bytes);
      memory.fill(reached, 0, bytes);
      floodFrom(above, layer, reached, queue);
    }
    lost = countLost(reached);
  }
  reset(start);
  return lost;
}

function floodFrom(above: usize, layer: u32, reached: usize, queue: usize): void {
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
    if (hasBit(above, slot) && !hasBit(reached, slot)) flood(layer, slot, reached, queue, 0, false);
  }
}

function countLost(reached: usize): i32 {
  let lost = 0;
  for (let slot: u32 = 0, n = linkedSlots(); slot < n; slot++) if (stageOf(slot) == LIVE && !hasBit(reached, nodeOf(slot)) && nodeOf(slot) < n) lost++;
  return lost;
}
