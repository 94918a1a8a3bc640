// Searches whose exact vectors the caller holds: codes nominate, `fetchVectors` brings the nominated, and they decide.

import type { Hit, SearchStats } from "../border/answers.js";
import type { Engine } from "../border/engine.js";
import { writeChecked } from "../border/engine.js";
import type { Exports } from "../border/exports.js";
import { type Closable, isPromise, patiently } from "../input/patience.js";
import { copyOf, type ownRows, type Rows, rowsOf, type Shape, type Vector } from "../input/vectors.js";
import type { Ids } from "../words/arrays.js";
import { badOption, VicinalError } from "../words/errors.js";
import type { Fetched, FetchVectors } from "../words/rerank-option.js";
import { type BatchHits, type BatchOptions, noHits } from "./batch.js";
import { PreparedFilter, place, type Settled, settle } from "./filter.js";
import {
  type AsyncSearchOptions,
  ask,
  checkRadius,
  DEFAULT_K,
  NO_WORK,
  type Profile,
  plus,
  type Search,
  type SearchOptions,
  type Wanted,
  wantedOf,
  within,
  writeQuery,
} from "./plan.js";

/** Vectors asked for at a time by a search that must see all. */
const FETCH_CHUNK = 4096;
/** Of them, written to scratch at a time. */
const RESCORE_BYTES = 1 << 16;

interface Answer {
  readonly hits: Hit[];
  readonly stats: SearchStats;
}

/** The index that is searched: it may get another engine meanwhile, or be closed. */
interface Asked extends Closable {
  readonly engine: Engine;
}

/** Asks for the vectors of ids and goes on with them. */
type Steps<T> = Generator<Ids, T, Fetched>;

const nearer = (a: Hit, b: Hit): number => a.distance - b.distance || a.id - b.id;

/** What fetchVectors brought for n ids. */
export function fetchedRows(fetched: Fetched, n: number, shape: Shape, read: typeof ownRows = rowsOf): Rows {
  const rows = read(fetched, shape, "fetchVectors(ids)");
  if (rows.n === n) return rows;
  throw new VicinalError("BAD_DIMENSION", `fetchVectors was asked for ${n} vectors and brought ${rows.n}`);
}

/** Between two steps the index may change, or be closed: its engine is asked for after each. */
function* searchSteps(profile: Profile, asked: Asked, query: Vector, options: SearchOptions | undefined): Steps<Answer> {
  const radius = options?.radius === undefined ? undefined : checkRadius(options.radius);
  const live = Math.max(asked.engine.live, 1);
  const wanted = wantedOf(profile, asked.engine, options, options?.k ?? (radius === undefined ? DEFAULT_K : live));
  const filter = settle(options?.filter, asked.engine);
  const settled = filter && !(filter instanceof PreparedFilter) ? copyOf(filter) : filter;
  writeQuery(profile, asked.engine, query);
  const own = asked.engine.copyQuery();
  let stats = NO_WORK;
  const search = function* (wish: Search): Steps<Hit[]> {
    const first = asked.engine;
    first.setFloats(own);
    const nominated = nominate(profile, first, wish.wanted, settled);
    stats = plus(stats, first.counters());
    // Untrained, the index still has the vectors themselves.
    if (!first.state("trained")) return nominated;
    const hits: Hit[] = [];
    for (let from = 0; from < nominated.length; from += FETCH_CHUNK) {
      const ids = Uint32Array.from(nominated.slice(from, from + FETCH_CHUNK), ({ id }) => id);
      const fetched = yield ids;
      const now = asked.engine;
      now.setFloats(own);
      hits.push(...rescore(profile, now, ids, fetched, wish));
      stats = plus(stats, now.counters());
    }
    return hits.sort(nearer).slice(0, wish.wanted.k);
  };
  if (radius === undefined) return { hits: yield* search({ wanted, bound: Infinity }), stats };
  const plan = within(profile, wanted, radius);
  let step = plan.next([]);
  while (!step.done) step = plan.next(yield* search(step.value));
  return { hits: step.value, stats };
}

/** What codes think is near. */
function nominate({ metric }: Profile, engine: Engine, wanted: Wanted, settled: Settled): Hit[] {
  let k = wanted.k;
  if (engine.state("trained")) k = wanted.exact ? Math.max(engine.live, 1) : Math.max(wanted.candidates, k);
  engine.scope(() => ask(engine, { ...wanted, k, candidates: k }, place(engine, settled)));
  return engine.hits(metric.distance);
}

function rescore(profile: Profile, engine: Engine, ids: Uint32Array, fetched: Fetched, { wanted, bound }: Search): Hit[] {
  const rows = fetchedRows(fetched, ids.length, profile.shape);
  const chunk = Math.max(Math.floor(RESCORE_BYTES / engine.rowBytes), 1);
  const hits: Hit[] = [];
  for (let from = 0; from < rows.n; from += chunk) {
    const to = Math.min(from + chunk, rows.n);
    engine.scope(() => {
      const at = engine.alloc((to - from) * engine.rowBytes);
      writeChecked(engine, rows, at, from, to);
      const idsAt = engine.writeU32(ids.subarray(from, to));
      engine.done((engine.exports as Required<Exports>).rescore(at, idsAt, to - from, wanted.k, bound));
      hits.push(...engine.hits(profile.metric.distance));
    });
  }
  return hits;
}

export class Fetcher {
  readonly fetchVectors: FetchVectors;

  constructor(fetchVectors: FetchVectors) {
    this.fetchVectors = fetchVectors;
  }

  search(profile: Profile, asked: Asked, query: Vector, options: SearchOptions | undefined): Answer {
    const steps = searchSteps(profile, asked, query, options);
    for (let step = steps.next(); ; ) {
      if (step.done) return step.value;
      const fetched = this.fetchVectors(step.value.slice());
      if (isPromise(fetched)) {
        throw badOption("fetchVectors answered with a promise; searchAsync waits for it, search cannot");
      }
      step = steps.next(fetched as Fetched);
    }
  }

  searchAsync(profile: Profile, asked: Asked, query: Vector, options: AsyncSearchOptions | undefined): Promise<Answer> {
    return patiently(asked, options?.signal, async (patience) => {
      const steps = searchSteps(profile, asked, query, options);
      for (let step = steps.next(); ; ) {
        if (step.done) return step.value;
        step = steps.next(await patience.for(this.fetchVectors(step.value.slice())));
      }
    });
  }

  /** One query after the other. */
  searchBatch(
    profile: Profile,
    asked: Asked,
    queries: Rows,
    options: BatchOptions | undefined,
    k: number,
  ): { hits: BatchHits; stats: SearchStats } {
    const hits = noHits(queries.n, k);
    let stats = NO_WORK;
    for (let i = 0; i < queries.n; i++) {
      const query = Float32Array.from({ length: queries.dimensions }, (_, j) => queries.value(i, j));
      const one = this.search(profile, asked, query, options);
      one.hits.forEach(({ id, distance }, j) => {
        hits.ids[i * k + j] = id;
        hits.distances[i * k + j] = distance;
      });
      stats = plus(stats, one.stats);
    }
    return { hits, stats };
  }
}
