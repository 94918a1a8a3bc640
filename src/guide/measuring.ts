// One effort, measured: every query asked once, in slices.
import { breath, SLICE_MS } from "../input/slices.js";
import type { Found } from "../search/searchable.js";
import { heed } from "../words/options.js";
import { type Recall, recallOf, shareOf, type Truth, truthOf } from "./recall.js";
import type { Query, Subject } from "./subject.js";

/** What an effort gives and costs here. */
export interface Point extends Recall {
  /** The value of ef, nprobe, maxLeaves, searchK or probes; undefined of what has nothing to turn. */
  effort: number | undefined;
  /** Milliseconds of a call: half of the calls take no more, 99 of 100 no more. Browsers show them in steps. */
  p50Ms: number;
  p99Ms: number;
  /** Queries a second on this thread, one call after the other. */
  qps: number;
}

/** What is asked of every effort. */
export interface Ask {
  readonly subject: Subject;
  readonly queries: readonly Query[];
  readonly k: number;
  /** With the filter. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Queries of a call. */
  readonly batch: number;
  readonly signal: AbortSignal | undefined;
}

/** Queries that warm up what runs and the caches. */
const WARM_UP = 50;
/** A scan reads the rows once for all queries of a call: of a call for the truth they are doubled until it takes so long. */
const TOGETHER = 8;
const PATIENCE_MS = 50;

type Answer = (hits: Found<unknown>[], i: number) => void;

/** All queries, some at a time; the milliseconds of each call. One hit more is asked for where queries find themselves. */
async function asked(
  ask: Ask,
  options: Readonly<Record<string, unknown>>,
  answer: Answer,
  /** How many queries the next call has, by the milliseconds of the last. */
  at: (lastMs: number | undefined) => number,
): Promise<number[]> {
  const { subject, queries, k, signal } = ask;
  const whole = { ...ask.options, ...options, k: queries.some(({ self }) => self !== undefined) ? k + 1 : k };
  const spent: number[] = [];
  let last = performance.now();
  for (let i = 0, together = 0; i < queries.length; i += together) {
    heed(signal);
    together = Math.max(at(spent.at(-1)), 1);
    const some = queries.slice(i, i + together);
    const start = performance.now();
    const found =
      together > 1 && subject.searchBatch
        ? await subject.searchBatch(
            some.map(({ vector }) => vector),
            whole,
          )
        : await oneByOne(subject, some, whole);
    const end = performance.now();
    spent.push(end - start);
    for (const [j, hits] of found.entries()) answer(without(hits, some[j].self, k), i + j);
    if (end - last < SLICE_MS) continue;
    await breath();
    last = performance.now();
  }
  return spent;
}

async function oneByOne(
  subject: Subject,
  queries: readonly Query[],
  options: Readonly<Record<string, unknown>>,
): Promise<Found<unknown>[][]> {
  const found: Found<unknown>[][] = [];
  for (const { vector } of queries) {
    const hits = subject.search(vector, options);
    found.push(Array.isArray(hits) ? hits : await hits);
  }
  return found;
}

function without(hits: Found<unknown>[], self: unknown, k: number): Found<unknown>[] {
  return (self === undefined ? hits : hits.filter(({ id }) => id !== self)).slice(0, k);
}

/** By exact search of what is stored. */
export async function truths(ask: Ask): Promise<Truth[]> {
  return (await exactly(ask)).map(truthOf);
}

/** The nearest to each query, without itself. */
export async function exactly(ask: Ask): Promise<Found<unknown>[][]> {
  const found: Found<unknown>[][] = [];
  let together = TOGETHER;
  const answer: Answer = (hits, i) => {
    found[i] = hits;
  };
  await asked(ask, { exact: true }, answer, (lastMs = PATIENCE_MS) => {
    if (lastMs < PATIENCE_MS) together *= 2;
    return together;
  });
  return found;
}

/** As many answers as there are queries, each the share that was found. */
export async function measure(ask: Ask, effort: number | undefined, truths: readonly Truth[]): Promise<Point> {
  const { effort: name } = ask.subject;
  const options = name === undefined || effort === undefined ? {} : { [name]: effort };
  const shares: number[] = [];
  const together = (): number => ask.batch;
  const answer: Answer = (hits, i) => {
    shares[i] = shareOf(hits, truths[i]);
  };
  await asked({ ...ask, queries: ask.queries.slice(0, WARM_UP) }, options, answer, together);
  const spent = await asked(ask, options, answer, together);
  const sorted = spent.toSorted((a, b) => a - b);
  const rank = (share: number): number => sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)];
  const totalMs = spent.reduce((sum, ms) => sum + ms, 0);
  return { effort, ...recallOf(shares), p50Ms: rank(0.5), p99Ms: rank(0.99), qps: (1000 * shares.length) / totalMs };
}

/** Of an index's own vectors those that a search for them misses, though others are farther. `near`: their true neighbours, without themselves. */
export async function missedBySelf(ask: Ask, effort: number, near: readonly Found<unknown>[][]): Promise<number> {
  let missed = 0;
  const queries = ask.queries.map(({ vector }) => ({ vector }));
  const answer: Answer = (hits, i) => {
    const crowded = near[i].length >= ask.k && near[i][ask.k - 1].distance <= (hits[0]?.distance ?? 0);
    if (!crowded && !hits.some(({ id }) => id === ask.queries[i].self)) missed++;
  };
  await asked({ ...ask, queries }, { [`${ask.subject.effort}`]: effort }, answer, () => ask.batch);
  return missed;
}
