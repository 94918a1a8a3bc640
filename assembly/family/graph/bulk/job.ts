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

/** Of the layer at hand, shared. */
@unmanaged export class Bulk {
  layer: u32;
  n: u32;        // slots on it
  slots: u32;    // n x u32
  order: u32;    // n x u32: the same, those near each other together
  marks: u32;    // u8 per slot
  parts: u32;    // PART: slots by leader
  ends: u32;     // where each leader's end
  leaderOf: u32; // ASSIGN: per slot
  leaders: u32;  // WholeRows
  k: u32;        // how many
  scale: f32;    // theirs
  linkEnds: u32; // JOIN: where the links to each slot end, in
  links: u32;
  path: u64;     // of the leaders' random numbers
  byDots: u32;   // 1: leaves are by direction, and by dots within; 0: both by distance
  hubs: u32;     // Hubs, where byDots
  by: u32;       // Codec that links are chosen by

  @inline codec(): Codec { return changetype<Codec>(this.by); }
}

@inline export function bulk(): Bulk { return changetype<Bulk>(bulkNow()); }

@unmanaged export class Team {
  ticket: u64;  // [number of the run 32][next task 32]
  run: u32;     // the same number: what workers wait for
  tasks: u32;
  done: u32;
  kind: u32;
  failed: u32;  // somebody had no room to work in
  workers: u32; // threads beside the first
  bulk: u32;    // what is being built (tasks.ts)
  bytes: u32;   // of a region
  regions: u32; // MOST_WORKERS x u32 follow: each worker's records and scratch, or 0
}

@inline export function team(): Team { return changetype<Team>(TEAM); }

@inline export function bulkNow(): usize { return team().bulk; }
