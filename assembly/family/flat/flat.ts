// The family that has nothing beside its rows. Its search is exact: every live slot that passes the
// filter, in batches. Also the exact answer of every other family.
import { ALL, E_MEMORY, NONE, OK } from "../../base/codes";
import { alloc, mark, reset } from "../../memory/arena";
import { layout, nodes } from "../../table/nodes";
import { Codec, Scorer, bindQuery, exactCodec, scanNominates, scanScorer, scoreMany } from "../../codec/scorer";
import { Ask } from "../../search/ask";
import { Batch } from "../../search/batch";
import { Family } from "../../search/family";
import { Nominees } from "../../search/nominees";
import { GROUP, bindBounded, guessGroup, nominateGroup, rescoreWithin, rescoresAtOnce } from "../../search/packed-scan";
import { openTop, publishReranked, rerankBatch } from "../../search/rerank";
import { storeNew } from "../../search/rows";
import { TopK } from "../../search/topk";
import { publish, work } from "../../search/work";

const BATCH: u32 = 128;

export class Flat extends Family {
  packs(): bool { return true; }
  room(slots: u32): usize { return ALL ? flatRoom(slots) : 0; }
  search(ask: Ask): i32 { return flatSearch(ask); }
  exact(ask: Ask): i32 { return exactScan(ask); }

  add(vectors: usize, ids: usize, lists: usize, n: u32): i32 {
    for (let i: u32 = 0; i < n; i++) storeNew(vectors, ids, i, NONE);
    return OK;
  }
}

/** Offers every live slot that passes the filter, by a codec. False where scratch cannot grow. */
function scan(codec: Codec, filter: usize, batch: Batch, top: TopK): bool {
  const scorer = scanScorer();
  bindQuery(codec, scorer, layout().prepared);
  if (ALL && codec.groups) {
    const nominees = Nominees.open(top);
    if (!nominees) return false;
    for (let first: u32 = 0, n = nodes().count; first < n; first += GROUP) {
      work().visited += nominateGroup(scorer, first, filter, nominees);
    }
    nominees.settle(0);
    top.offerAll(nominees.distances, nominees.slots, nominees.count);
    return true;
  }
  batch.cursor = 0;
  while (batch.fill(filter)) {
    scoreMany(scorer, batch.slots, batch.count, batch.distances);
    top.offerAll(batch.distances, batch.slots, batch.count);
    work().distances += batch.count;
    work().visited += batch.count;
  }
  return true;
}

/**
 * The k nearest to the prepared query that pass the filter, or all within the bound if fewer: by the exact rows where they
 * are kept, else by what the codes say. Results: work().
 */
export function exactScan(ask: Ask): i32 {
  const start = mark();
  const batch = Batch.open(BATCH);
  const top = batch ? openTop(ask.k, ask.bound) : changetype<TopK>(0);
  const done = !!top && scan(exactCodec(), ask.filter, batch, top) && publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}

/** searchAtOnce has a bound per slot. */
function flatRoom(slots: u32): usize { return rescoresAtOnce() ? <usize>slots + GROUP << 2 : 0; }

/** The search of a Flat index. With exact rows kept, the codes nominate candidates and the rows decide. */
export function flatSearch(ask: Ask): i32 {
  if (!scanNominates()) return exactScan(ask);
  if (ALL && rescoresAtOnce()) return searchAtOnce(ask);
  const start = mark();
  const batch = Batch.open(BATCH);
  const nominated = batch ? openTop(ask.candidates, Infinity) : changetype<TopK>(0);
  const done = !!nominated && scan(ask.codec(), ask.filter, batch, nominated) && publishReranked(nominated, ask.k, Infinity);
  reset(start);
  return done ? OK : E_MEMORY;
}

/**
 * rabitq with an adaptive rerank: the k best by estimate are scored exactly, and then every row whose lower bound is within
 * reach of the worst of them. minilm-384, n = 11,389: 77 exact distances a query in place of 679 with one pass.
 */
function searchAtOnce(ask: Ask): i32 {
  const start = mark();
  const filter: usize = ask.filter;
  const n = nodes().count;
  const bounds = alloc(<usize>n + GROUP << 2); // f32 per slot, Infinity where nothing can be answered
  const top = bounds ? openTop(ask.k, Infinity) : changetype<TopK>(0);
  const guess = top ? Nominees.open(top) : changetype<Nominees>(0);
  if (!guess) {
    reset(start);
    return E_MEMORY;
  }
  bindBounded();
  for (let first: u32 = 0; first < n; first += GROUP) work().visited += guessGroup(first, filter, guess, bounds + (<usize>first << 2));
  guess.settle(0);
  rerankBatch(layout().prepared, guess, top);
  for (let i: u32 = 0; i < guess.count; i++) store<f32>(bounds + (<usize>guess.slotAt(i) << 2), Infinity);
  for (let first: u32 = 0; first < n; first += GROUP) rescoreWithin(first, bounds + (<usize>first << 2), top);
  const done = publish(top);
  reset(start);
  return done ? OK : E_MEMORY;
}
