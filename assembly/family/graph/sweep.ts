// Removal. A removed node stays in the graph, dead, as a stepping stone. When one of so many nodes is dead they become doomed, and a
// cursor passes over all slots, a few with each later add or remove: no link leads to a doomed node behind it, and the slots of
// these are free in the end (consolidation as in FreshDiskANN, Singh et al. 2021, arXiv 2105.09613, spread out like an
// incremental collector). What a sweep is at is in a file of that moment, and goes on in the loaded index.
//
// Of L links, with a share p of the nodes doomed, 1 - (1 - p)^L of the lists lose one: 15 lists are mended per node where p is a twentieth and
// L is 26, and 26 where each removal is repaired at once in place (IP-DiskANN, arXiv 2502.13826), after a search for it.
import { E_MEMORY, GRAPH, NONE } from "../../base/codes";
import { mark, reset } from "../../memory/arena";
import { FREEING, ROOTING, state } from "../../memory/state";
import { COLUMN_STAGE, DEAD, DOOMED, LIVE, nodes, setStage, stageOf } from "../../table/nodes";
import { freeSlot } from "../../table/slots";
import { bindSlot, linkScorer, walkScorer } from "../../codec/scorer";
import { touchRows } from "../../codec/touch";
import { Batch } from "../../search/batch";
import { Builder, addNearestLive, setChosen } from "./builder";
import { degree, haveCodes, holds, linkedSlots, linksOf, topOf } from "./graph";
import { bulkNow } from "./bulk/job";
import { findRoots, keepRooted, stays } from "./reconnect";
import { Selection } from "./selection";
import { adopt, moveRoot } from "./roots";
import { seekStrayed } from "./strays";
import { forgetHeir, heirOf, partTwins } from "./twins";

/**
 * A pass starts when live < ALIVE_PER_DEAD * dead, and each change advances it by so many slots: those that have a place and are not live are one in
 * 11 of the others at most, whoever removes.
 */
const ALIVE_PER_DEAD: u32 = 20;
const SLOTS_PER_CHANGE: u32 = 24;
/** Slots of the look for strayed nodes at a change. */
const SOUGHT_PER_CHANGE: u32 = 2;

/** A live slot becomes dead. */
export function bury(slot: u32): void {
  setStage(slot, DEAD);
  state().dead++;
}

/** The sweep's share of n removals, unless slots are being linked at once. Where scratch cannot grow, it waits for a later change. */
export function sweepAfter(n: u32): void {
  if (GRAPH && bulkNow()) return;
  const start = mark();
  const builder = Builder.open();
  for (let i: u32 = 0; builder && i < n; i++) advanceSweep(builder);
  reset(start);
}

/** Up to `most` slots of the running sweep, or of the look for strayed nodes after it; 1 when both are done, 0 when not, E_MEMORY. */
export function sweep(most: u32): i32 {
  const start = mark();
  const builder = Builder.open();
  let done = E_MEMORY;
  if (builder) {
    if (state().doomed) sweepSlots(builder, most);
    else seekStrayed(builder, most);
    done = <i32>(state().doomed + state().unsought == 0);
  }
  reset(start);
  return done;
}

/** Frees all removed slots at once; false where there are none. */
export function sweepAll(): bool {
  const s = state();
  if (!(s.dead + s.doomed)) return false;
  do {
    if (!s.doomed) startSweep();
    if (sweep(nodes().count) == E_MEMORY) return false;
  } while (s.dead + s.doomed);
  return true;
}

/** The sweep's share of one add or remove; between sweeps, of the look for strayed nodes, which begins anew where it has ended. */
export function advanceSweep(b: Builder): void {
  const s = state();
  if (!s.doomed && !s.pending && s.live < ALIVE_PER_DEAD * s.dead) startSweep();
  if (s.doomed) sweepSlots(b, SLOTS_PER_CHANGE);
  else {
    findRoots(b);
    if (!s.unsought) s.unsought = linkedSlots();
    seekStrayed(b, SOUGHT_PER_CHANGE);
  }
}

/** Dooms every dead node; the pass begins. */
export function startSweep(): void {
  const s = state();
  for (let slot: u32 = 0; slot < nodes().count; slot++) if (stageOf(slot) == DEAD) setStage(slot, DOOMED);
  s.doomed += s.dead;
  s.dead = 0;
  s.sweepCursor = ROOTING;
  partTwins();
}

/** Of a file: where its sweep is. */
export function sweepIsValid(): bool {
  const s = state(), n = nodes().count;
  const at = s.sweepCursor;
  if (at >= FREEING) return at <= FREEING + n;
  return at <= n || (at >= ROOTING && at <= ROOTING + n);
}

/** No link of slots before this one leads to a doomed slot. */
export function sweptSlots(): u32 {
  const at = state().sweepCursor;
  return at < ROOTING ? at : at < FREEING ? 0 : nodes().count;
}

/** Slots that are looked at for whether they have a parent, or are to be freed, for one that is mended. */
const LOOKS_PER_SLOT: u32 = 8;

/**
 * Goes on with the pass, for about as long as `most` slots take to be mended. First whoever has a doomed parent gets another, so that all that stays
 * can be reached whatever is cut; then links to doomed slots are cut, and these are freed.
 */
function sweepSlots(b: Builder, most: u32): void {
  const s = state();
  findRoots(b);
  if (s.entry != NONE && stageOf(s.entry) == DOOMED) moveEntry();
  if (!s.doomed) return;
  const at = s.sweepCursor, n = nodes().count;
  if (at >= FREEING) freeDoomed(at - FREEING, most * LOOKS_PER_SLOT);
  else if (at >= ROOTING) {
    const from = at - ROOTING, end = from + min(most * LOOKS_PER_SLOT, n - from);
    for (let slot = from; slot < end; slot++) if (stays(slot)) keepRooted(b, slot);
    s.sweepCursor = end < n ? ROOTING + end : 0;
  } else {
    const end = at + min(most, n - at);
    for (let slot = at; slot < end; slot++) {
      if (stays(slot)) for (let layer: u32 = 0; layer <= topOf(slot); layer++) mend(b, layer, slot);
    }
    s.sweepCursor = end < n ? end : FREEING;
  }
}

/** Nobody links to a doomed slot any more. */
function freeDoomed(from: u32, most: u32): void {
  const s = state();
  const n = nodes().count;
  const end = from + min(most, n - from);
  for (let slot = from; slot < end; slot++) if (stageOf(slot) == DOOMED) {
    forgetHeir(slot);
    freeSlot(slot);
    s.doomed--;
  }
  s.sweepCursor = FREEING + end;
  if (s.doomed) return;
  s.sweepCursor = 0;
  s.unsought = n;
}

/**
 * The highest node that stays becomes the entry, the first of equals, and leads to the one before, and the sweep begins anew. Where none stays
 * but what waits to be linked, all that is doomed can go.
 */
function moveEntry(): void {
  const s = state();
  const before = s.entry;
  s.entry = NONE;
  for (let slot: u32 = 0, n = nodes().count; slot < n; slot++) {
    if (!stays(slot) || (s.entry != NONE && topOf(slot) <= s.topLevel)) continue;
    s.entry = slot;
    s.topLevel = topOf(slot);
  }
  if (s.entry == NONE) {
    s.topLevel = 0;
    freeDoomed(0, nodes().count);
    return;
  }
  s.sweepCursor = ROOTING;
  moveRoot(before, s.entry);
  adopt(s.entry, before);
}

/**
 * In the place of doomed neighbours come some of theirs, as many; the other links stay. Never fewer than M, however slowly they were lost.
 *
 * Where codes lead to whom a list lacks, half the distances do: what stays is not scored, and covers whoever comes. gutenberg-sif-160, 12,000
 * of M 16, 5 % replaced twenty times: 7,537 a replacement, with the insertion's, in place of 13,171; recall at ef 14 .957 either way.
 */
function mend(b: Builder, layer: u32, slot: u32): void {
  const links = linksOf(layer, slot);
  const batch = changetype<Batch>(b.neighbours);
  batch.count = 0;
  const n = degree(layer, slot);
  if (!layer && state().twins) linkToHeirs(slot, links, n);
  for (let i: u32 = 0; i < n; i++) {
    const neighbour = load<u32>(links + (i << 2));
    if (stageOf(neighbour) != DOOMED) batch.add(neighbour);
  }
  const kept = batch.count;
  if (kept == n) return;
  for (let i: u32 = 0; i < n; i++) {
    const neighbour = load<u32>(links + (i << 2));
    if (stageOf(neighbour) == DOOMED) addNeighbours(batch, layer, neighbour, slot, b.most);
  }
  const selection = changetype<Selection>(b.selection);
  selection.clear();
  const chosenFrom = haveCodes() ? kept : 0;
  if (haveCodes()) {
    memory.copy(selection.slots, batch.slots, kept << 2);
    selection.taken = kept;
  }
  if (batch.count) {
    bindSlot(b.codec(), linkScorer(), slot);
    selection.addScored(batch, chosenFrom);
  } else {
    // Everyone around is gone: join the nearest who are left.
    bindSlot(b.codec(), walkScorer(), slot);
    addNearestLive(b, layer, slot);
  }
  selection.choose(layer, b.codec(), max(n, state().m), true, NONE, batch.slots, kept - chosenFrom);
  setChosen(b, layer, slot, kept);
}

/** A link to a doomed node whose twin has taken its place leads to that: the row, and so the code, is the same. */
function linkToHeirs(slot: u32, links: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const neighbour = load<u32>(links + (i << 2));
    if (stageOf(neighbour) != DOOMED) continue;
    const heir = heirOf(neighbour);
    if (heir != NONE && heir != slot && !holds(links, n, heir)) store<u32>(links + (i << 2), heir);
  }
}

/** The neighbours of a doomed node stand in for it. */
function addNeighbours(batch: Batch, layer: u32, doomed: u32, slot: u32, most: u32): void {
  const links = linksOf(layer, doomed);
  const n = degree(layer, doomed);
  // All are on their way before one is waited for.
  if (GRAPH) touchRows(nodes(), COLUMN_STAGE, links, n, 0, 1);
  for (let i: u32 = 0; i < n && batch.count < most; i++) {
    const neighbour = load<u32>(links + (i << 2));
    if (neighbour != slot && stageOf(neighbour) == LIVE && !holds(batch.slots, batch.count, neighbour)) batch.add(neighbour);
  }
}
