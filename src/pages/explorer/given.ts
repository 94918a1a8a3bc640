// The vectors that were asked for, made or read, and those of them that are kept back to ask with.
import { made } from "./made.js";
import type { DataAsked } from "./messages.js";
import { MOST_VALUES, readFile } from "./reading.js";

export interface Rows {
  readonly name: string;
  readonly n: number;
  readonly dimensions: number;
  /** Of a file rows that there was no room for. */
  readonly left: number;
  /** n x dimensions, without the queries. */
  readonly values: Float32Array;
  readonly queries: readonly Float32Array[];
}

const QUERIES = 200;

export async function rowsOf(asked: DataAsked): Promise<Rows> {
  if (asked.from === "made") {
    const { shape, n, dimensions, seed } = asked;
    if (n * dimensions > MOST_VALUES) throw new Error(`${n} vectors of ${dimensions} values are more than this page makes`);
    return parted(`${shape}, made`, made(shape, n + QUERIES, dimensions, seed), dimensions, QUERIES, 0);
  }
  const { file, most } = asked;
  const { values, dimensions, left } = await readFile(file, most);
  const rows = values.length / dimensions;
  const queries = Math.min(QUERIES, Math.floor(rows / 4));
  if (queries < 1) throw new Error(`${file.name} has ${rows} vectors; four at least can be compared`);
  return parted(file.name, spread(values, dimensions, queries), dimensions, queries, left);
}

function parted(name: string, values: Float32Array, dimensions: number, queries: number, left: number): Rows {
  const n = values.length / dimensions - queries;
  const row = (i: number): Float32Array => values.slice(i * dimensions, (i + 1) * dimensions);
  return {
    ...{ name, n, dimensions, left, values: values.subarray(0, n * dimensions) },
    queries: Array.from({ length: queries }, (_, i) => row(n + i)),
  };
}

/** Every so manieth row goes to the end: files are often sorted. */
function spread(values: Float32Array, dimensions: number, queries: number): Float32Array {
  const rows = values.length / dimensions;
  const every = Math.floor(rows / queries);
  const out = new Float32Array(values.length);
  let [front, back] = [0, (rows - queries) * dimensions];
  for (let i = 0; i < rows; i++) {
    const row = values.subarray(i * dimensions, (i + 1) * dimensions);
    const asks = i % every === 0 && i / every < queries;
    out.set(row, asks ? back : front);
    if (asks) back += dimensions;
    else front += dimensions;
  }
  return out;
}
