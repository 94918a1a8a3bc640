// Steps of a search, taken for a clock: how long they take on this machine, with the rows of this index, is what its planner goes by.
import { NONE } from "../../base/codes";
import { random64 } from "../../base/random";
import { within } from "../../base/simd";
import { alloc, mark, reset } from "../../memory/arena";
import { state } from "../../memory/state";
import { GROUP } from "../../memory/store";
import { layout, nodes } from "../../table/nodes";
import { bindQuery, decode, exactCodec, scanScorer, scoreMany, walkCodec, walkScorer } from "../../codec/scorer";
import { Batch } from "../../search/batch";
import { clearWork, work } from "../../search/work";
import { setHops } from "./costs";
import { codesOf, linkedSlots, linksOf } from "./graph";
import { guidedSearch } from "./guided";
import { bindNeighbours, guide, lowerBounds, scalesOf, scoreNeighbours } from "./neighbours";
import { Walk } from "./walk";

/** Steps that can be practised; the order of setCosts() in costs.ts. */
const STEP_ROW: u32 = 0;
const STEP_MET: u32 = 1;
/** A node expanded: with fastScan all that a walk does for it, else its links alone. */
const STEP_HOP: u32 = 2;
/** fastScan: 32 codes. */
const STEP_CODES: u32 = 3;

/** Rows of a scan's batch. */
const BATCH: u32 = 128;
/** Groups of codes that are scanned over and over: those of a filter that is asked often are in the cache. */
const GROUPS: u32 = 1024;
/** Of a walk. */
const EF: u32 = 16;

let drawn: u64 = 0;
function draw(): u32 { return <u32>(random64(0x737465707, drawn++) % linkedSlots()); }

/** Takes at least `n` steps of a kind, all over the slots, and says how many; 0 where there are none, or scratch cannot grow. */
export function practise(step: u32, n: u32): u32 {
  if (state().entry == NONE) return 0;
  const start = mark();
  let taken: u32;
  if (step < STEP_HOP) taken = practiseRows(step == STEP_ROW, n);
  else if (!state().fastScan) taken = practiseLinks(n);
  else taken = step == STEP_CODES ? practiseCodes(n) : practiseWalks(n);
  reset(start);
  return taken;
}

/** By a scan, or in batches as a walk's: other rows each time, which are in no cache. */
function practiseRows(scans: bool, n: u32): u32 {
  const batch = Batch.open(BATCH);
  if (!batch) return 0;
  const codec = scans ? exactCodec() : walkCodec(), scorer = scans ? scanScorer() : walkScorer();
  const size = scans ? BATCH : min(state().m, BATCH);
  decode(exactCodec(), draw(), layout().prepared);
  bindQuery(codec, scorer, layout().prepared);
  let taken: u32 = 0;
  for (; taken < n; taken += size) {
    batch.count = 0;
    while (batch.count < size) batch.add(draw());
    scoreMany(scorer, batch.slots, size, batch.distances);
  }
  return taken;
}

function practiseLinks(n: u32): u32 {
  let sum: u32 = 0;
  for (let i: u32 = 0; i < n; i++) sum |= load<u32>(linksOf(0, draw()));
  return sum ? n : 0;
}

function practiseCodes(n: u32): u32 {
  const estimates = alloc(GROUP << 2);
  if (!estimates) return 0;
  decode(exactCodec(), draw(), layout().prepared);
  bindNeighbours();
  const slots = min(linkedSlots(), GROUPS);
  let nearer: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const group = codesOf(0, i % slots);
    scoreNeighbours(guide(), group, 1, estimates);
    nearer += within(estimates, <f32>.5);
    lowerBounds(estimates, scalesOf(group), <f32>.5, estimates);
    nearer += within(estimates, 0);
  }
  return nearer == NONE ? 0 : n;
}

/** To other rows each time, whose surroundings are in no cache; how far walks of this index go is noted. */
function practiseWalks(n: u32): u32 {
  const s = state();
  const w = Walk.open(EF, nodes().count, s.live + s.dead + s.doomed, s.live);
  if (!w) return 0;
  const all = work();
  clearWork();
  all.scanCost = Infinity; // that no walk is given up
  let walks: u32 = 0;
  for (; all.visited < n; walks++) {
    decode(exactCodec(), draw(), layout().prepared);
    bindQuery(walkCodec(), walkScorer(), layout().prepared);
    w.beam().clear(EF);
    w.scored = 0;
    guidedSearch(w, walkScorer(), EF, EF);
  }
  setHops(<f32>all.visited / <f32>walks, <f32>EF);
  return all.visited;
}
