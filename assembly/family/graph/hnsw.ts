// HNSW (Malkov and Yashunin 2016, arXiv 1603.09320): search and insertion. Removal is sweep.ts.
import { E_MEMORY, GRAPH, NONE, OK, PLAN_WALK, PLAN_WALK_THEN_SCAN } from "../../base/codes";
import { mark, reset } from "../../memory/arena";
import { state } from "../../memory/state";
import { DOOMED, LIVE, layout, nodes, stageOf, upper } from "../../table/nodes";
import { Filter } from "../../table/filters";
import { Codec, bindQuery, bindSlot, exactCodec, nominates, scanNominates, scoreMany, walkScorer } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { Batch } from "../../search/batch";
import { Pool } from "../../search/pool";
import { openTop, publishReranked } from "../../search/rerank";
import { storeNew } from "../../search/rows";
import { TopK } from "../../search/topk";
import { publish, work } from "../../search/work";
import { Flat, exactScan } from "../flat/flat";
import { isBlurred, isHopeless, mayBlur, rescoreBeam } from "./blur";
import { Builder, addNearestLive, beamAround, beamByCodes, insertsByCodes, setChosen, widthOfInsertion } from "./builder";
import { isTwin, linkedSlots, openGraph, raiseTower, renumberGraph, reserveGraph, setLinks, topOf } from "./graph";
import { guidedSearch } from "./guided";
import { forgetTurned } from "./neighbours";
import { Coded, scanCodes } from "./coded";
import { findRoots, roomToReconnect } from "./reconnect";
import { moveRoot, openRoots } from "./roots";
import { WAY_SCAN, WAY_SIGNS, WAY_WALK, dueOf, noteHops, noteReread, noteWalk, wayOf } from "./costs";
import { Selection, haveLeads } from "./selection";
import { signs } from "./signs";
import { joinNearest, nodeOf, offerTwins, openTwins, standAlone } from "./twins";
import { advanceSweep, bury, sweepAfter, sweepAll } from "./sweep";
import { graphIsValid } from "./valid";
import { Walk, beamSearch, begin, descend, siftedSearch, spareSearch } from "./walk";

export class Hnsw extends Flat {
  open(): bool {
    const room = openTwins();
    openRoots();
    return openGraph() && room;
  }
  halves(): bool { return true; }
  packs(): bool { return false; }
  buries(): bool { return true; }
  reserve(n: u32, fresh: u32, gone: u32): bool { return reserveGraph(fresh); }
  reclaim(): bool { return sweepAll(); }
  room(slots: u32): usize { return hnswRoom(slots); }
  roomToChange(slots: u32): usize { return roomToReconnect(slots); }
  openBuilder(): bool { return changetype<usize>(Builder.open()) != 0; }
  remove(slot: u32): void { bury(slot); }
  settle(n: u32): void { sweepAfter(n); }
  renumber(map: usize): void { renumberGraph(map); }
  valid(): bool { return graphIsValid(); }
  search(ask: Ask): i32 { return hnswSearch(ask); }

  add(vectors: usize, ids: usize, lists: usize, n: u32): i32 {
    const b = Builder.open();
    if (!b) return E_MEMORY;
    findRoots(b);
    for (let i: u32 = 0; i < n; i++) {
      const count = nodes().count;
      const slot = storeNew(vectors, ids, i, NONE);
      if (GRAPH && state().fastScan) forgetTurned();
      if (slot == count) raiseTower(slot);
      standAlone(slot);
      hnswInsert(b, slot);
      advanceSweep(b);
    }
    return OK;
  }
}

/** A beam is as wide as k at least; there is always room for one of this k. */
const LEAST_WIDTH: u32 = 100;

/**
 * The k nearest to the prepared query that pass the filter, always k where k pass: by a walk whose beam holds none but those, or, where
 * that is cheaper, by scoring all that pass (costs.ts). Results: work().
 */
function hnswSearch(ask: Ask): i32 {
  const s = state();
  const linked = s.live + s.dead + s.doomed;
  const wanted = min(ask.k, ask.passing);
  const narrow = ask.effort < ask.k && ask.given;
  const beam = min(max(ask.effort, ask.k), ask.passing);
  const ef = narrow ? min(ask.effort, beam) : beam;
  const way = s.entry == NONE ? WAY_SCAN : wayOf(ask, dueOf(ef, wanted), linked);
  if (way != WAY_WALK) return GRAPH && way == WAY_SIGNS ? scanBy(ask, signs()) : scanPassing(ask);
  const by = ask.codec();
  const start = mark();
  const spare = spareFor(ask, beam, linked);
  const w = Walk.open(beam + spare, nodes().count, linked, ask.passing, ask.filter);
  const top = w ? openTop(nominates(by) ? ask.candidates : ask.k, Infinity) : changetype<TopK>(0);
  if (!top) {
    reset(start);
    return E_MEMORY;
  }
  work().plan = PLAN_WALK;
  const filter: usize = ask.filter;
  let finished = walkTo(w, by, beam, ef, wanted, spare);
  const rescored = mayBlur(by);
  if (rescored) {
    const batch = Batch.open(max(ask.candidates, 8));
    if (!batch) {
      reset(start);
      return E_MEMORY;
    }
    top.k = max(min(ask.k, s.live), 1);
    if (finished && !rescoreBeam(w, ask.candidates, batch, top)) {
      finished = walkTo(w, exactCodec(), beam, ef, wanted, spare);
      top.clear();
      offerBeam(w, top);
    }
  } else offerBeam(w, top);
  if (GRAPH && finished && s.pending && !offerPending(filter, rescored ? exactCodec() : by, top)) {
    reset(start);
    return E_MEMORY;
  }
  noteWalk(ask, finished);
  if (GRAPH) noteHops(ask, dueOf(ef, wanted));
  if (!finished || top.size < wanted) {
    reset(start);
    work().plan = PLAN_WALK_THEN_SCAN;
    return scanPassing(ask);
  }
  const done = scanNominates() && !rescored ? publishReranked(top, ask.k, Infinity) : publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}

/** By codes where the filter has some, else by rows. */
function scanPassing(ask: Ask): i32 {
  if (GRAPH && ask.prepared) {
    const f = Filter.at(ask.prepared);
    if (f.coded) return scanBy(ask, changetype<Coded>(f.members));
    f.missed += work().scanCost;
  }
  return exactScan(ask);
}

function scanBy(ask: Ask, codes: Coded): i32 {
  const before = work().reranked;
  const done = scanCodes(ask, codes);
  noteReread(ask, work().reranked - before);
  return done;
}

/** Scratch of a search that says nothing of ef, whoever is removed. */
function hnswRoom(slots: u32): usize {
  const beam = min(max(state().effort, LEAST_WIDTH), slots);
  return Walk.bytes(beam + spareOf(beam, 1, 1), slots);
}

/** Without a filter walks have room for removed nodes in their beam: up to three in four of all. */
function spareFor(ask: Ask, beam: u32, linked: u32): u32 {
  const gone = linked - ask.passing;
  if (ask.filter || !gone || (GRAPH && state().fastScan)) return 0;
  return spareOf(beam, gone, linked);
}

@inline function spareOf(beam: u32, gone: u32, linked: u32): u32 { return <u32>(<u64>beam * 4 * gone / linked) + 4; }

/** From the entry to the beam around the prepared query, `spare` wider at first; false where a scan is cheaper. */
function walkTo(w: Walk, by: Codec, beam: u32, ef: u32, wanted: u32, spare: u32): bool {
  const s = state();
  bindQuery(by, walkScorer(), layout().prepared);
  let finished = true;
  if (GRAPH && s.fastScan) {
    w.beam().clear(beam);
    w.scored = 0;
    finished = guidedSearch(w, walkScorer(), ef, wanted);
  } else {
    walkDown(w, beam + spare);
    if (w.passesAll) beamSearch(w, walkScorer(), 0, ef, wanted);
    else if (!spare || !spareSearch(w, walkScorer(), ef, wanted, spare)) {
      if (spare) {
        const scored = w.scored;
        walkDown(w, beam);
        w.scored += scored;
      }
      finished = siftedSearch(w, walkScorer(), ef, wanted);
    }
  }
  work().distances += w.scored;
  return finished;
}

/** To where the beam on layer 0 begins. */
function walkDown(w: Walk, beam: u32): void {
  begin(w, walkScorer(), beam, state().entry);
  for (let layer = state().topLevel; layer > 0; layer--) descend(w, walkScorer(), layer);
}

function offerBeam(w: Walk, top: TopK): void {
  const pool = w.beam();
  for (let i: u32 = 0; i < pool.size; i++) {
    const slot = pool.slotAt(i);
    if (!GRAPH || slot < linkedSlots()) offerTwins(pool.distanceAt(i), slot, w.filter, top, walkScorer());
  }
}

/** Rows of a batch of those that wait. */
const WAITING: u32 = 64;

/** Those that wait to be linked at once, by a codec; but for twins of others. False where scratch cannot grow. */
function offerPending(filter: usize, by: Codec, top: TopK): bool {
  const batch = Batch.open(WAITING);
  if (!batch) return false;
  bindQuery(by, walkScorer(), layout().prepared);
  const linked = linkedSlots();
  batch.cursor = linked;
  while (batch.fill(filter)) {
    scoreMany(walkScorer(), batch.slots, batch.count, batch.distances);
    for (let i: u32 = 0; i < batch.count; i++) if (nodeOf(batch.slotAt(i)) >= linked) top.offer(batch.distanceAt(i), batch.slotAt(i));
    work().distances += batch.count;
  }
  return true;
}

/** Links a slot whose row is stored and whose tower stands. */
export function hnswInsert(b: Builder, slot: u32): void {
  const s = state();
  const level = topOf(slot);
  for (let l: u32 = 0; l <= level; l++) setLinks(l, slot, 0, 0);
  if (s.entry == NONE) {
    s.entry = slot;
    s.topLevel = level;
    return;
  }
  const w = changetype<Walk>(b.walk);
  const by = b.by;
  if (level) {
    if (insertsByCodes()) beamByCodes(b, slot, min(TWIN_SEARCH, s.efConstruction));
    else beamAround(b, slot, 0, min(TWIN_SEARCH, s.efConstruction));
    if (joinTwin(b, slot)) return;
  }
  const top = min(level, s.topLevel);
  if (top || !insertsByCodes()) beamAround(b, slot, top, s.efConstruction);
  for (let l = <i32>top; l >= 0; l--) {
    if (insertsByCodes() && !l) beamByCodes(b, slot, widthOfInsertion());
    else if (<u32>l < top) beamSearch(w, walkScorer(), l, u32.MAX_VALUE, 0);
    if (!level && joinTwin(b, slot)) return;
    const again = !l && mayBlur(b.codec()) && isBlurred(w.beam(), slot, changetype<Batch>(b.neighbours));
    if (again) {
      b.by = <u32>changetype<usize>(exactCodec());
      beamAround(b, slot, 0, s.efConstruction);
    }
    if (!again || level || !joinTwin(b, slot)) {
      chooseLinks(b, l, slot);
      setChosen(b, l, slot);
    }
    if (!again) continue;
    if (isHopeless()) s.sharp = 0;
    else b.by = by;
  }
  if (level > s.topLevel) {
    moveRoot(s.entry, slot);
    s.entry = slot;
    s.topLevel = level;
  }
}

/** Beam width of a look for an equal row before a slot is linked on layers where twins are not. */
const TWIN_SEARCH: u32 = 32;

/** Whether the slot of the beam has become a twin. */
function joinTwin(b: Builder, slot: u32): bool {
  const batch = changetype<Batch>(b.neighbours);
  store<u32>(batch.slots, slot);
  scoreMany(walkScorer(), batch.slots, 1, batch.distances);
  return joinNearest(changetype<Walk>(b.walk).beam(), b.codec(), slot, batch.distanceAt(0));
}

/** At most M of the beam's live nodes, or of all live nodes where the beam met only removed ones. While much is linked at once some still lead to twins. */
function chooseLinks(b: Builder, layer: u32, slot: u32): void {
  const pool = changetype<Walk>(b.walk).beam();
  const selection = changetype<Selection>(b.selection);
  selection.clear();
  for (let i: u32 = 0; i < pool.size; i++) {
    const other = pool.slotAt(i);
    if (stageOf(other) == LIVE && !isTwin(other)) selection.add(pool.distanceAt(i), other);
  }
  if (!selection.count) addNearestLive(b, layer, slot);
  if (haveLeads(layer)) selection.lead(b.codec(), state().m, slot, NONE);
  selection.choose(layer, b.codec(), state().m, true, NONE);
}
