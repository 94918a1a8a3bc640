// What is wrong with an index, by evidence, and what to do.
import { seatOf } from "../../base/seat-of.js";
import type { Vector, Vectors } from "../../input/vectors.js";
import { rowsOf } from "../../input/vectors.js";
import type { Found } from "../../search/searchable.js";
import { badOption } from "../../words/errors.js";
import { METRICS } from "../../words/kinds.js";
import { checkSignal, integer, known, real } from "../../words/options.js";
import { type Learned, learnedOf } from "../learned.js";
import { type Ask, exactly, measure, missedBySelf, type Point } from "../measuring.js";
import { keepPast, type Past, pastOf } from "../past.js";
import { truthOf } from "../recall.js";
import { type AnyFilter, checkFilters, type Query, type Subject, subjectOf, type Tunable } from "../subject.js";
import { filtered } from "./filters.js";
import { type Finding, sorted } from "./finding.js";
import { drift, unbalanced } from "./lists.js";
import { missing } from "./missing.js";
import { refused, replicas } from "./shards.js";
import { FAIR_EF, removed, starved, streamed, unreachable, untrained } from "./structure.js";
import { duplicates, elsewhere, metric } from "./vectors.js";

export interface DoctorOptions {
  /** What is asked of it. Default: `sample` of its vectors, without themselves. */
  queries?: Vectors;
  /** By which searches are filtered as well, each of which is looked at: shares of vectors that pass at random, or filters as searches take them. */
  filters?: readonly (number | AnyFilter)[];
  /** Vectors to look at. Default 300. */
  sample?: number;
  /** Default 10. */
  k?: number;
  /** Less than this share of the true neighbours is a problem, 0 to 1. Default 0.9. */
  recall?: number;
  /** Of the sample. Default 42. */
  seed?: number;
  signal?: AbortSignal;
}

export interface DoctorReport {
  /** The worst first; of those, causes before what may follow from them. Of a healthy index there are none. */
  findings: Finding[];
  /** At the effort that searches have by default. */
  recall: Point;
  /** What it was like when tune(), or this first, found it well; undefined where nothing was kept. */
  past: Past | undefined;
}

const NAMES = ["queries", "filters", "sample", "k", "recall", "seed", "signal"];

function given(subject: Subject, queries: Vectors): Query[] {
  const { dimensions, metric: name } = subject.stats;
  const rows = rowsOf(queries, { dimensions, packed: METRICS[name].packed }, "queries");
  return Array.from({ length: rows.n }, (_, i) => ({
    vector: Float32Array.from({ length: dimensions }, (_, j) => rows.value(i, j)),
  }));
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1];

/** What all findings are looked for in. */
interface Examined {
  readonly subject: Subject;
  /** Of its own vectors, and of what was given, which may be the same. */
  readonly own: Ask;
  readonly ask: Ask;
  /** The nearest to each of the own. */
  readonly near: Found<unknown>[][];
  readonly learned: Learned | undefined;
  readonly past: Past | undefined;
}

/**
 * Examines an index, a pool, a collection, or a NatsCollection: recall now, and why it is low; memory that removed vectors hold; vectors out of reach, or that few
 * links lead to; lists and codebooks that were learned from others; lists of very different lengths; filters by which less is found; copies; a
 * metric that does not hear lengths; queries from elsewhere. Each finding has its evidence, the cause, and a call to make. Of pools, what only an
 * index's own memory tells is left out; of a collection that is its main tier's. An index of which nothing is kept, and that has no problem, keeps
 * what it is like now, and so does its file: later calls compare with that. Errors: BAD_OPTION, and those of searches.
 */
export async function doctor(target: Tunable, options: DoctorOptions = {}): Promise<DoctorReport> {
  known("doctor", options, NAMES);
  checkSignal(options.signal);
  const wanted = real("recall", options.recall ?? 0.9, 0, 1);
  const k = integer("k", options.k ?? 10, 1, 2 ** 20);
  const seed = integer("seed", options.seed ?? 42, 0, Number.MAX_SAFE_INTEGER);
  const filters = checkFilters(options.filters ?? []);
  const subject = await subjectOf(target);
  const drawn = await subject.drawn(integer("sample", options.sample ?? 300, 2, 2 ** 20), seed);
  if (drawn.length < 2) throw badOption(`there are ${subject.size} vectors: two at least can be examined`);
  const asked = options.queries === undefined ? drawn : given(subject, options.queries);
  if (asked.length === 0) throw badOption("queries has none");
  const own: Ask = { subject, queries: drawn, k, options: {}, batch: 1, signal: options.signal };
  const ask: Ask = { ...own, queries: asked };
  const { held } = subject;
  const near = await exactly(own);
  const learned = held && (await learnedOf(held, seed));
  const past = held && pastOf(held);
  const examined: Examined = { subject, own, ask, near, learned, past };
  const found = asked === drawn ? near : await exactly(ask);
  const right = found.map(truthOf);
  const recall = await measure(ask, undefined, right);
  const findings = [...(await ofIndex(examined)), ...(await ofVectors(examined))];
  if (asked !== drawn) findings.push(await ofQueries(examined, found, recall));
  const alike = past?.k === k && past.given === (asked !== drawn) ? past : undefined;
  findings.push(streamed(recall, wanted, alike, subject), await missing(ask, recall, wanted, right, alike));
  for (const filter of filters) findings.push(...(await filtered(ask, filter, seed, recall, wanted)));
  const report = { findings: sorted(findings.filter((one) => one !== undefined)), recall, past };
  if (held && !past && !report.findings.some(({ severity }) => severity === "problem")) {
    const effort = subject.effort ? Number(subject.stats.options[subject.effort]) || 0 : 0;
    const facts = { k, effort, size: held.size, given: asked !== drawn, recall: recall.recall };
    keepPast(held, facts, learned);
  }
  return report;
}

/** What it tells of itself. */
async function ofIndex({ subject, own, near, learned, past }: Examined): Promise<(Finding | undefined)[]> {
  const { stats, held, calls } = subject;
  const told = subject.shards ? [replicas(subject.shards), refused(subject.shards)] : [];
  const findings = [...told, untrained(stats, calls), removed(stats, held, calls), unreachable(stats, held, calls)];
  if (held && learned) {
    const learnedOn = seatOf(held).engine.state("learnedOn");
    findings.push(drift(learned, past, learnedOn, stats.size, calls), unbalanced(learned, past, stats.size, calls));
  }
  if (stats.kind === "hnsw" && stats.trained && !METRICS[stats.metric].signed) {
    const missed = await missedBySelf(own, Math.max(Number(stats.options.ef), FAIR_EF), near);
    findings.push(starved(missed, own.queries.length, stats, held, calls));
  }
  return findings;
}

/** Beside the distance of the k-th, an equal vector's is rounding. */
const EQUAL = 1e-5;

/** How many have an equal one: by its distance, or where codes are compared, and rounding is no less than that, by what is stored. */
function copies({ subject: { index }, own, near }: Examined): number {
  const far = Math.abs(median(near.map((found) => found.at(-1)?.distance ?? 1)));
  const isStored = (id: unknown, vector: Vector): boolean => {
    const stored = index?.get(id as number);
    return stored !== undefined && Array.from(vector).every((value, j) => value === stored[j]);
  };
  return near.filter(([first], i) => first && (first.distance <= EQUAL * far || isStored(first.id, own.queries[i].vector)))
    .length;
}

/** What its vectors tell. */
async function ofVectors(examined: Examined): Promise<(Finding | undefined)[]> {
  const { stats, held } = examined.subject;
  const { queries } = examined.own;
  return [
    METRICS[stats.metric].signed ? undefined : duplicates(copies(examined), queries.length),
    held && (await metric(held, queries)),
  ];
}

/** What queries tell beside vectors; `found`: the nearest to each. */
async function ofQueries(
  { subject, own, near }: Examined,
  found: Found<unknown>[][],
  recall: Point,
): Promise<Finding | undefined> {
  if (METRICS[subject.stats.metric].signed) return undefined;
  const [theirs, ours] = [found, near].map((lists) => median(lists.map(([first]) => first?.distance ?? 0)));
  const vectors = await measure(own, undefined, near.map(truthOf));
  return elsewhere(theirs, ours, { queries: recall.recall, vectors: vectors.recall }, subject.calls);
}
