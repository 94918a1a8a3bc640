// Multi-probe (Lv et al. 2007, VLDB): after the query's own bucket come those of the likeliest neighbours' keys, which
// differ from the query's where its value was close to a border. A step moves one function's value over one border; it
// costs the squared margin. Sets of steps come out in order of cost: with the steps sorted, every set follows from a
// cheaper one, by exchanging its last step for the next (shift) or adding the next (expand).
import { alloc } from "../../memory/arena";
import { Frontier } from "../../search/frontier";

/** Two steps of each of at most 32 functions: a set is a u64. */
const MAX_STEPS: u32 = 64;
/** Sets that may wait; a search for more probes than about so many ends early. */
const MOST_SETS: u32 = 131072;

@unmanaged class Step {
  cost: f32;
  change: u32; // of the key
  bit: u32;    // of the function
  pad: u32;
}

@unmanaged class Steps {
  members: u64; // bitset of steps
  cost: f32;
  last: u32;
}

@unmanaged export class Probes {
  steps: u32;    // Step x MAX_STEPS
  count: u32;
  sets: u32;     // Steps x capacity
  used: u32;
  capacity: u32;
  frontier: u32; // over sets

  @inline private static setsFor(probes: u32): u32 { return min(probes, MOST_SETS >> 1) * 2 + 2; }

  static bytes(probes: u32): usize {
    return MAX_STEPS * offsetof<Step>() + Probes.setsFor(probes) * (offsetof<Steps>() + 8) + 256;
  }

  /** For so many probes of one table; 0 where scratch cannot grow. */
  static open(probes: u32): Probes {
    const capacity = Probes.setsFor(probes);
    const p = changetype<Probes>(alloc(offsetof<Probes>()));
    const steps = alloc(MAX_STEPS * offsetof<Step>());
    const sets = alloc(capacity * offsetof<Steps>());
    const frontier = Frontier.open(capacity);
    if (!(p && steps && sets && frontier)) return changetype<Probes>(0);
    p.steps = <u32>steps;
    p.sets = <u32>sets;
    p.capacity = capacity;
    p.frontier = <u32>changetype<usize>(frontier);
    return p;
  }

  @inline private order(): Frontier { return changetype<Frontier>(this.frontier); }
  @inline private stepAt(i: u32): Step { return changetype<Step>(this.steps + i * offsetof<Step>()); }
  @inline private setAt(i: u32): Steps { return changetype<Steps>(this.sets + i * offsetof<Steps>()); }

  clear(): void {
    this.count = 0;
    this.used = 0;
    this.order().clear();
  }

  /** Adds a step, in order of cost. */
  add(bit: u32, cost: f32, change: u32): void {
    let i = this.count++;
    for (; i > 0 && this.stepAt(i - 1).cost > cost; i--) {
      memory.copy(changetype<usize>(this.stepAt(i)), changetype<usize>(this.stepAt(i - 1)), offsetof<Step>());
    }
    const step = this.stepAt(i);
    step.cost = cost;
    step.change = change;
    step.bit = bit;
  }

  /** All steps are added: the first set is the cheapest step. */
  begin(): void {
    if (this.count) this.offer(this.used++, 1, this.stepAt(0).cost, 0);
  }

  /** The change of key of the next set; 0 when there are no more. */
  next(): u32 {
    const order = this.order();
    while (order.size) {
      const i = order.pop();
      const set = this.setAt(i);
      const members = set.members;
      this.follow(i, set);
      if (!this.contradicts(members)) return this.changeOf(members);
    }
    return 0;
  }

  /** Offers the two sets that follow from set i, one of them in its place. */
  private follow(i: u32, set: Steps): void {
    const members = set.members, cost = set.cost, last = set.last, next = last + 1;
    if (next == this.count) return;
    const more = this.stepAt(next).cost;
    if (this.used < this.capacity) this.offer(this.used++, members | <u64>1 << next, cost + more, next);
    this.offer(i, members ^ <u64>3 << last, cost - this.stepAt(last).cost + more, next);
  }

  private offer(i: u32, members: u64, cost: f32, last: u32): void {
    const set = this.setAt(i);
    set.members = members;
    set.cost = cost;
    set.last = last;
    this.order().push(cost, i);
  }

  /** Whether two steps are of one function, which can cross one border only. */
  private contradicts(members: u64): bool {
    let functions: u32 = 0;
    for (; members; members &= members - 1) {
      const bit: u32 = 1 << this.stepAt(<u32>ctz(members)).bit;
      if (functions & bit) return true;
      functions |= bit;
    }
    return false;
  }

  private changeOf(members: u64): u32 {
    let change: u32 = 0;
    for (; members; members &= members - 1) change += this.stepAt(<u32>ctz(members)).change;
    return change;
  }
}
