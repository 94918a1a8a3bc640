// What a search by words and meaning can be told.
import type { Where } from "../collection/where/parse.js";
import type { Vector } from "../input/vectors.js";
import { DEFAULT_K } from "../search/plan.js";
import { badOption, show } from "../words/errors.js";
import type { Effort } from "../words/kinds.js";
import { checkSignal, heed, integer, known, real } from "../words/options.js";

export interface HybridSearchOptions<Id> extends Partial<Record<Effort, number>> {
  /** How many, at least 1. Default 10. */
  k?: number;
  /** The query's vector. Default: `embed` makes it of the query; a collection that was opened with `embed` does so itself. */
  vector?: Vector;
  /** How many each half is asked for. Default 100, or k where that is more. */
  candidates?: number;
  /** Only documents of the collection whose fields meet these conditions, in both halves. */
  where?: Where;
  /** Only these ids, in both halves; for an index, which has no fields. */
  filter?: ReadonlySet<Id> | ((id: Id) => boolean);
  /**
   * The best document of each value of this field of the collection's documents, for k values. A half's rank of a value is that of its
   * best document.
   */
  groupBy?: string;
  /** Paths of data that hits bring, as of a collection. Default: all of it. */
  select?: readonly string[];
  /** Lambda of maximal marginal relevance, 0 to 1, by which k of the candidates are taken; less is more various. Default: none. */
  mmr?: number;
  /** True: the half of the vectors by a scan. */
  exact?: boolean;
  signal?: AbortSignal;
}

const EFFORTS = ["ef", "nprobe", "maxLeaves", "searchK", "probes"] as const;
const NAMES = ["k", "vector", "candidates", "where", "filter", "groupBy", "select", "mmr", "exact", "signal", ...EFFORTS];
/** What the vectors' own search checks. */
const PASSED_ON = ["where", "filter", "groupBy", "select", "exact", "signal", ...EFFORTS] as const;
const CANDIDATES = 100;
const MOST = 2 ** 26;

/** A search's options, checked. */
export interface Wish<Id> {
  readonly options: HybridSearchOptions<Id>;
  readonly k: number;
  readonly candidates: number;
  /** For the half of the vectors. */
  readonly looking: object;
  readonly passes: ((id: Id) => boolean) | undefined;
}

export function wishOf<Id>(query: unknown, options: HybridSearchOptions<Id>): Wish<Id> {
  if (typeof query !== "string")
    throw badOption(`query is ${show(query)}; it must be a text, whose vector may be given as vector`);
  known("search", options, NAMES);
  const { filter, mmr, signal } = options;
  checkSignal(signal);
  heed(signal);
  if (mmr !== undefined) real("mmr", mmr, 0, 1);
  const k = integer("k", options.k ?? DEFAULT_K, 1, MOST);
  const candidates = integer("candidates", options.candidates ?? Math.max(CANDIDATES, k), 1, MOST);
  const given = PASSED_ON.filter((name) => options[name] !== undefined);
  return {
    options,
    k,
    candidates,
    looking: { k: candidates, ...Object.fromEntries(given.map((name) => [name, options[name]])) },
    passes: filter === undefined ? undefined : passesOf(filter),
  };
}

function passesOf<Id>(filter: unknown): (id: Id) => boolean {
  if (typeof filter === "function") return filter as (id: Id) => boolean;
  if (filter instanceof Set) return (id) => filter.has(id);
  throw badOption(`filter is ${show(filter)}; it must be a Set of ids or a function of an id`);
}
