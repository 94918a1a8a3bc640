// What is tuned or examined, seen alike: an index, a pool of it, a collection, or one in shards on other machines.
import { type IndexStats, VectorIndex } from "../base/vector-index.js";
import type { Collection } from "../collection/collection.js";
import type { DocumentId } from "../collection/keys.js";
import type { MainOptions } from "../collection/options.js";
import type { Where } from "../collection/where/parse.js";
import type { Vector } from "../input/vectors.js";
import type { Pool } from "../pool/pool.js";
import type { Filter } from "../search/filter.js";
import type { Found, Searchable } from "../search/searchable.js";
import { badOption, show } from "../words/errors.js";
import { type Effort, isLossy, KINDS, METRICS, type Metric } from "../words/kinds.js";
import { KNOBS, type Knobs } from "../words/knobs.js";
import { listsFor } from "../words/needs.js";
import { real } from "../words/options.js";
import { mixed, someOf, uniform } from "./random.js";

export type Tunable = VectorIndex | Pool | Collection | ShardSet;

/** NatsCollection of vicinal/nats, so far as it is looked at: its own types would have users need NATS. */
export interface ShardSet extends Searchable<DocumentId> {
  search(query: Vector, options?: ShardSetOptions): Promise<Found<DocumentId>[]>;
  get(id: DocumentId): Promise<{ readonly vector?: Vector } | undefined>;
  count(options?: { where?: Where }): Promise<number>;
  stats(): ShardSetStats;
}

export type ShardSetOptions = { k?: number; where?: Where; exact?: boolean; select?: string[] } & Partial<Record<Effort, number>>;

export interface ShardSetStats {
  readonly generation: number;
  readonly shards: number;
  readonly replicas: readonly {
    readonly shard: number;
    readonly ready: boolean;
    readonly size: number;
    readonly refused: readonly unknown[];
  }[];
}

/** What a filter is to it: of an index and a pool ids in any form, of a collection conditions. */
export type AnyFilter = Filter | Where;

export function checkFilters(filters: readonly (number | AnyFilter)[]): readonly (number | AnyFilter)[] {
  if (!Array.isArray(filters))
    throw badOption(`filters is ${show(filters)}; it must be an array of filters, or of shares that pass`);
  for (const filter of filters) if (typeof filter === "number") real("a share of filters", filter, Number.MIN_VALUE, 1);
  return filters;
}

/** A vector to ask for, and who it is where it is one of those that are searched: its own hit does not count. */
export interface Query {
  readonly vector: Vector;
  readonly self?: unknown;
}

/** What is called to mend it, as one writes it. */
export interface Calls {
  readonly train: string;
  readonly compact: string;
  /** Another graph in its place. */
  readonly again: string;
  tune(options: string): string;
}

function callsOf(name: "index" | "pool"): Calls {
  return {
    train: `await ${name}.train()`,
    compact: `await ${name}.compact()`,
    again: "build it again with more links: m 16, efConstruction 200 or more",
    tune: (options) => (name === "index" ? `await tune(index, ${options})` : `(await tune(pool, ${options})).search(query)`),
  };
}

const OF_COLLECTION: Calls = {
  train: "await collection.reindex()",
  compact: "await collection.reindex()",
  again: 'await collection.reindex({ kind: "hnsw", m: 16, efConstruction: 200 }) or more',
  tune: (options) => `(await tune(collection, ${options})).search(query)`,
};

const OF_SHARDS: Calls = {
  train: "await reshard(nc, name)",
  compact: "await reshard(nc, name)",
  again: 'await reshard(nc, name, { index: { kind: "hnsw", m: 16, efConstruction: 200 } }) or more',
  tune: OF_COLLECTION.tune,
};

type Options = Readonly<Record<string, unknown>>;

/** A filter made ready; `done` gives its memory back. */
export interface Ready {
  readonly options: Options;
  /** Of the vectors, 0 to 1; undefined where only a search would tell. */
  readonly share: number | undefined;
  done(): unknown;
}

export interface Subject {
  /** Of the index that most searches go to. */
  readonly stats: Told;
  readonly effort: Effort | undefined;
  /** No effort beyond it finds more. */
  readonly most: number;
  readonly size: number;
  /** What exact search compares. */
  readonly truth: "vectors" | "codes";
  /** Whose default effort can be set. */
  readonly index: VectorIndex | undefined;
  /** What its own memory is looked into: of a collection its main tier. */
  readonly held: VectorIndex | undefined;
  readonly calls: Calls;
  /** Of shards that replicas serve. */
  readonly shards?: ShardSetStats;
  search(query: Vector, options: Options): Found<unknown>[] | Promise<Found<unknown>[]>;
  /** Undefined where it has none that gives ids and distances. */
  searchBatch?(queries: Vector[], options: Options): Promise<Found<unknown>[][]>;
  drawn(n: number, seed: number): Promise<Query[]>;
  /** A share is of vectors at random; another filter is as its searches take it. */
  filter(filter: number | AnyFilter, seed: number): Promise<Ready>;
}

/** What is told of an index; of shards on other machines it is what they were made as. */
export type Told = Pick<IndexStats, "kind" | "metric" | "codec" | "dimensions" | "size" | "trained" | "options"> &
  Partial<Pick<IndexStats, "deleted" | "bytes" | "leaves" | "unreachable" | "meanDegree">>;

/** What both of an index's forms have. */
type Asked = VectorIndex | Pool;

export async function subjectOf(target: Tunable): Promise<Subject> {
  if (target instanceof VectorIndex) return indexOrPool(target, target.stats());
  if (typeof target?.stats !== "function" || typeof target.search !== "function") {
    throw badOption(`${show(target)} is no index, pool, collection or set of shards`);
  }
  const stats = await target.stats();
  if ("generation" in stats) return shardSet(target as ShardSet, stats);
  return "fresh" in stats ? collection(target as Collection, stats.main ?? stats.fresh) : indexOrPool(target as Pool, stats);
}

/** As far as an effort can matter. */
function mostOf({ kind, size, options, leaves }: Told): number {
  const { nlist, bits } = options as Record<string, number>;
  if (kind === "ivf") return nlist;
  if (kind === "kdtree") return leaves ?? size;
  return kind === "lsh" ? 2 ** bits : size;
}

function facts(stats: Told): Pick<Subject, "stats" | "effort" | "most" | "truth"> {
  const { kind, metric, codec, trained, options } = stats;
  const effort = trained ? KINDS[kind].effort : undefined;
  const lost = trained && isLossy(codec, metric) && options.rerank === undefined;
  return { stats, effort, most: Math.max(mostOf(stats), 1), truth: lost ? "codes" : "vectors" };
}

function indexOrPool(target: Asked, stats: IndexStats): Subject {
  const index = target instanceof VectorIndex ? target : undefined;
  const waits = stats.options.rerank === "fetchVectors";
  return {
    ...facts(stats),
    size: stats.size,
    index,
    held: index,
    calls: callsOf(index ? "index" : "pool"),
    search: (query, options) => (index && waits ? index.searchAsync(query, options) : target.search(query, options)),
    ...(!waits && {
      async searchBatch(queries, options) {
        const { ids, distances, k } = await target.searchBatch(queries, options);
        return queries.map((_, i) =>
          Array.from({ length: k }, (_, j) => ({ id: ids[i * k + j], distance: distances[i * k + j] })).filter(
            ({ distance }) => distance < Number.POSITIVE_INFINITY,
          ),
        );
      },
    }),
    async drawn(n, seed) {
      const ids = someOf(await target.ids(), n, seed);
      return Promise.all(ids.map(async (self) => ({ self, vector: (await target.get(self)) as Vector })));
    },
    async filter(filter, seed) {
      if (filter === 1) return NO_FILTER;
      const passing =
        typeof filter === "number"
          ? (await target.ids()).filter((id) => mixed(id ^ mixed(seed)) < filter * 2 ** 32)
          : (filter as Uint32Array);
      if (typeof (passing as { close?: unknown }).close === "function") {
        return { options: { filter: passing }, share: (passing as unknown as { size: number }).size / stats.size, done() {} };
      }
      const prepared = await target.prepareFilter(passing);
      return { options: { filter: prepared }, share: prepared.size / stats.size, done: () => prepared.close() };
    },
  };
}

const NO_FILTER: Ready = { options: {}, share: 1, done() {} };

function collection(target: Collection, stats: IndexStats): Subject {
  return {
    ...facts(stats),
    size: target.size,
    index: undefined,
    held: (target as unknown as { readonly main?: VectorIndex }).main,
    calls: OF_COLLECTION,
    search: (query, options) => target.search(query, { select: [], ...options }),
    /** By one pass over all documents: each is as likely as any other (Vitter 1985, algorithm R). */
    async drawn(n, seed) {
      const next = uniform(seed);
      const drawn: Query[] = [];
      let seen = 0;
      for await (const { id, vector } of target.scan({ select: [], vectors: true })) {
        const place = seen < n ? seen : Math.floor(next() * (seen + 1));
        if (place < n) drawn[place] = { self: id, vector: vector as Vector };
        seen++;
      }
      return drawn;
    },
    filter: (filter) => byConditions(target, filter),
  };
}

async function byConditions(target: Collection | ShardSet, filter: number | AnyFilter): Promise<Ready> {
  if (filter === 1) return NO_FILTER;
  if (typeof filter === "number") {
    throw badOption(`a collection filters by conditions: give { lang: "en" } or such in place of the share ${filter}`);
  }
  const share = target.size ? (await target.count({ where: filter as Where })) / target.size : 1;
  return { options: { where: filter }, share, done() {} };
}

/** Ids that are drawn from, of each shard. */
const DRAWN_FROM = 4096;

async function shardSet(target: ShardSet, shards: ShardSetStats): Promise<Subject> {
  const { metric, index, ids } = await (target as unknown as Examined).examined(DRAWN_FROM);
  const { kind = "hnsw", codec = METRICS[metric].codecs[0], ...own } = index ?? {};
  const knobs = Object.entries(KNOBS[kind] as Knobs).flatMap(([name, { usual }]) => (usual === undefined ? [] : [[name, usual]]));
  const { size, dimensions } = target;
  const each = Math.ceil(size / shards.shards);
  const options = { ...Object.fromEntries(knobs), ...own } as Record<string, number | string | boolean>;
  if (options.nlist === "auto") options.nlist = listsFor(each, each);
  const stats: Told = {
    ...{ kind, metric, dimensions, size, trained: true, options },
    codec: typeof codec === "object" ? codec.type : codec,
  };
  return {
    ...facts(stats),
    size,
    index: undefined,
    held: undefined,
    calls: OF_SHARDS,
    shards,
    search: (query, options) => target.search(query, { select: [], ...options }),
    async drawn(n, seed) {
      const drawn = someOf(ids, n, seed).map(async (self) => ({ self, vector: (await target.get(self))?.vector as Vector }));
      return (await Promise.all(drawn)).filter(({ vector }) => vector !== undefined);
    },
    filter: (filter) => byConditions(target, filter),
  };
}

interface Examined {
  examined(most: number): Promise<{ metric: Metric; index?: MainOptions; ids: readonly DocumentId[] }>;
}
