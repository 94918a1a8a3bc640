// Many vectors at once, for graphs: stored first, then linked together. Until they are, searches look at each.
import { E_MEMORY } from "../base/codes";
import { THREADS } from "../base/simd";
import { align } from "../base/sizes";
import { mark, reset } from "../memory/arena";
import { isAugmented, state } from "../memory/state";
import { FREE, nodes, stageOf } from "../table/nodes";
import { freeSlots, takeSlot } from "../table/slots";
import { storeNew } from "../search/rows";
import { Builder } from "../family/graph/builder";
import { LEAF, bulkNow, team } from "../family/graph/bulk/job";
import { distancesAmong } from "../family/graph/bulk/leaf";
import { linkStep, openLinking } from "../family/graph/bulk/steps";
import { PLACES, WholeRows } from "../family/graph/bulk/whole";
import { isTwin, raiseTower, setLinks, topOf } from "../family/graph/graph";
import { hnswInsert } from "../family/graph/hnsw";
import { findRoots } from "../family/graph/reconnect";
import { advanceSweep } from "../family/graph/sweep";
import { standAlone } from "../family/graph/twins";

/** Fewer vectors are inserted one by one, and fewer than one for so many that there are. */
const LEAST: u32 = 512;
const LINKED_PER_NEW: u32 = 16;

@inline function paysAtOnce(n: u32, linked: u32): bool { return n >= LEAST && <u64>n * LINKED_PER_NEW >= linked; }

/** How many of n more vectors, the last, are to be stored and then linked at once; `all`: as many as can. The others take free slots, or are few. */
export function linkedTogether(n: u32, all: bool): u32 {
  const s = state();
  const free = freeSlots();
  if (!(s.atOnce || s.fastScan) || !s.trained || n <= free) return 0;
  // Where a longer row changes those before it (storeExtra), they are all there before the first is linked, however they come.
  return all || isAugmented() || paysAtOnce(n - free + s.pending, nodes().count - s.pending) ? n - free : 0;
}

/** Adds n checked vectors under new ids, room being reserved, without links; 0 for those whose rows are copied in afterwards. */
export function storeVectors(vectors: usize, ids: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) {
    const place = nodes().count++;
    const slot = vectors ? storeNew(vectors, ids, i, place) : takeSlot(load<u32>(ids + (<usize>i << 2)), place);
    raiseTower(slot);
    for (let layer: u32 = 0; layer <= topOf(slot); layer++) setLinks(layer, slot, 0, 0);
    standAlone(slot);
    state().pending++;
  }
}

/** Given up so often for others' sake, linking goes on to the end. */
const PATIENCE: u32 = 3;
/** Slots that a short step inserts by themselves. */
const FEW: u32 = 4;

/** Links what waits for it: all, or a short step; 1 when all are, 0 when not. E_MEMORY. */
export function linkPending(short: bool): i32 {
  const t = team();
  short = short && t.stopped < PATIENCE;
  while (state().pending || bulkNow()) {
    if (!bulkNow() && !t.single && !begins()) t.single = 1;
    if (t.single) {
      if (!insertPending(short ? FEW : state().pending)) return E_MEMORY;
    } else if (linkStep(short) == E_MEMORY) {
      if (THREADS && !t.alone) t.alone = 1;
      else t.single = 1;
    }
    if (short) break;
  }
  if (state().pending || bulkNow()) return 0;
  t.stopped = 0;
  t.single = 0;
  t.alone = 0;
  return 1;
}

function begins(): bool {
  const pending = state().pending;
  return paysAtOnce(pending, nodes().count - pending) && openLinking(team().alone != 0);
}

/** At most n of those that wait are inserted one by one. False where scratch cannot grow. */
function insertPending(n: u32): bool {
  const start = mark();
  const b = Builder.open();
  if (b) {
    findRoots(b);
    const s = state();
    for (let i: u32 = 0; i < n && s.pending; i++) {
      const slot = nodes().count - s.pending--;
      if (!isTwin(slot) && stageOf(slot) != FREE) hnswInsert(b, slot);
      advanceSweep(b);
    }
  }
  reset(start);
  return changetype<usize>(b) != 0;
}

/**
 * For tests: the squared distances, under l1 the distances among n <= LEAF slots as leaf.ts sees them, to `out`: i32, rows and columns padded to a
 * multiple of 4. What the value 1 has become in them, or 0.
 */
export function distancesOfLeaf(slots: usize, n: u32, out: usize): f32 {
  const start = mark();
  const whole = WholeRows.open(LEAF, PLACES);
  const scale = whole ? whole.fill(slots, n) : 0;
  if (scale > 0) distancesAmong(whole, <u32>align(n, 4), out);
  reset(start);
  return scale;
}
