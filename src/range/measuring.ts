// What searches of a published index do that say nothing: the least that finds enough of the true neighbours of some of its own vectors,
// measured on what is about to be published.
import type { Flat } from "../family/flat.js";
import type { Rows } from "../input/vectors.js";
import { type Head, type Places, readRow, type Span } from "./format.js";
import type { Lists } from "./lists.js";
import { chosenOf, joined, REQUESTS } from "./spans.js";

const K = 10;
/** Vectors that are searched for. */
export const JUDGES = 200;
const PROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, 512];
const CANDIDATES = [10, 12, 16, 20, 25, 30, 40, 50, 60, 80, 120, 160, 240];
/** What a request costs beside its bytes, in bytes. */
const REQUEST_BYTES = 8192;

export interface Effort {
  readonly nprobe: number;
  readonly candidates: number;
  readonly recall: number;
  readonly judges: number;
}

const costOf = (spans: readonly Span[]): number => spans.reduce((sum, { from, to }) => sum + to - from + REQUEST_BYTES, 0);

/** A query and its true neighbours; `without`: the number of the vector that it is. */
interface Judge {
  readonly query: Float32Array;
  readonly truth: ReadonlySet<number>;
  readonly without: number | undefined;
}

/** What effort is measured on: all lists are in `lists`. */
export interface Measured {
  readonly head: Head;
  readonly places: Places;
  readonly lists: Lists;
  readonly rows: Flat;
  /** Of each place the number of its vector in `rows`. */
  readonly numbers: Uint32Array;
  /** With the records that searches re-score by. */
  readonly data: Uint8Array;
}

function* judgesOf(rows: Flat, queries: Rows | undefined): Generator<Judge, void, void> {
  const { size: n, dimensions } = rows;
  for (let i = 0; queries && i < queries.n; i++) {
    const query = Float32Array.from({ length: dimensions }, (_, j) => queries.value(i, j));
    yield { query, truth: new Set(rows.search(query, { k: K }).map(({ id }) => id)), without: undefined };
  }
  const count = queries || n === 1 ? 0 : Math.min(JUDGES, n);
  for (let i = 0; i < count; i++) {
    const without = Math.floor((i * n) / count);
    const query = rows.get(without) as Float32Array;
    const others = rows.search(query, { k: K + 1 }).filter(({ id }) => id !== without);
    yield { query, truth: new Set(others.slice(0, K).map(({ id }) => id)), without };
  }
}

/** Places in the order of their rows as they are published, nearest first. */
function byRows({ head, places, lists, data }: Measured, query: Float32Array, nominated: readonly number[]): number[] {
  const { dimensions } = head.state;
  const inOrder = [...nominated].sort((a, b) => a - b);
  const rows = new Float32Array(inOrder.length * dimensions);
  for (const [i, place] of inOrder.entries()) {
    const { from, to } = places.record(place);
    readRow(data.subarray(from, to), head.about.rows, dimensions, rows, i * dimensions);
  }
  return lists.rescore(query, inOrder, rows, inOrder.length).map(({ place }) => place);
}

/** Yields how many judges have judged. `queries`: in place of vectors of its own. */
export function* measureEffort(on: Measured, wanted: number, queries: Rows | undefined): Generator<number, Effort, void> {
  const { head, places, lists, rows, numbers } = on;
  const most = Math.min(CANDIDATES[CANDIDATES.length - 1], numbers.length);
  const probes = [...PROBES.filter((probe) => probe < head.lists.length), head.lists.length];
  const candidates = [...CANDIDATES.filter((one) => one < most), most];
  // Sums over the judges, per probe and number of candidates.
  const found = probes.map(() => new Float64Array(candidates.length));
  const cost = probes.map(() => new Float64Array(candidates.length));
  let judges = 0;
  let neighbours = 0;
  for (const { query: vector, truth, without } of judgesOf(rows, queries)) {
    const query = lists.query(vector);
    const order = lists.nearest(query).filter((list) => head.lists[list].documents > 0);
    for (const [p, probe] of probes.entries()) {
      let nominated: number[] = [];
      let ordered: number[] = [];
      let looked = 0;
      for (const [c, count] of candidates.entries()) {
        const chosen = chosenOf(places, head.lists, order, probe, count);
        if (chosen.lists.length !== looked) {
          looked = chosen.lists.length;
          nominated = lists.nominate(query, chosen.lists, most + 1).filter((place) => numbers[place] !== without);
          ordered = nominated.length ? byRows(on, query, nominated) : [];
        }
        const some = nominated.slice(0, count);
        const rescored = new Set(some);
        for (const place of ordered.filter((one) => rescored.has(one)).slice(0, K)) {
          found[p][c] += truth.has(numbers[place]) ? 1 : 0;
        }
        const records = some.sort((a, b) => a - b).map((place) => places.record(place));
        cost[p][c] += costOf(chosen.spans) + costOf(joined(records, REQUESTS));
      }
    }
    neighbours += truth.size;
    yield ++judges;
  }
  const recallAt = (p: number, c: number): number => (neighbours ? found[p][c] / neighbours : 1);
  let best = { p: probes.length - 1, c: candidates.length - 1 };
  for (const p of probes.keys()) {
    for (const c of candidates.keys()) {
      if (recallAt(p, c) >= wanted && cost[p][c] < cost[best.p][best.c]) best = { p, c };
    }
  }
  return { nprobe: probes[best.p], candidates: candidates[best.c], recall: recallAt(best.p, best.c), judges };
}
