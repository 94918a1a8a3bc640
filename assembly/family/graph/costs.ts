// What a filtered walk costs, held against scoring all that passes. How long the steps of both take on this machine, with rows of this
// kind, is measured once for an index, by whoever has a clock; until then it is as measured on another.
import { GRAPH } from "../../base/codes";
import { random64 } from "../../base/random";
import { alloc, mark, reset } from "../../memory/arena";
import { state } from "../../memory/state";
import { GROUP } from "../../memory/store";
import { Filter } from "../../table/filters";
import { layout, nodes } from "../../table/nodes";
import { bindQuery, decode, exactCodec, scanScorer, scoreMany, walkCodec, walkScorer } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { Batch } from "../../search/batch";
import { work } from "../../search/work";
import { codesOf, degreeLimit, linksOf } from "./graph";
import { bindNeighbours, groupBytes, guide, scoreNeighbours } from "./neighbours";

/** Steps of a search that can be practised; the order of setCosts(). */
const STEP_ROW: u32 = 0;
const STEP_MET: u32 = 1;
const STEP_HOP: u32 = 2;
/** fastScan: 32 codes. */
const STEP_CODES: u32 = 3;

/**
 * Microseconds of a row scored by a scan, of one scored by a walk, of a node whose neighbours are looked at, and of a code scanned, as a clock
 * has them: within four times of what is assumed, for clocks may be coarse and machines busy.
 */
export function setCosts(row: f32, met: f32, hop: f32, code: f32): void {
  assumeCosts();
  const l = layout();
  l.rowCost = near(row, l.rowCost);
  l.metCost = near(met, l.metCost);
  l.hopCost = near(hop, l.hopCost);
  l.codeCost = near(code, l.codeCost);
}

@inline function near(measured: f32, assumed: f32): f32 { return max(min(measured, assumed * 4), assumed / 4); }

/** As of a machine of 2024: by the bytes that are read, and what there is to do whatever their number. */
function assumeCosts(): void {
  const l = layout();
  const codes = <f32>(state().dimensions >> 2);
  l.rowCost = <f32>(0.02 + 0.00012 * <f64>nodes().column(exactCodec().column).stride);
  l.metCost = <f32>(0.03 + 0.00008 * <f64>nodes().column(walkCodec().column).stride);
  l.hopCost = <f32>(GRAPH && state().fastScan ? 0.15 + 0.002 * codes : 0.05);
  l.codeCost = <f32>(0.005 + 0.0001 * codes);
}

// Of graphs of M = 16, whatever the data: fashion-mnist-784, gutenberg-sif-160 and minilm-mix-384 lie within a third of it.
/** Nodes that a walk expands before it is where the query is. */
const HOPS_DOWN: f32 = 10;
/** And for each that it is to find, of all that it meets there. */
const HOPS_PER_EF: f32 = 1.2;
/** Rows read for a node expanded: by codes of neighbours, or of all neighbours not met before. */
@inline function rowsPerHop(): f32 { return GRAPH && state().fastScan ? <f32>0.5 : <f32>(state().m * 2) / 3; }

@inline function perHop(): f32 { return layout().hopCost + rowsPerHop() * layout().metCost; }

/** Microseconds of scoring all that passes: by rows, and by codes of a filter that lasts. */
@inline function rowsCost(ask: Ask): f32 { return <f32>ask.passing * layout().rowCost; }
@inline function codesCost(ask: Ask): f32 { return <f32>ask.passing * layout().codeCost + <f32>(ask.k * ROWS_PER_RESULT) * layout().metCost; }
/** Rows that are read for a result of a scan of codes. */
const ROWS_PER_RESULT: u32 = 8;

/** Of a walk that is to find `more`, where one in `spread` passes. */
@inline function walkCost(more: f32, spread: f32): f32 { return HOPS_PER_EF * more * spread * perHop(); }

/** Whether to set out on a walk; what both would cost is noted. */
export function plansWalk(ask: Ask, ef: u32, linked: u32): bool {
  const w = work();
  if (ask.passing == linked) return true;
  if (layout().rowCost == 0) assumeCosts();
  w.walkCost = HOPS_DOWN * perHop() + walkCost(<f32>ef, <f32>linked / <f32>max(ask.passing, 1));
  w.scanCost = rowsCost(ask);
  if (GRAPH && state().fastScan && ask.prepared) {
    const filter = Filter.at(ask.prepared);
    const codes = codesCost(ask);
    if (filter.coded) w.scanCost = codes;
    else if (codes < min(w.walkCost, w.scanCost)) filter.wanted = 1;
  }
  const look = w.scanCost > LOOK_FIRST * HOPS_DOWN * perHop() && !isDoubtful(ask);
  return look || w.scanCost > w.walkCost;
}

/** Of a filter that lasts, walks that are given up again and again are seldom tried: one search in so many. */
const DOUBTS: u32 = 4;
const TRY_AGAIN: u32 = 16;

function isDoubtful(ask: Ask): bool {
  if (!ask.prepared) return false;
  const f = Filter.at(ask.prepared);
  return f.doubts >= DOUBTS && ++f.doubts % TRY_AGAIN != 0;
}

/** How a walk ended. */
export function noteWalk(ask: Ask, finished: bool): void {
  if (!ask.prepared) return;
  const f = Filter.at(ask.prepared);
  if (finished) f.doubts = 0;
  else f.doubts++;
}

/** A walk that goes and sees whether more passes around the query than elsewhere costs a small part of a scan that is so many times dearer. */
const LOOK_FIRST: f32 = 3;

/** Nodes that a walk looks at for how many pass where it is. */
const SAMPLE: u32 = 96;
@inline export function samples(): bool { return work().met < SAMPLE; }

/** A walk is given up where a scan seems cheaper by so much: what passes here is known by a sample. */
const DOUBT: f32 = 1.5;

/** Whether a walk that has found so many of `ef` had better end in a scan: what is behind it counts for nothing. */
export function givesUp(found: u32, ef: u32, scored: u32): bool {
  const all = work();
  if (samples()) return false;
  const spread = <f32>all.met / <f32>max(all.metPassing, 1);
  const left = found < ef ? walkCost(<f32>(ef - found), spread) : 0;
  return left > DOUBT * all.scanCost || <f32>all.visited * layout().hopCost + <f32>scored * layout().metCost > 2 * all.scanCost + HOPS_DOWN * perHop();
}

/** Takes `n` steps of a kind, all over the slots, with the first as the query, for a clock. False where scratch cannot grow. */
export function practise(step: u32, n: u32): bool {
  const start = mark();
  const batch = Batch.open(PRACTICE);
  const estimates = alloc(GROUP << 2);
  const done = !!batch && estimates != 0;
  if (done) {
    decode(exactCodec(), 0, layout().prepared);
    if (step == STEP_ROW) bindQuery(exactCodec(), scanScorer(), layout().prepared);
    else if (step == STEP_MET) bindQuery(walkCodec(), walkScorer(), layout().prepared);
    else if (GRAPH && state().fastScan) bindNeighbours();
    const slots = nodes().count;
    for (let i: u32 = 0; i < n; i++) {
      const at = practised++;
      const slot = <u32>((step == STEP_CODES ? at : random64(0x737465707, at)) % slots);
      if (step >= STEP_HOP) {
        stepOver(slot, step, estimates);
        continue;
      }
      batch.add(slot);
      if (batch.count < (step == STEP_ROW ? PRACTICE : state().m) && i + 1 < n) continue;
      scoreMany(step == STEP_ROW ? scanScorer() : walkScorer(), batch.slots, batch.count, batch.distances);
      batch.count = 0;
    }
  }
  reset(start);
  return done;
}

/** Steps so far: other rows each time, which are in no cache. */
let practised: u64 = 0;

/** Rows of a scan's batch. */
const PRACTICE: u32 = 128;

function stepOver(slot: u32, step: u32, estimates: usize): void {
  if (!GRAPH || !state().fastScan) {
    load<u32>(linksOf(0, slot));
    return;
  }
  const most = step == STEP_HOP ? degreeLimit(0) : GROUP;
  let group = codesOf(0, slot);
  for (let from: u32 = 0; from < most; from += GROUP, group += groupBytes()) scoreNeighbours(guide(), group, 1, estimates);
}
