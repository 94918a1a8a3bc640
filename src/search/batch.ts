// Many queries at once.

import type { SearchStats } from "../border/answers.js";
import type { Engine } from "../border/engine.js";
import { writeChecked } from "../border/engine.js";
import type { Rows } from "../input/vectors.js";
import type { Floats, Ids } from "../words/arrays.js";
import { badOption } from "../words/errors.js";
import { integer } from "../words/options.js";
import { NONE } from "../words/state.js";
import { place, type Settled } from "./filter.js";
import { ask, DEFAULT_K, NO_WORK, type Profile, plus, type SearchOptions, tell, type Wanted } from "./plan.js";

export type BatchOptions = Omit<SearchOptions, "radius">;

/** Row i of the answer is at i * k; short rows end with id 4294967295 at distance Infinity. */
export interface BatchHits {
  ids: Ids;
  distances: Floats;
  k: number;
}

/** Of one searchBatch: 1 GiB of ids and distances. */
const MAX_RESULTS = 2 ** 27;
/** Scratch for the queries of a batch and their results, where memory may grow so far. */
const BATCH_BYTES = 16 << 20;

export function batchK(n: number, given: number | undefined): number {
  const k = integer("k", given ?? DEFAULT_K, 1, NONE);
  if (n * k > MAX_RESULTS) {
    throw badOption(`${n} queries with k = ${k} are more than ${MAX_RESULTS} results`);
  }
  return k;
}

export function noHits(n: number, k: number): BatchHits {
  return { ids: new Uint32Array(n * k).fill(NONE), distances: new Float32Array(n * k).fill(Infinity), k };
}

export function searchBatch(
  profile: Profile,
  engine: Engine,
  queries: Rows,
  wanted: Wanted,
  k: number,
  settled: Settled,
): { hits: BatchHits; stats: SearchStats } {
  const hits = noHits(queries.n, k);
  let stats = NO_WORK;
  const keep = engine.state("rerank") ? Math.max(wanted.k, wanted.candidates) : wanted.k;
  const perQuery = engine.rowBytes + engine.exports.batchBytes(keep) + 24 * keep + 256;
  const chunk = Math.min(queries.n, Math.max(Math.floor(Math.min(BATCH_BYTES, engine.spare) / perQuery), 1));
  engine.scope(() => {
    const filter = place(engine, settled);
    const collect = (first: number, n: number, each: number): void => {
      for (let i = 0; i < n; i++)
        engine.copyHits(i * each, each, hits.ids, hits.distances, (first + i) * k, profile.metric.distance);
      stats = plus(stats, engine.counters());
    };
    for (let from = 0; from < queries.n; from += chunk) {
      const n = Math.min(chunk, queries.n - from);
      engine.scope(() => {
        const at = engine.alloc(n * engine.rowBytes);
        writeChecked(engine, queries, at, from, from + n);
        tell(engine, wanted, filter);
        if (engine.exports.sharesScans()) {
          engine.done(engine.exports.searchTogether(at, n));
          collect(from, n, wanted.k);
          return;
        }
        for (let i = 0; i < n; i++) {
          engine.setQueryFrom(at, i);
          ask(engine, wanted, filter);
          collect(from + i, 1, engine.found);
        }
      });
    }
  });
  return { hits, stats };
}
