// What is being built at once, and by whom: the records that all of bulk/ reads.
import { TEAM } from "../../../memory/arena";
import { Codec } from "../../../codec/scorer";

/** Slots of a leaf at most. Their codes at d = 784 and their distances (1 MiB) pass through L2. */
export const LEAF: u32 = 512;

/** By dots so many more are hubs. */
export function leafSize(): u32 { return bulk().byDots ? LEAF >> 1 : LEAF; }

/** The nearest cannot be told apart in a leaf: the slot is inserted by itself. */
export const UNCLEAR: u8 = 1;

/** They cannot by the codec of walks (blur.ts): the slot chooses by whole values. */
export const BLURRED: u8 = 2;

/** What is linked at once, and how far that is; the layer at hand is what threads share. */
@unmanaged export class Bulk {
  phase: u32;    // steps.ts
  next: u32;     // how far a phase is: the next task, slot or layer
  layer: u32;
  first: u32;    // slots from here on are linked, with each other and with those before, which are
  count: u32;    // where they end
  n: u32;        // those of them that are on the layer
  all: u32;      // and with them those that are linked already
  slots: u32;    // all x u32, ascending from either: n to be linked, then the others
  order: u32;    // n x u32: the first of these, those near each other together
  marks: u32;    // u8 per slot, as if from slot 0 on
  lists: u32;    // candidates, where they have no place of their own (candidates.ts)
  slotBits: u32; // of an entry in them
  parts: u32;    // PART: slots by leader
  ends: u32;     // where each leader's end
  leaderOf: u32; // ASSIGN: per slot
  leaders: u32;  // WholeRows
  k: u32;        // how many
  scale: f32;    // theirs
  round: u32;
  rounds: u32;
  linkEnds: u32; // JOIN, TIE: where the links to each slot of linkedFrom..linkedTo end, in
  links: u32;
  linkedFrom: u32;
  linkedTo: u32;
  tying: u32;    // 1: these were linked before
  committed: u32; // 1: and are being linked to the others
  flood: u32;    // flood.ts
  path: u64;     // of the leaders' random numbers
  byDots: u32;   // 1: leaves are by direction, and by dots within; 0: both by distance
  hubs: u32;     // Hubs, where byDots
  by: u32;       // Codec that links are chosen by
  watched: u32;  // slots that have chosen, and of them
  blurred: u32;  // those that this codec could not place
  builder: u32;  // Builder
  table: u32;    // of twins.ts, while twins are looked for
  due: u32;      // of strays.ts
  above: u32;    // slots to be linked that are above layer 0
  twins: u32;    // as many as there were before unclear ones were inserted, and of these
  unclear: u32;  // so many
  alone: u32;    // 1: other threads do nothing
  least: f64;    // squared lengths of the shortest row and the longest, where they matter
  most: f64;
  atLayer: u32;  // where the scratch of the layer begins, of a round, and of all
  atRound: u32;
  start: u32;
  desk: u32;     // 1: one is open for the parts

  @inline codec(): Codec { return changetype<Codec>(this.by); }
  /** Whether a slot is one of those that are being linked. */
  @inline isFresh(slot: u32): bool { return slot >= this.first; }
  @inline slotAt(i: u32): u32 { return load<u32>(this.slots + (<usize>i << 2)); }
  @inline mark(slot: u32, what: u8): void { store<u8>(this.marks + slot, load<u8>(this.marks + slot) | what); }
  @inline isMarked(slot: u32, what: u8): bool { return (load<u8>(this.marks + slot) & what) != 0; }
}

@inline export function bulk(): Bulk { return changetype<Bulk>(bulkNow()); }

@unmanaged export class Team {
  ticket: u64;  // [number of the run 32][next task 32]
  run: u32;     // the same number: what workers wait for
  tasks: u32;   // where the run's tasks end
  done: u32;
  kind: u32;
  failed: u32;  // somebody had no room to work in
  workers: u32; // threads beside the first
  bulk: u32;    // what is being built (tasks.ts); 0: nothing
  single: u32;  // 1: what waits is inserted one by one: it is not worth more, or there is no room
  alone: u32;   // 1: without the others, for whom there is no room
  stopped: u32; // how often linking was given up before it was done
  bytes: u32;   // of a region
  regions: u32; // MOST_WORKERS x u32 follow: each worker's records and scratch, or 0
}

@inline export function team(): Team { return changetype<Team>(TEAM); }

@inline export function bulkNow(): usize { return team().bulk; }
