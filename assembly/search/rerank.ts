// The second scorer: candidates that codes nominated are ordered by their exact rows.
import { E_MEMORY, NONE, OK } from "../base/codes";
import { rowBytes } from "../base/sizes";
import { alloc, mark, reset } from "../memory/arena";
import { byKernel, isOfUnits } from "../memory/metrics";
import { state } from "../memory/state";
import { slotOfId } from "../table/ids";
import { layout } from "../table/nodes";
import { squaredNorm, sumOf } from "../kernel/metric";
import { bindQuery, exactCodec, exactScorer, scoreMany } from "../codec/scorer";
import { Batch } from "./batch";
import { Nominees } from "./nominees";
import { checkedNorm, inputBytes, prepare } from "./prepare";
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
  top.offerAll(batch.distances, batch.slots, batch.count);
  work().reranked += batch.count;
}

/**
 * `rerank: "adaptive"`: in the order of the codes, k at a time, until k in a row were all too far. `candidates` is used up.
 */
function rerankUntilFar(query: usize, candidates: TopK, top: TopK): bool {
  const batch = Batch.open(top.k);
  if (!batch) return false;
  candidates.sort();
  for (let from: u32 = 0; from < candidates.size; from += batch.count) {
    const bound = top.size == top.k ? top.bound : Infinity;
    batch.count = 0;
    for (let i = from; i < candidates.size && batch.count < batch.capacity; i++) batch.add(candidates.slotAt(i));
    rerankBatch(query, batch, top);
    if (top.size == top.k && top.bound == bound) break;
  }
  return true;
}

/** The same of nominees, all of them. */
export function publishNominees(nominees: Nominees, k: u32): bool {
  const top = openTop(k, Infinity);
  if (!top) return false;
  nominees.settle(0);
  rerankBatch(layout().prepared, nominees, top);
  return publish(top);
}

/** Re-scores `candidates` for the prepared query and publishes the k nearest within `bound`. */
export function publishReranked(candidates: TopK, k: u32, bound: f32): bool {
  const top = openTop(k, bound);
  if (!top) return false;
  const done = state().rerankFactor == 0 ? rerankUntilFar(layout().prepared, candidates, top) : rerank(layout().prepared, candidates, top);
  return done && publish(top);
}

/**
 * Rows held by the caller: n input vectors of n ids that a search has nominated, by their exact distances to the prepared
 * query; the k nearest within `bound` are published.
 */
export function rescore(vectors: usize, ids: usize, n: u32, k: u32, bound: f32): i32 {
  const start = mark();
  const row = alloc(rowBytes(state().dimensions));
  const top = row ? openTop(k, bound) : changetype<TopK>(0);
  if (!top) {
    reset(start);
    return E_MEMORY;
  }
  for (let i: u32 = 0; i < n; i++) {
    const slot = slotOfId(load<u32>(ids + (<usize>i << 2)));
    if (slot == NONE) continue;
    const vector = vectors + <usize>i * inputBytes();
    prepare(vector, checkedNorm(vector), row);
    top.offer(exactDistance(layout().prepared, row), slot);
  }
  work().reranked += n;
  const done = publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}

/** `row` is used up. */
function exactDistance(query: usize, row: usize): f32 {
  const d = state().dimensions;
  for (let p: usize = 0; p < d << 2; p += 4) {
    const q = load<f32>(query + p), r = load<f32>(row + p);
    store<f32>(row + p, byKernel(r - q, abs(r - q), r * q));
  }
  const sum = sumOf(row, d);
  return <f32>byKernel(squaredNorm(row, d), sum, isOfUnits() ? max(1 - sum, 0) : -sum);
}
