// The second scorer: candidates that codes nominated are ordered by their exact rows.
import { alloc } from "./arena";
import { Batch } from "./batch";
import { layout } from "./nodes";
import { bindQuery, exactCodec, exactScorer, scoreMany } from "./scorer";
import { state } from "./state";
import { TopK } from "./topk";
import { publish, work } from "./work";

/** A TopK in scratch for at most min(k, live) slots; 0 where scratch cannot grow. */
export function openTop(k: u32, bound: f32): TopK {
  const size = max(min(k, state().live), 1);
  const at = alloc(TopK.bytes(size));
  return at ? TopK.open(at, size, bound) : changetype<TopK>(0);
}

/** Re-scores `candidates` for the query at `query` (prepared f32) into `top`. False where scratch cannot grow. */
export function rerank(query: usize, candidates: TopK, top: TopK): bool {
  const batch = Batch.open(max(candidates.size, 1));
  if (!batch) return false;
  for (let i: u32 = 0; i < candidates.size; i++) batch.add(candidates.slotAt(i));
  rerankBatch(query, batch, top);
  return true;
}

export function rerankBatch(query: usize, batch: Batch, top: TopK): void {
  if (!batch.count) return;
  bindQuery(exactCodec(), exactScorer(), query);
  scoreMany(exactScorer(), batch.slots, batch.count, batch.distances);
  for (let i: u32 = 0; i < batch.count; i++) top.offer(batch.distanceAt(i), batch.slotAt(i));
  work().reranked += batch.count;
}

/** Re-scores `candidates` for the prepared query and publishes the k nearest within `bound`. */
export function publishReranked(candidates: TopK, k: u32, bound: f32): bool {
  const top = openTop(k, bound);
  return top && rerank(layout().prepared, candidates, top) && publish(top);
}
