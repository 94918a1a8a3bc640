// One query against one index: options, the query on its way in, the hits on their way out.

import type { Hit, SearchStats } from "../border/answers.js";
import type { Engine } from "../border/engine.js";
import { badRow, oneRow, type Shape, type Vector } from "../input/vectors.js";
import { badOption, show } from "../words/errors.js";
import { type Effort, KINDS, type Kind, METRICS, type Metric, type MetricRow } from "../words/kinds.js";
import { flag, integer, known } from "../words/options.js";
import { candidatesFor } from "../words/rerank-option.js";
import { NONE } from "../words/state.js";
import { type Filter, place, type Settled } from "./filter.js";

export interface SearchOptions {
  /** How many neighbours, at least 1. Default 10; with `radius` all within it. */
  k?: number;
  // Each family's own knob, at least 1: more finds more and costs more. Default: what the index was created with. A Flat
  // index has none to turn and accepts all.
  /** Hnsw: beam width. */
  ef?: number;
  /** Ivf: lists scanned. */
  nprobe?: number;
  /** KdTree: leaves visited; Infinity for the exact answer. */
  maxLeaves?: number;
  /** Forest: candidates gathered over all trees. */
  searchK?: number;
  /** Lsh: buckets looked into per table. */
  probes?: number;
  /** Only these ids may be answered, and k of them are where k pass. What is asked often: `index.prepareFilter(...)`. */
  filter?: Filter;
  /** Only hits at this distance or nearer. */
  radius?: number;
  /** True: scan everything for the exact answer. */
  exact?: boolean;
}

export interface AsyncSearchOptions extends SearchOptions {
  /** Ends the wait for fetchVectors: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

export const NO_WORK: SearchStats = { distances: 0, visited: 0, reranked: 0, plan: undefined };

export function plus(a: SearchStats, b: SearchStats): SearchStats {
  return {
    distances: a.distances + b.distances,
    visited: a.visited + b.visited,
    reranked: a.reranked + b.reranked,
    plan: a.plan ?? b.plan,
  };
}

export const DEFAULT_K = 10;
const EFFORTS: readonly Effort[] = ["ef", "nprobe", "maxLeaves", "searchK", "probes"];

/** What all searches of one index have in common. */
export interface Profile {
  readonly kind: Kind;
  readonly metric: MetricRow;
  readonly shape: Shape;
  readonly factor: number;
  /** The exact rows are the caller's. */
  readonly fetches: boolean;
  /** Efforts that a search may name. */
  readonly efforts: readonly Effort[];
}

export function profileOf(kind: Kind, metric: Metric, dimensions: number, factor: number, fetches: boolean): Profile {
  const { effort } = KINDS[kind];
  return {
    kind,
    metric: METRICS[metric],
    shape: { dimensions, packed: METRICS[metric].packed },
    factor,
    fetches,
    efforts: effort ? [effort] : EFFORTS,
  };
}

/** A search's options, checked. */
export interface Wanted {
  readonly k: number;
  readonly effort: number;
  /** The search has named its effort, where it is not the index's own. */
  readonly given: boolean;
  readonly candidates: number;
  readonly exact: boolean;
}

/** Refuses options that a search of this kind does not have. */
export function checkNames({ kind, efforts }: Profile, options: object | undefined, more: readonly string[]): void {
  if (options !== undefined) known(`${KINDS[kind].family} search`, options, ["k", ...efforts, "filter", ...more]);
}

/** An effort as wasm takes it. */
function effortOf(name: Effort, value: unknown): number {
  return name === "maxLeaves" && value === Infinity ? NONE : integer(name, value, 1, NONE);
}

export function wantedOf(profile: Profile, engine: Engine, options: SearchOptions | undefined, k: number): Wanted {
  const most = integer("k", k, 1, NONE);
  const live = engine.live;
  let effort: number | undefined;
  for (const name of profile.efforts) if (options?.[name] !== undefined) effort = effortOf(name, options[name]);
  return {
    k: Math.min(most, Math.max(live, 1)),
    effort: effort ?? engine.state("effort"),
    given: effort !== undefined,
    candidates: candidatesFor(most, profile.factor, live),
    exact: flag("exact", options?.exact),
  };
}

export function writeQuery({ shape }: Profile, engine: Engine, query: Vector): void {
  const plain = query instanceof Float32Array && query.length === shape.dimensions && !shape.packed;
  const code = plain ? engine.setFloats(query) : engine.setQuery(oneRow(query, shape, "query"));
  if (code < 0) throw badRow(oneRow(query, shape, "query"), 0, code);
}

/** Says what the searches that follow are asked. */
export function tell(
  { exports }: Engine,
  { k, effort, given, candidates, exact }: Wanted,
  filter: number,
  bound = Infinity,
): void {
  exports.ask(k, effort, candidates, filter, bound, exact, given);
}

/** Searches for the query at hand; the hits are the engine's. */
export function ask(engine: Engine, wanted: Wanted, filter: number, bound?: number): void {
  tell(engine, wanted, filter, bound);
  if (engine.lists && !wanted.exact) engine.lists.search(engine, wanted.effort, filter ? engine.passing(filter) : engine.live);
  else engine.done(engine.exports.search());
}

export function searchOne(
  profile: Profile,
  engine: Engine,
  query: Vector,
  wanted: Wanted,
  settled: Settled,
  bound?: number,
): Hit[] {
  writeQuery(profile, engine, query);
  if (settled === undefined) ask(engine, wanted, 0, bound);
  else engine.scope(() => ask(engine, wanted, place(engine, settled), bound));
  return engine.hits(profile.metric.distance);
}

export function checkRadius(radius: unknown): number {
  if (typeof radius === "number" && !Number.isNaN(radius)) return radius;
  throw badOption(`radius is ${show(radius)}; it must be a number`);
}

/** A search to be done: within a bound on raw distances, which exact searches alone heed. */
export interface Search {
  readonly wanted: Wanted;
  readonly bound: number;
}

/**
 * All within the radius: says what to search for, is told the hits, and so on. Exact searches take the radius as their
 * bound; a walk widens until it has left it.
 */
export function* within(profile: Profile, wanted: Wanted, radius: number): Generator<Search, Hit[], Hit[]> {
  const { metric, kind, fetches, factor } = profile;
  const near = (hits: Hit[]): Hit[] => hits.filter((hit) => hit.distance <= radius);
  if (wanted.exact || (kind === "flat" && !fetches)) {
    // f32 rounds: the bound is a little loose, and the filter above exact.
    const raw = radius < 0 && !metric.signed ? -1 : Math.fround(metric.raw(radius));
    return near(yield { wanted: { ...wanted, exact: true }, bound: raw + Math.abs(raw) * 2 ** -20 });
  }
  const first = kind === "hnsw" ? Math.max(wanted.effort, DEFAULT_K) : DEFAULT_K;
  for (let k = Math.min(first, wanted.k); ; k = Math.min(2 * k, wanted.k)) {
    const hits = yield { wanted: { ...wanted, k, candidates: candidatesFor(k, factor, NONE) }, bound: Infinity };
    const found = near(hits);
    if (found.length < hits.length || k >= wanted.k || hits.length < k) return found;
  }
}
