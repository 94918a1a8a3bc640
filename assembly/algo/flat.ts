// Exact search: every live slot that passes the filter, in batches. Also the exact answer of every other family.
import { mark, reset } from "../arena";
import { Batch } from "../batch";
import { E_MEMORY, OK } from "../codes";
import { layout } from "../nodes";
import { Scorer, bindQuery, scanCodec, scanNominates, scoreMany, walkScorer } from "../scorer";
import { TopK } from "../topk";
import { openTop, publishReranked } from "../rerank";
import { publish, work } from "../work";

const BATCH: u32 = 128;

/** Offers every live slot that passes the filter. */
export function scan(scorer: Scorer, filter: usize, batch: Batch, top: TopK): void {
  batch.cursor = 0;
  scorer.scattered = 0;
  while (batch.fill(filter)) {
    scoreMany(scorer, batch.slots, batch.count, batch.distances);
    for (let i: u32 = 0; i < batch.count; i++) top.offer(batch.distanceAt(i), batch.slotAt(i));
    work().distances += batch.count;
    work().visited += batch.count;
  }
}

/**
 * The k nearest to the prepared query, or all within `bound` if fewer. With exact rows kept, the codes nominate
 * `candidates` and the rows decide. Results: work().
 */
export function exactSearch(k: u32, candidates: u32, filter: usize, bound: f32): i32 {
  const start = mark();
  const rerank = scanNominates();
  const batch = Batch.open(BATCH);
  const top = batch ? openTop(rerank ? candidates : k, rerank ? Infinity : bound) : changetype<TopK>(0);
  if (!top) {
    reset(start);
    return E_MEMORY;
  }
  bindQuery(scanCodec(), walkScorer(), layout().prepared);
  scan(walkScorer(), filter, batch, top);
  const done = rerank ? publishReranked(top, k, bound) : publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}
