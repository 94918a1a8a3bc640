// What there is to do for one layer, cut into tasks. Where several write to one place, what becomes of it does not depend on
// their order: lists of candidates (candidates.ts), marks, which are only set, and who copies a rotated row (neighbours.ts).
import { NONE } from "../../../base/codes";
import { alloc } from "../../../memory/arena";
import { state } from "../../../memory/state";
import { Codec, bindSlot, exactCodec, linkScorer, scoreMany } from "../../../codec/scorer";
import { Batch } from "../../../search/batch";
import { Pool } from "../../../search/pool";
import { isBlurredBeam, mayBlur } from "../blur";
import { codesOf, degree, degreeLimit, haveCodes, holds, linksOf, putLink, setLinks, writeLinks } from "../graph";
import {
  clearNeighbours, keepTurned, leavePlace, manyTurnedBytes, openManyTurned, packNeighbour, turnInPlace,
} from "../neighbours";
import { Selection, haveLeads } from "../selection";
import { candidateAt, candidateCount, candidatesOf, leadsOf, listsLeads } from "./candidates";
import { LEAST, Cutter } from "./carve";
import { assignSome } from "./first-cut";
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
/** Some slots that were linked before link to those that link to them. */
export const TIE: u32 = 6;

/** Slots of one task: what 64 of 784 dimensions take is some 3 ms. */
export const SOME: u32 = 64;

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
  return max(choosing + (haveCodes() ? manyTurnedBytes() : 0), Cutter.bytes(n)) + 1024;
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
  if (kind == TIE && haveCodes()) {
    desk.turned = <u32>openManyTurned();
    if (!desk.turned) return false;
  }
  return desk.selection != 0 && desk.batch != 0 && desk.pool != 0;
}

/** Does one task; false where scratch cannot grow. */
export function doTask(kind: u32, task: u32): bool {
  const b = bulk();
  const cutter = changetype<Cutter>(desk.cutter);
  if (kind == PART) {
    let ok = beginPart(task);
    while (ok && cutter.frame) ok = cutter.advance();
    return ok;
  }
  const from = task * SOME, to = min(from + SOME, kind == TIE ? b.first : kind == ASSIGN ? b.all : b.n);
  if (kind == ASSIGN) {
    assignSome(cutter, b, from, to);
    return true;
  }
  const turned = kind == PACK || (kind == TIE && haveCodes()) ? keepTurned(desk.turned, kind == PACK && !b.layer) : 0;
  for (let i = from; i < to; i++) {
    const slot = kind == TIE ? i : load<u32>(b.order + (<usize>i << 2));
    if (kind == TURN) turnInPlace(slot);
    else if (kind == PACK) packLinks(b.layer, slot);
    else if (kind == CHOOSE) chooseLinks(slot);
    else joinLinks(slot, kind == TIE);
  }
  if (turned) keepTurned(turned, false);
  return true;
}

/** Of a desk that is open for parts: leaves of the task-th of them are in frames now. False where scratch cannot grow. */
export function beginPart(task: u32): bool {
  const b = bulk();
  const from = task ? load<u32>(b.ends + (task - 1 << 2)) : 0;
  const n = load<u32>(b.ends + (task << 2)) - from;
  return (n < LEAST && b.k > 1) || changetype<Cutter>(desk.cutter).begin(b.parts + (<usize>from << 2), n, 1, b.path + task);
}

/** One step of it; `false` as there. */
export function advancePart(): bool { return changetype<Cutter>(desk.cutter).advance(); }
export function partIsDone(): bool { return !changetype<Cutter>(desk.cutter).frame; }

/**
 * Links that a slot chooses itself. With codes more than an insertion would, and full lists are filled up where they are chosen anew, for
 * codes of 32 neighbours are read whatever their number. In place of M and no filling, queries a second at equal recall, with
 * mean degrees of 25 to 30 in place of 16 to 21: fashion-mnist-784 +8 to 16 %, gutenberg-sif-160 +20 %, words-es-64 +7 %;
 * building takes 15 to 20 % longer.
 */
export function ownLinks(layer: u32): u32 { return haveCodes() ? min(degreeLimit(layer), state().m * 3 >> 1) : state().m; }

/** What links of a slot are chosen by. */
@inline function codecFor(slot: u32): Codec { return bulk().isFresh(slot) && bulk().isMarked(slot, BLURRED) ? exactCodec() : bulk().codec(); }

/** Some of a slot's candidates become its links: by whole values where it turns out that it needs them. */
function chooseLinks(slot: u32): void {
  const b = bulk();
  const batch = changetype<Batch>(desk.batch);
  const pool = changetype<Pool>(desk.pool);
  offerCandidates(slot, b.codec());
  if (mayBlur(b.codec()) && pool.size && isBlurredBeam(pool, slot, batch)) {
    b.mark(slot, BLURRED);
    offerCandidates(slot, exactCodec());
  }
  link(slot, ownLinks(b.layer), true, NONE);
}

function offerCandidates(slot: u32, by: Codec): void {
  const list = candidatesOf(slot);
  const batch = changetype<Batch>(desk.batch);
  changetype<Pool>(desk.pool).clear(most());
  batch.count = 0;
  for (let i: u32 = 0, n = candidateCount(list); i < n; i++) batch.add(candidateAt(list, i));
  if (listsLeads()) for (let i: u32 = 0, leads = leadsOf(list), n = candidateCount(leads); i < n; i++) {
    const lead = candidateAt(leads, i);
    if (!holds(batch.slots, batch.count, lead)) batch.add(lead);
  }
  offer(slot, by);
}

/** Whether a slot of the layer cannot tell its candidates apart. */
export function isBlurry(slot: u32): bool {
  const pool = changetype<Pool>(desk.pool);
  offerCandidates(slot, bulk().codec());
  return pool.size != 0 && isBlurredBeam(pool, slot, changetype<Batch>(desk.batch));
}

/** Scores the batch, which is empty then. */
function offer(slot: u32, by: Codec): void {
  const batch = changetype<Batch>(desk.batch);
  const pool = changetype<Pool>(desk.pool);
  if (!batch.count) return;
  bindSlot(by, linkScorer(), slot);
  scoreMany(linkScorer(), batch.slots, batch.count, batch.distances);
  for (let i: u32 = 0; i < batch.count; i++) pool.push(batch.distanceAt(i), batch.slotAt(i));
  batch.count = 0;
}

/** At most `limit` of the pool become a slot's links, children of `parent` first; they have their codes where it was linked before. */
function link(slot: u32, limit: u32, fill: bool, parent: u32): void {
  const selection = changetype<Selection>(desk.selection);
  const pool = changetype<Pool>(desk.pool);
  const b = bulk();
  selection.clear();
  for (let i: u32 = 0; i < pool.size; i++) selection.add(pool.distanceAt(i), pool.slotAt(i));
  if (haveLeads(b.layer)) selection.lead(codecFor(slot), limit, slot, parent);
  selection.choose(b.layer, codecFor(slot), limit, fill, parent);
  if (b.isFresh(slot)) writeLinks(b.layer, slot, selection.slots, selection.taken);
  else setLinks(b.layer, slot, selection.slots, selection.taken);
}

/** A slot links back to those that link to it; where that is too many, both are chosen from anew. `tied`: it was linked before. */
function joinLinks(slot: u32, tied: bool): void {
  const b = bulk();
  const at = b.linkEnds + (slot - b.linkedFrom << 2);
  const from = slot > b.linkedFrom ? load<u32>(at - 4) : 0;
  const n = load<u32>(at) - from;
  if (!n) return;
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
    if (tied) for (let i: u32 = 0; i < fresh; i++) putLink(b.layer, slot, count + i, load<u32>(others + (i << 2)));
    else memory.copy(own + (count << 2), others, fresh << 2);
    return;
  }
  const batch = changetype<Batch>(desk.batch);
  changetype<Pool>(desk.pool).clear(most());
  batch.count = 0;
  for (let i: u32 = 0; i < count; i++) batch.add(load<u32>(own + (i << 2)));
  for (let i: u32 = 0; i < fresh; i++) {
    if (batch.count == batch.capacity) offer(slot, codecFor(slot));
    batch.add(load<u32>(others + (i << 2)));
  }
  offer(slot, codecFor(slot));
  link(slot, limit, haveCodes(), tied && !b.layer ? slot : NONE);
}

function packLinks(layer: u32, slot: u32): void {
  const links = linksOf(layer, slot);
  const codes = codesOf(layer, slot);
  leavePlace(codes, slot);
  clearNeighbours(codes, degreeLimit(layer));
  for (let i: u32 = 0, n = degree(layer, slot); i < n; i++) packNeighbour(codes, i, slot, load<u32>(links + (i << 2)));
}
