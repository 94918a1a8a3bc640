// What a filtered walk costs, held against scoring all that passes. How long the steps of both take on this machine, with rows of this
// kind, is measured once for an index (practice.ts), by whoever has a clock; until then it is as measured on another. Of a filter that
// lasts, walks are held against what they were thought to cost.
import { GRAPH } from "../../base/codes";
import { state } from "../../memory/state";
import { Filter, allSigned, filters } from "../../table/filters";
import { layout, nodes } from "../../table/nodes";
import { exactCodec, walkCodec } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { work } from "../../search/work";

/**
 * Microseconds of a row scored by a scan, of one scored by a walk, of a node expanded (fastScan: whatever is done for it; else beside
 * the rows met there), and of a code scanned, as a clock has them: within four times of what is assumed, for clocks may be coarse and machines
 * busy.
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

@inline function isGuided(): bool { return GRAPH && state().fastScan != 0; }

/** As of a machine of 2024: by the bytes that are read, and what there is to do whatever their number. */
function assumeCosts(): void {
  const l = layout();
  const codes = <f32>(state().dimensions >> 2);
  l.rowCost = <f32>(0.02 + 0.00012 * <f64>nodes().column(exactCodec().column).stride);
  l.metCost = <f32>(0.03 + 0.00008 * <f64>nodes().column(walkCodec().column).stride);
  l.hopCost = <f32>(isGuided() ? 0.2 + 0.005 * codes : 0.05);
  if (!GRAPH) return;
  l.codeCost = <f32>(0.0008 + 0.00005 * codes);
  if (!l.reread) l.reread = REREAD;
}

/** Nodes that a walk expands before it is where the query is, of a graph of M = 16. */
const HOPS_DOWN: f32 = 10;
/** And for each that it is to find, of all that it meets there: 1.2 on fashion-mnist-784, 1.6 on minilm-mix-384, 2.8 on gutenberg-sif-160. */
const HOPS_PER_EF: f32 = 1.2;

/** As walks of an index went that expanded so many. */
export function setHops(expanded: f32, ef: f32): void { layout().hopsPerEf = max((expanded - HOPS_DOWN) / ef, HOPS_PER_EF); }

@inline function hopsPerEf(): f32 { return isGuided() ? max(layout().hopsPerEf, HOPS_PER_EF) : HOPS_PER_EF; }

/**
 * Without fastScan, rows that a walk of so many hops scores, whoever passes: it meets ever fewer that are new. Of 12,000 to 60,000 rows, ef 16 to 512, all passing to
 * a twentieth, within a tenth on gutenberg-sif-160 and a third on minilm-mix-384; half of it on fashion-mnist-784.
 */
@inline function rowsMet(hops: f32): f32 { return 0.6 * sqrt(<f32>state().m * hops * sqrt(hops * <f32>nodes().count)); }

/** Microseconds of so many hops. */
function costOf(hops: f32): f32 { return hops * layout().hopCost + (isGuided() ? 0 : rowsMet(hops) * layout().metCost); }

/** fastScan: that are scanned while a node is expanded, at least. By this, and not by a clock, the few vectors that are cheaper scanned where all pass. */
const ROWS_OF_A_HOP: f32 = 3;
/** Of the rows that a walk scores, so many are as cheap in a scan. */
const SCANNED: f32 = 1.5;

/** Microseconds of scoring all that passes: by rows, and by codes of a filter that lasts. */
@inline function rowsCost(ask: Ask): f32 { return <f32>ask.passing * layout().rowCost; }
@inline function codesCost(ask: Ask, codes: u32): f32 { return <f32>codes * layout().codeCost + min(layout().reread * spanOf(ask), <f32>ask.passing) * layout().metCost; }

/** What the rows that a scan of codes reads grow with: by k from 1 to 1,000, a fiftieth passing to half, .23 to .3 of this on fashion-mnist-784, .64 to 1 on gutenberg-sif-160. */
@inline function spanOf(ask: Ask): f32 { return sqrt(<f32>ask.k * <f32>ask.passing); }
/** Of minilm-mix-384. */
const REREAD: f32 = 0.25;

/** A scan of codes has read so many rows. */
export function noteReread(ask: Ask, rows: u32): void {
  const l = layout();
  l.reread += (<f32>rows / max(spanOf(ask), 1) - l.reread) / 8;
}

/** Of a walk that is to find `more`, where one in `spread` passes. */
@inline function hopsFor(more: f32, spread: f32): f32 { return hopsPerEf() * more * spread; }

/** Of a walk so far that has scored so many. */
@inline function spent(scored: u32): f32 { return <f32>work().visited * layout().hopCost + (isGuided() ? 0 : <f32>scored * layout().metCost); }

/**
 * The ef that a walk is as dear as which returns more than it is searched for: with fastScan the rest of them are the best that wait, of
 * which every second one waits twice; else whoever is met, some four at each node that is expanded.
 */
@inline export function dueOf(ef: u32, wanted: u32): u32 {
  return ef < wanted ? ef + (wanted - ef >> (isGuided() ? 1 : 2)) : ef;
}

/** All that passes is scored, by codes where its filter has some. */
export const WAY_SCAN: u32 = 0;
export const WAY_WALK: u32 = 1;
/** fastScan: the codes of all that is live are scanned. */
export const WAY_SIGNS: u32 = 2;

/** How to search where a walk is as dear as one of `ef`; what both would cost is noted. */
export function wayOf(ask: Ask, ef: u32, linked: u32): u32 {
  const w = work();
  const hops = HOPS_DOWN + hopsFor(<f32>ef, <f32>linked / <f32>ask.passing); // of nobody NaN, and no walk
  const few = isGuided() ? ROWS_OF_A_HOP * (HOPS_DOWN + HOPS_PER_EF * <f32>ef) : SCANNED * rowsMet(hops);
  if (ask.passing == linked && <f32>linked <= few) return WAY_SCAN;
  if (layout().rowCost == 0) assumeCosts();
  if (GRAPH && isGuided() && ask.passing == state().live && scansSigns(ask, ef, linked)) return WAY_SIGNS;
  if (ask.passing == linked) return WAY_WALK;
  w.walkCost = costOf(hops);
  w.scanCost = rowsCost(ask);
  const filter = Filter.at(ask.prepared);
  const coded = GRAPH && isGuided() && ask.prepared != 0;
  const codes = coded ? codesCost(ask, ask.passing) : 0;
  let looks = true;
  if (ask.prepared) {
    if (filter.factor) w.walkCost *= filter.factor;
    if (coded && filter.coded) w.scanCost = codes;
    looks = !filter.factor || !(++filter.scans % LOOK_AGAIN);
  }
  const walks = w.scanCost > w.walkCost || (looks && w.scanCost > costOf(LOOK_FIRST));
  // What passes gets codes for the next searches where these make it three times cheaper, else once searches would have saved a quarter of what codes take to make or
  // to copy (signs.ts). What a walk takes here is known by the first: where the nearest pass, a tenth of what it takes elsewhere.
  if (coded && !filter.coded && (!walks || filter.factor)) {
    const saved = min(w.walkCost, w.scanCost) - codes;
    filter.missed += saved;
    if (saved > 2 * codes || filter.missed > <f32>ask.passing * (filters().signedRoom ? copyingCost() : makingCost()) / 4) filter.wanted = 1;
  }
  return walks ? WAY_WALK : WAY_SCAN;
}

/**
 * fastScan, where all that is live passes: whether all codes are cheaper scanned, and no more than a walk would look at or MUCH cheaper. Those that are
 * missing are made for the next searches, once these would have saved a quarter of that.
 */
function scansSigns(ask: Ask, ef: u32, linked: u32): bool {
  const w = work(), all = filters();
  const wide = <f32>ef * <f32>linked / <f32>max(ask.passing, 1);
  const walk = costOf(HOPS_DOWN + max(hopsPerEf(), all.hopsPerEf) * wide), codes = codesCost(ask, nodes().count);
  if (linked < LEAST_SIGNED || walk < SURELY * codes) return false;
  if (walk - codes < MUCH && (HOPS_DOWN + hopsPerEf() * wide) * <f32>(state().m << 1) < <f32>nodes().count) return false;
  if (allSigned()) {
    w.walkCost = walk;
    w.scanCost = codes;
    return true;
  }
  all.missed += walk - codes;
  if (all.missed > <f32>(ask.passing - all.signedCount) * makingCost() / 4) all.wanted = 1;
  return false;
}

/** From so many on `ef` says how far a walk goes: of a narrower one most is the way down. */
const TELLING: u32 = 64;

/** How far a walk of `ef` went, where all that is live passes. Filters are not planned by it: a loaded index would do it otherwise. */
export function noteHops(ask: Ask, ef: u32): void {
  if (!isGuided() || ask.passing != state().live || ef < TELLING) return;
  const all = filters();
  all.hopsPerEf += ((<f32>work().visited - HOPS_DOWN) / <f32>ef - all.hopsPerEf) / 8;
}

/** Nobody has given a filter: what is not cheaper by so much stays a walk. */
const SURELY: f32 = 1.5;
/** Microseconds that are worth it: ten of gutenberg-sif-160, 60,000, at ef 512 in 280 in place of 560. */
const MUCH: f32 = 100;
/** Whose steps are timed (src/border/clock.ts). */
const LEAST_SIGNED: u32 = 1000;

/** Microseconds of a code that is made from a row, and of one that is copied (signs.ts). */
export function makingCost(): f32 { return <f32>(state().dimensions + 40) / 256; }
export function copyingCost(): f32 { return makingCost() / 8; }

/** A walk that goes and sees whether more passes around the query than elsewhere costs a small part of a scan that is dearer than so many hops. */
const LOOK_FIRST: f32 = 30;
/** Of a filter whose walks are known to be dearer than scans, one search in so many looks. */
const LOOK_AGAIN: u32 = 16;

/** How a walk ended: what it cost, held against what was assumed, is kept with a filter that lasts. */
export function noteWalk(ask: Ask, finished: bool): void {
  const w = work();
  if (!ask.prepared || !w.walkCost) return;
  const f = Filter.at(ask.prepared);
  const known = f.factor;
  const cost = spent(w.distances) + (finished ? 0 : DOUBT * w.scanCost);
  const factor = cost / w.walkCost * (known ? known : 1);
  f.factor = known ? known + (factor - known) / 4 : factor;
}

/** Nodes that a walk looks at for how many pass where it is. */
const SAMPLE: u32 = 96;
@inline export function samples(): bool { return work().met < SAMPLE; }

/** A walk is given up where a scan seems cheaper by so much: what passes here is known by a sample. */
const DOUBT: f32 = 1.25;

/** Whether a walk that has found so many of `ef` had better end in a scan: what is behind it counts for nothing. */
export function givesUp(found: u32, ef: u32, scored: u32): bool {
  const all = work();
  if (samples()) return false;
  const spread = <f32>all.met / <f32>max(all.metPassing, 1);
  const hops = <f32>all.visited;
  const left = costOf(hops + hopsFor(<f32>(ef - min(found, ef)), spread)) - costOf(hops);
  return left > DOUBT * all.scanCost || spent(scored) > 2 * all.scanCost;
}
