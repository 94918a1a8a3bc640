// What there is to do for one layer, cut into tasks. Where several write to one place, what becomes of it does not depend on
// their order: lists of candidates (candidates.ts), marks, which are only set, and who copies a rotated row (neighbours.ts).
import { NONE } from "../../../base/codes";
import { alloc } from "../../../memory/arena";
import { state } from "../../../memory/state";
import { bindSlot, isSplit, linkScorer, scoreMany } from "../../../codec/scorer";
import { Batch } from "../../../search/batch";
import { Pool } from "../../../search/pool";
import { isBlurredBeam } from "../blur";
import { codesOf, degree, degreeLimit, holds, linksOf, writeLinks } from "../graph";
import {
  clearNeighbours, keepTurned, leavePlace, manyTurnedBytes, openManyTurned, packNeighbour, turnInPlace,
} from "../neighbours";
import { Selection } from "../selection";
import { candidateAt, candidateCount } from "./candidates";
import { LEAST, Cutter, assignSome } from "./carve";
import { BLURRED, bulk } from "./job";

/** Some slots find their leaders. */
export const ASSIGN: u32 = 0;
/** A leader's part is carved, and its leaves give candidates. */
export const PART: u32 = 1;
/** Some slots choose links among their candidates. */
export const CHOOSE: u32 = 2;
/** Some slots link back. */
export const JOIN: u32 = 3;
/** Some slots' rows are rotated, in place of their codes. */
export const TURN: u32 = 4;
/** Some slots' links get their codes. */
export const PACK: u32 = 5;

/** Slots of one task. */
export const SOME: u32 = 256;

/** What one thread works with; which of it there is depends on the kind of task. */
@unmanaged class Desk {
  cutter: u32;    // Cutter
  selection: u32; // Selection of most()
  batch: u32;     // Batch of most()
  pool: u32;      // Pool of most()
  turned: u32;    // rotated rows (neighbours.ts)
}

/** Links are chosen among so many at most: candidates, or two full lists. */
@inline function most(): u32 { return max(256, state().m << 2); }

let desk: Desk = changetype<Desk>(0);

/** Scratch that a thread needs for any kind of task, over n slots. */
export function deskBytes(n: u32): usize {
  const choosing = Selection.bytes(most(), degreeLimit(0)) + Batch.bytes(most()) + Pool.bytes(most());
  return max(max(choosing, manyTurnedBytes()), Cutter.bytes(n)) + 1024;
}

/** Scratch for tasks of a kind; false where it cannot grow. */
export function openDesk(kind: u32): bool {
  const at = alloc(offsetof<Desk>());
  if (!at) return false;
  desk = changetype<Desk>(at);
  if (kind == TURN) return true;
  if (kind == PACK) {
    desk.turned = <u32>openManyTurned();
    return desk.turned != 0;
  }
  if (kind == ASSIGN || kind == PART) {
    desk.cutter = <u32>changetype<usize>(Cutter.open(kind == PART));
    return desk.cutter != 0;
  }
  desk.selection = <u32>changetype<usize>(Selection.open(most(), degreeLimit(0)));
  desk.batch = <u32>changetype<usize>(Batch.open(most()));
  desk.pool = <u32>alloc(Pool.bytes(most()));
  return desk.selection != 0 && desk.batch != 0 && desk.pool != 0;
}

/** Does one task; false where scratch cannot grow. */
export function doTask(kind: u32, task: u32): bool {
  const b = bulk();
  const cutter = changetype<Cutter>(desk.cutter);
  if (kind == PART) {
    const from = task ? load<u32>(b.ends + (task - 1 << 2)) : 0;
    const n = load<u32>(b.ends + (task << 2)) - from;
    return (n < LEAST && b.k > 1) || cutter.carve(b.parts + (<usize>from << 2), n, 1, b.path + task);
  }
  const from = task * SOME, to = min(from + SOME, b.n);
  if (kind == ASSIGN) {
    assignSome(cutter, b, from, to);
    return true;
  }
  const turned = kind == PACK ? keepTurned(desk.turned, !b.layer) : 0;
  for (let i = from; i < to; i++) {
    const slot = load<u32>(b.order + (<usize>i << 2));
    if (kind == TURN) turnInPlace(slot);
    else if (kind == PACK) packLinks(b.layer, slot);
    else if (kind == CHOOSE) chooseLinks(slot);
    else if (!(load<u8>(b.marks + slot) & BLURRED)) joinLinks(slot);
  }
  if (kind == PACK) keepTurned(turned, false);
  return true;
}

/**
 * Links that a slot chooses itself: more than an insertion would, and full lists are filled up where they are chosen anew, for
 * codes of 32 neighbours are read whatever their number. In place of M and no filling, queries a second at equal recall, with
 * mean degrees of 25 to 30 in place of 16 to 21: fashion-mnist-784 +8 to 16 %, gutenberg-sif-160 +20 %, words-es-64 +7 %;
 * building takes 15 to 20 % longer.
 */
export function ownLinks(layer: u32): u32 { return min(degreeLimit(layer), state().m * 3 >> 1); }

/** Some of a slot's candidates become its links. */
export function chooseLinks(slot: u32): void {
  const b = bulk();
  const list = codesOf(b.layer, slot);
  const batch = changetype<Batch>(desk.batch);
  const pool = changetype<Pool>(desk.pool);
  batch.count = 0;
  for (let i: u32 = 0, n = candidateCount(list); i < n; i++) batch.add(candidateAt(list, i));
  pool.clear(most());
  offer(slot, batch, pool);
  if (isSplit(b.codec()) && pool.size && isBlurredBeam(pool, slot, batch)) {
    store<u8>(b.marks + slot, load<u8>(b.marks + slot) | BLURRED);
  }
  link(slot, pool, ownLinks(b.layer));
}

/** Scores a batch, which is empty then. */
function offer(slot: u32, batch: Batch, pool: Pool): void {
  if (!batch.count) return;
  bindSlot(bulk().codec(), linkScorer(), slot);
  scoreMany(linkScorer(), batch.slots, batch.count, batch.distances);
  for (let i: u32 = 0; i < batch.count; i++) pool.push(batch.distanceAt(i), batch.slotAt(i));
  batch.count = 0;
}

/** At most `limit` of a pool become a slot's links. */
function link(slot: u32, pool: Pool, limit: u32): void {
  const selection = changetype<Selection>(desk.selection);
  selection.clear();
  for (let i: u32 = 0; i < pool.size; i++) selection.add(pool.distanceAt(i), pool.slotAt(i));
  selection.choose(bulk().codec(), limit, true, NONE);
  writeLinks(bulk().layer, slot, selection.slots, selection.taken);
}

/** A slot links back to those that link to it; where that is too many, both are chosen from anew. */
export function joinLinks(slot: u32): void {
  const b = bulk();
  const from = slot ? load<u32>(b.linkEnds + (slot - 1 << 2)) : 0;
  const n = load<u32>(b.linkEnds + (slot << 2)) - from;
  const others = b.links + (<usize>from << 2);
  const limit = degreeLimit(b.layer);
  const own = linksOf(b.layer, slot);
  const count = degree(b.layer, slot);
  let fresh: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const other = load<u32>(others + (i << 2));
    if (!holds(own, count, other)) store<u32>(others + (fresh++ << 2), other);
  }
  if (count + fresh <= limit) {
    memory.copy(own + (count << 2), others, fresh << 2);
    return;
  }
  const batch = changetype<Batch>(desk.batch);
  const pool = changetype<Pool>(desk.pool);
  pool.clear(most());
  batch.count = 0;
  for (let i: u32 = 0; i < count; i++) batch.add(load<u32>(own + (i << 2)));
  for (let i: u32 = 0; i < fresh; i++) {
    if (batch.count == batch.capacity) offer(slot, batch, pool);
    batch.add(load<u32>(others + (i << 2)));
  }
  offer(slot, batch, pool);
  link(slot, pool, limit);
}

function packLinks(layer: u32, slot: u32): void {
  const links = linksOf(layer, slot);
  const codes = codesOf(layer, slot);
  leavePlace(codes, slot);
  clearNeighbours(codes, degreeLimit(layer));
  for (let i: u32 = 0, n = degree(layer, slot); i < n; i++) packNeighbour(codes, i, slot, load<u32>(links + (i << 2)));
}
