// The exact search of a Flat index with a prefilter: one pass over the codes gives a lower bound per slot
// (bounds.ts), the k with the least bounds are scored, and then every row whose bound is within reach of the worst
// of them. What a plain scan answers, from a quarter of the bytes. Queries a second without and with: fashion-mnist-784 150 ->
// 557 (simd), 146 -> 632 (relaxed), of 60,000 rows 15 to 19 are read; minilm-384 1,710 -> 8,030, 2,630 -> 11,400.
import { E_MEMORY, NONE, OK } from "../../base/codes";
import { within } from "../../base/simd";
import { alloc, mark, reset } from "../../memory/arena";
import { layout, nodes, upper } from "../../table/nodes";
import { Ask } from "../../search/ask";
import { Batch } from "../../search/batch";
import { GROUP, excludeAbsent, offerNear, passing } from "../../search/packed-scan";
import { openTop, rerank, rerankBatch } from "../../search/rerank";
import { storeNew } from "../../search/rows";
import { TopK } from "../../search/topk";
import { publish, work } from "../../search/work";
import { askPrefilter, filterRow, filterRows, filterSlots, openPrefilter } from "./bounds";
import { Flat } from "./flat";

/** Rows scored at a time: their cache lines are asked for together (touch.ts). */
const BATCH: u32 = 64;
/** Of a group so few rows are sooner read themselves than its codes. */
const FEW: u32 = 4;

export class Prefiltered extends Flat {
  open(): bool { return openPrefilter(); }
  restore(slots: u32): bool { return upper().ensure(slots) == OK; }
  reserve(n: u32, fresh: u32, gone: u32): bool { return upper().ensure(nodes().count + fresh) == OK && super.reserve(n, fresh, gone); }
  /** A lower bound per slot. */
  room(slots: u32): usize { return boundsBytes(slots); }
  compact(): bool { return super.compact() && filterRows(); }
  link(): bool { return filterRows(); }
  search(ask: Ask): i32 { return prefilteredSearch(ask); }
  exact(ask: Ask): i32 { return prefilteredSearch(ask); }

  add(vectors: usize, ids: usize, lists: usize, n: u32): i32 {
    for (let i: u32 = 0; i < n; i++) filterRow(storeNew(vectors, ids, i, NONE));
    return OK;
  }
}

@inline function boundsBytes(slots: u32): usize { return <usize>slots + GROUP << 2; }

function prefilteredSearch(ask: Ask): i32 {
  const start = mark();
  const bounds = alloc(boundsBytes(nodes().count));
  const guess = bounds ? openTop(ask.k, ask.bound) : changetype<TopK>(0);
  const top = guess ? openTop(ask.k, ask.bound) : changetype<TopK>(0);
  if (!top) {
    reset(start);
    return E_MEMORY;
  }
  guessAll(ask.filter, bounds, guess);
  const done = rerank(layout().prepared, guess, top) && scoreWithin(bounds, guess, top) && publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}

/** Bounds of all slots, Infinity where there is nothing to answer. */
function guessAll(filter: usize, bounds: usize, guess: TopK): void {
  askPrefilter(layout().prepared);
  for (let first: u32 = 0, n = nodes().count; first < n; first += GROUP, bounds += GROUP << 2) {
    const there = passing(first, filter);
    const seen = popcnt(there);
    work().visited += seen;
    if (seen > FEW) {
      filterSlots(first, bounds);
      offerNear(first, there, bounds, guess);
      work().distances += seen;
    } else for (let sparse = there; sparse; sparse &= sparse - 1) store<f32>(bounds + (ctz(sparse) << 2), -Infinity);
    excludeAbsent(there, bounds);
  }
}

/** Offers every row within reach that was not a guess. */
function scoreWithin(bounds: usize, guess: TopK, top: TopK): bool {
  const batch = Batch.open(BATCH);
  if (!batch) return false;
  for (let i: u32 = 0; i < guess.size; i++) store<f32>(bounds + (<usize>guess.slotAt(i) << 2), Infinity);
  for (let first: u32 = 0, n = nodes().count; first < n; first += GROUP, bounds += GROUP << 2) {
    let near = within(bounds, top.bound);
    // Nothing is passed over at a distance of Infinity, but the absent lie there.
    for (; near; near &= near - 1) {
      const i = ctz(near);
      if (load<f32>(bounds + (i << 2)) == Infinity) continue;
      batch.add(first + i);
      if (batch.count == BATCH) flush(batch, top);
    }
  }
  flush(batch, top);
  return true;
}

function flush(batch: Batch, top: TopK): void {
  rerankBatch(layout().prepared, batch, top);
  batch.count = 0;
}
