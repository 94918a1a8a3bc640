// What lists and codes are like now: how long lists are, how far vectors lie from centroids, what codes lose of them.

import { addRows } from "../base/adding.js";
import { seatOf } from "../base/seat-of.js";
import type { VectorIndex } from "../base/vector-index.js";
import { copyTables, tableRows } from "../border/copies.js";
import type { FullExports } from "../border/exports.js";
import { newEngine } from "../border/runtime.js";
import { Flat } from "../family/flat.js";
import { rowsOf } from "../input/vectors.js";
import { METRICS, RERANK_NAMES } from "../words/kinds.js";
import { FRESH, readState, stateBytes } from "../words/state.js";
import type { Shape } from "./past.js";
import { someOf } from "./random.js";

/** Vectors of either end of the ids, which are given out in the order of time. */
const EITHER_END = 300;
/** A List of assembly/table/lists.ts: first, free, live, nothing. */
const LIST_WORDS = 4;
const LIVE = 2;

/** What was learned from vectors, seen from the first of them and the last. */
export interface Learned extends Shape {
  lists: number;
  longest: number;
  empty: number;
  /** Of the first quarter of the ids and the last. */
  ends: readonly [early: Omit<Shape, "imbalance">, late: Omit<Shape, "imbalance">];
}

/** Of what has learned and has vectors enough to tell early from late. */
export async function learnedOf(index: VectorIndex, seed: number): Promise<Learned | undefined> {
  const learns = index.kind === "ivf" || hasCodebooks(index);
  if (!learns || !index.trained || index.size < 4 * EITHER_END) return undefined;
  const ids = index.ids().toSorted();
  const part = Math.floor(ids.length / 4);
  const ends = [ids.subarray(0, part), ids.subarray(ids.length - part)].map((end) =>
    someOf(end, EITHER_END, seed).map((id) => index.get(id) as Float32Array),
  );
  const far = await distances(index, ends);
  const lost = await errors(index, ends);
  const [early, late] = ends.map((_, i) => ({ toCentroid: far[i], codingError: lost[i] }));
  const mean = (name: "toCentroid" | "codingError"): number => (early[name] + late[name]) / 2;
  const lengths = listLengths(index);
  return {
    lists: lengths.length,
    longest: lengths.reduce((a, b) => Math.max(a, b), 0),
    empty: lengths.filter((length) => length === 0).length,
    imbalance: imbalanceOf(lengths, index.size),
    toCentroid: mean("toCentroid"),
    codingError: mean("codingError"),
    ends: [early, late],
  };
}

/** Beside rows that are kept, which alone tell what codes lose. Those of rabitq are no more than a centre: another sample brings little. */
function hasCodebooks(index: VectorIndex): boolean {
  const rows = RERANK_NAMES[seatOf(index).engine.state("rerank")];
  return index.codec === "pq" && rows !== "none" && rows !== "caller";
}

/** Vectors in each list; none where there are no lists. */
function listLengths(index: VectorIndex): Uint32Array {
  const { engine } = seatOf(index);
  const nlist = engine.state("nlist");
  const bytes = 4 * LIST_WORDS * (nlist + 1);
  const table = index.kind === "ivf" && engine.tables().find((one) => one.tag === "" && one.bytes === bytes);
  if (!table) return new Uint32Array();
  const words = engine.copyU32(table.address, LIST_WORDS * nlist);
  return Uint32Array.from({ length: nlist }, (_, list) => words[LIST_WORDS * list + LIVE]);
}

function imbalanceOf(lengths: Uint32Array, size: number): number {
  return lengths.reduce((sum, length) => sum + length ** 2, 0) * (lengths.length / Math.max(size, 1) ** 2);
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean distance to the nearest centroid, of each set; 0 where there are none. */
async function distances(index: VectorIndex, sets: readonly Float32Array[][]): Promise<number[]> {
  if (index.kind !== "ivf") return sets.map(() => 0);
  const { engine } = seatOf(index);
  const centroids = await Flat.create({ dimensions: index.dimensions, metric: METRICS[index.metric].unit ? "cosine" : "l2" });
  try {
    centroids.add(tableRows(engine, "cent", engine.state("nlist")));
    return sets.map((rows) => meanOf(rows.map((row) => centroids.search(row, { k: 1 })[0].distance)));
  } finally {
    centroids.close();
  }
}

/** Mean squared error over squared length, of each set; 0 where there are no codebooks. */
async function errors(index: VectorIndex, sets: readonly Float32Array[][]): Promise<number[]> {
  if (!hasCodebooks(index)) return sets.map(() => 0);
  const { engine } = seatOf(index);
  const rerank = RERANK_NAMES.indexOf("none");
  const codes = await newEngine(stateBytes({ ...readState(engine.copyState()), ...FRESH, rerank, coarseGraph: 0 }));
  try {
    copyTables(codes, engine);
    (codes.exports as FullExports).finishTables();
    return sets.map((rows) => {
      const ids = Uint32Array.from(rows, (_, i) => codes.state("nextId") + i);
      addRows(codes, rowsOf(rows, { dimensions: index.dimensions, packed: false }, "vectors"), ids);
      return meanOf(rows.map((row, i) => errorOf(row, codes.vector(ids[i]) as Float32Array)));
    });
  } finally {
    codes.close();
  }
}

function errorOf(row: Float32Array, kept: Float32Array): number {
  const length = row.reduce((sum, value) => sum + value ** 2, 0);
  return length > 0 ? row.reduce((sum, value, j) => sum + (value - kept[j]) ** 2, 0) / length : 0;
}
