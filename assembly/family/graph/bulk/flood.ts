// A layer is flooded from the entry in steps, and whoever was not reached is tied (islands.ts).
import { bitsetBytes, testAndSet } from "../../../base/bitset";
import { alloc } from "../../../memory/arena";
import { state } from "../../../memory/state";
import { nodes } from "../../../table/nodes";
import { Builder } from "../builder";
import { linkedSlots } from "../graph";
import { spread } from "../reconnect";
import { forgetParents } from "../roots";
import { tieIsland } from "./islands";

@unmanaged export class Flood {
  layer: u32;
  reached: u32; // bitset of slots
  queue: u32;   // those that were reached, in that order: u32 per slot
  head: u32;    // how many of them have been looked at, of how many
  end: u32;
  slot: u32;    // and then: those before it are reached

  /** Where everybody's parent is found anew, nobody has one. 0 where scratch cannot grow. */
  static open(layer: u32): Flood {
    const none = changetype<Flood>(0);
    const n = nodes().count;
    const at = alloc(offsetof<Flood>());
    const reached = at ? alloc(bitsetBytes(n)) : 0;
    const queue = reached ? alloc(<usize>n << 2) : 0;
    if (!queue) return none;
    const f = changetype<Flood>(at);
    f.layer = layer;
    f.reached = <u32>reached;
    f.queue = <u32>queue;
    f.head = 0;
    f.end = 1;
    f.slot = 0;
    if (!layer) forgetParents();
    memory.fill(reached, 0, bitsetBytes(n));
    testAndSet(reached, state().entry);
    store<u32>(queue, state().entry);
    return f;
  }

  /** Looks at `most` slots more, whether or not they have been reached; an island is tied at once. True once all have been looked at. */
  advance(b: Builder, most: u32): bool {
    for (; this.head < this.end; most--) {
      if (!most) return false;
      const slot = load<u32>(this.queue + (this.head++ << 2));
      this.end = spread(this.layer, slot, this.reached, this.queue, this.end, !this.layer);
    }
    for (const linked = linkedSlots(); this.slot < linked; most--) {
      if (!most) return false;
      this.end = this.head = tieIsland(b, this.layer, this.slot++, this.reached, this.queue, this.end);
    }
    return true;
  }
}
