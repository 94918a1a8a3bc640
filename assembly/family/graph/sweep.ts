// Removal. A removed node stays in the graph, dead, as a stepping stone. When a fifth of the nodes are dead they become
// doomed, and a cursor passes once over all slots, a few with each later add or remove, cutting every link to a doomed
// node: its owner chooses anew among its other neighbours and the doomed one's neighbours (consolidation as in
// FreshDiskANN, Singh et al. 2021, arXiv 2105.09613, spread out like an incremental collector). After the pass nobody
// links to them and their slots are free.
import { E_MEMORY, GRAPH, NONE } from "../../base/codes";
import { mark, reset } from "../../memory/arena";
import { state } from "../../memory/state";
import { DEAD, DOOMED, FREE, LIVE, nodes, setStage, stageOf } from "../../table/nodes";
import { freeSlot } from "../../table/slots";
import { bindSlot, linkScorer, walkScorer } from "../../codec/scorer";
import { Batch } from "../../search/batch";
import { Builder, addNearestLive, setChosen } from "./builder";
import { degree, degreeLimit, holds, isTwin, linkedSlots, linksOf, topOf } from "./graph";
import { bulkNow } from "./bulk/job";
import { findRoots, reconnect } from "./reconnect";
import { Selection } from "./selection";
import { seekStrayed } from "./strays";
import { forgetHeir, heirOf, partTwins } from "./twins";

/** A pass starts when live < ALIVE_PER_DEAD * dead, and each change then advances it so that it ends before the next. */
const ALIVE_PER_DEAD: u32 = 4;
const SLOTS_PER_CHANGE: u32 = 8;
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
  if (!s.doomed && s.live < ALIVE_PER_DEAD * s.dead) startSweep();
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
  s.sweepCursor = 0;
  partTwins();
}

/** Repairs the next `most` slots. */
function sweepSlots(b: Builder, most: u32): void {
  const s = state();
  findRoots(b);
  const n = nodes().count;
  const end = most < n - s.sweepCursor ? s.sweepCursor + most : n;
  for (let slot = s.sweepCursor; slot < end; slot++) {
    const stage = stageOf(slot);
    if (stage != LIVE && stage != DEAD) continue;
    for (let layer: u32 = 0; layer <= topOf(slot); layer++) repair(b, layer, slot);
  }
  s.sweepCursor = end;
  if (end < n) return;
  for (let slot: u32 = 0; slot < n; slot++) if (stageOf(slot) == DOOMED) {
    forgetHeir(slot);
    freeSlot(slot);
  }
  s.doomed = 0;
  s.sweepCursor = 0;
  if (stageOf(s.entry) == FREE) moveEntry();
  for (let layer = <i32>s.topLevel; layer >= 0; layer--) reconnect(b, layer);
  s.unsought = n;
}

/** The highest node becomes the entry, the first of equals. */
function moveEntry(): void {
  const s = state();
  s.entry = NONE;
  for (let slot: u32 = 0, linked = linkedSlots(); slot < linked; slot++) {
    if (stageOf(slot) == FREE || isTwin(slot) || (s.entry != NONE && topOf(slot) <= s.topLevel)) continue;
    s.entry = slot;
    s.topLevel = topOf(slot);
  }
}

/** Chooses the links of a slot anew if one of them is doomed. */
function repair(b: Builder, layer: u32, slot: u32): void {
  const limit = degreeLimit(layer);
  const links = linksOf(layer, slot);
  const batch = changetype<Batch>(b.neighbours);
  batch.count = 0;
  const n = degree(layer, slot);
  if (!layer && state().twins) linkToHeirs(slot, links, n);
  for (let i: u32 = 0; i < n; i++) {
    const neighbour = load<u32>(links + (i << 2));
    if (stageOf(neighbour) != DOOMED) batch.add(neighbour);
  }
  if (batch.count == n) return;
  for (let i: u32 = 0; i < n; i++) {
    const neighbour = load<u32>(links + (i << 2));
    if (stageOf(neighbour) == DOOMED) addNeighbours(batch, layer, neighbour, slot, b.most);
  }
  const selection = changetype<Selection>(b.selection);
  selection.clear();
  if (batch.count) {
    bindSlot(b.codec(), linkScorer(), slot);
    selection.addScored(batch);
    selection.choose(b.codec(), limit, true, layer ? NONE : slot);
  } else {
    // Everyone around is gone: join the nearest who are left.
    bindSlot(b.codec(), walkScorer(), slot);
    addNearestLive(b, layer, slot);
    selection.choose(b.codec(), state().m, true, NONE);
  }
  setChosen(b, layer, slot); // both ways: links to this slot were lost as well
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
  const limit = degreeLimit(layer);
  for (let i: u32 = 0; i < limit && batch.count < most; i++) {
    const neighbour = load<u32>(links + (i << 2));
    if (neighbour == NONE) break;
    if (neighbour != slot && stageOf(neighbour) == LIVE && !holds(batch.slots, batch.count, neighbour)) batch.add(neighbour);
  }
}
