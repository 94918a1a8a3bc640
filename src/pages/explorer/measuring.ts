// In the worker: indices of all families over one set of vectors, each measured against exact search.
import { recallOf, shareOf, type Truth, truthOf } from "../../guide/recall.js";
import { subjectOf } from "../../guide/subject.js";
import { Flat, factory, type VectorIndex } from "../../index.js";
import { type Family, familyOf } from "./families.js";
import { type Rows, rowsOf } from "./given.js";
import type { MeasuredPoint, MeasuringAsked, MeasuringTold } from "./messages.js";

type Tell = (told: MeasuringTold) => void;
type Query = Float32Array;

/** Beyond it more effort teaches nothing. */
const ENOUGH = 0.999;
/** A search that is slower than a scan by so much is none. */
const SLOW = 3;
/** Rounds of so many milliseconds at least, of which the fastest counts: other programs only ever slow one down. */
const ROUNDS = 3;
const ROUND_MS = 10;

export async function measureAll({ data, metric, k, families }: MeasuringAsked, tell: Tell): Promise<{ seconds: number }> {
  const start = performance.now();
  tell({ told: "doing", what: "vectors", part: 0 });
  const rows = await rowsOf(data);
  const { n, dimensions, queries } = rows;
  tell({ told: "data", n, dimensions, name: rows.name, left: rows.left });
  const truths = await truthsOf(rows, metric, k);
  let scanMs = Number.POSITIVE_INFINITY;
  for (const family of families.map(familyOf)) {
    const words = family.factory(n, dimensions);
    if (words === undefined) {
      tell({ told: "skipped", family: family.id, why: `not for ${dimensions} dimensions` });
      continue;
    }
    try {
      const index = await built(family, words, rows, metric, tell);
      const points = await curve(index, family, queries, truths, k, scanMs, tell);
      if (family.id === "flat") scanMs = points[0].ms;
      index.close();
    } catch (error) {
      tell({ told: "skipped", family: family.id, why: (error as Error).message });
    }
  }
  return { seconds: (performance.now() - start) / 1000 };
}

async function truthsOf({ values, queries, dimensions }: Rows, metric: MeasuringAsked["metric"], k: number): Promise<Truth[]> {
  const flat = await Flat.create({ dimensions, metric });
  try {
    await flat.addAll(values);
    return queries.map((query) => truthOf(flat.search(query, { k })));
  } finally {
    flat.close();
  }
}

async function built(
  family: Family,
  words: string,
  { values, dimensions, n }: Rows,
  metric: MeasuringAsked["metric"],
  tell: Tell,
): Promise<VectorIndex> {
  const start = performance.now();
  const index = await factory(words, { dimensions, metric, ...family.options });
  try {
    await index.addAll(values, {
      onProgress: ({ done }) => tell({ told: "doing", what: `${family.name}: building`, part: done / n }),
    });
    if (!index.trained) await index.train();
  } catch (error) {
    index.close();
    throw error;
  }
  const buildSeconds = (performance.now() - start) / 1000;
  tell({ told: "built", family: family.id, factory: words, bytes: index.bytes, buildSeconds });
  return index;
}

/** Doubles the effort from the least on, as long as that finds more. */
async function curve(
  index: VectorIndex,
  { id, name, least }: Family,
  queries: readonly Query[],
  truths: readonly Truth[],
  k: number,
  scanMs: number,
  tell: Tell,
): Promise<MeasuredPoint[]> {
  const { effort: knob, most } = await subjectOf(index);
  const points: MeasuredPoint[] = [];
  for (let effort = Math.min(least, most); ; effort = Math.min(2 * effort, most)) {
    tell({ told: "doing", what: `${name}: ${knob ? `${knob} ${effort}` : "searching"}`, part: 1 });
    const point = measured(index, queries, truths, { k, ...(knob && { [knob]: effort }) }, knob && effort);
    points.push(point);
    tell({ told: "point", family: id, point });
    if (!knob || effort === most || point.recall >= ENOUGH || point.ms > SLOW * scanMs || isLevel(points)) return points;
  }
}

/** Where three doublings in a row have brought nothing, the next will not do it. */
function isLevel(points: readonly MeasuredPoint[]): boolean {
  const [a, , , d] = points.slice(-4);
  return d !== undefined && d.recall > 0.1 && d.recall - a.recall < 0.002;
}

/** Recall and time of one effort. Times are of whole rounds: browsers show those of single calls in steps. */
function measured(
  index: VectorIndex,
  queries: readonly Query[],
  truths: readonly Truth[],
  options: Readonly<Record<string, unknown>>,
  effort?: number,
): MeasuredPoint {
  const work = { distances: 0, visited: 0 };
  const shares = queries.map((query, i) => {
    const hits = index.search(query, options);
    work.distances += index.lastStats.distances / queries.length;
    work.visited += index.lastStats.visited / queries.length;
    return shareOf(hits, truths[i]);
  });
  const { recall, error } = recallOf(shares);
  return { effort, recall, error, ms: timeOf(index, queries, options), ...work };
}

/** Mean milliseconds of a search. */
export function timeOf(index: VectorIndex, queries: readonly Query[], options: Readonly<Record<string, unknown>>): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0, at = 0; round < ROUNDS; round++) {
    const start = performance.now();
    let [spent, searches] = [0, 0];
    // Several between two looks at the clock, which may show steps of a tenth of a millisecond.
    while (spent < ROUND_MS) {
      for (let i = 0; i < 8; i++) index.search(queries[at++ % queries.length], options);
      searches += 8;
      spent = performance.now() - start;
    }
    best = Math.min(best, spent / searches);
  }
  return best;
}
