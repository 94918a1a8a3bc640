// A small graph such as other libraries save: levels drawn, and links to the nearest on each layer.
import { METRICS, type Metric } from "../../../src/words/kinds.js";
import { gaussians, random } from "../../support/data.js";

export interface Graph {
  readonly metric: Metric;
  readonly rows: readonly Float32Array[];
  readonly m: number;
  readonly levels: readonly number[];
  readonly entry: number;
  /** By layer and node. */
  readonly links: readonly (readonly number[])[][];
  readonly labels: readonly bigint[];
  readonly deleted: ReadonlySet<number>;
}

export function madeGraph(metric: Metric, { n = 120, d = 12, m = 6, seed = 5, deleted = [] as number[], base = 0n } = {}): Graph {
  const rows = gaussians(n, d, seed).map((row) =>
    metric === "hamming" ? row.map((x) => Number(x > 0)) : metric === "cosine" ? unit(row) : row,
  );
  const next = random(seed + 1);
  const levels = rows.map(() => Math.min(Math.floor(-Math.log(1 - next()) / Math.log(m)), 3));
  const top = Math.max(...levels);
  const links = Array.from({ length: top + 1 }, (_, layer) => {
    const on = rows.flatMap((_, i) => (levels[i] >= layer ? [i] : []));
    return rows.map((row, i) => (levels[i] < layer ? [] : nearest(metric, rows, row, on, layer === 0 ? 2 * m : m, i)));
  });
  // Labels are no places.
  const labels = rows.map((_, i) => base + BigInt((i * 7) % n));
  return { metric, rows, m, levels, entry: levels.indexOf(top), links, labels, deleted: new Set(deleted) };
}

function unit(row: Float32Array): Float32Array {
  const norm = Math.hypot(...row);
  return row.map((x) => x / norm);
}

function nearest(
  metric: Metric,
  rows: readonly Float32Array[],
  row: Float32Array,
  on: readonly number[],
  count: number,
  but: number,
): number[] {
  const { exact } = METRICS[metric];
  const by = on.filter((i) => i !== but).map((i) => [i, exact(row, rows[i])] as const);
  return by
    .sort((a, b) => a[1] - b[1])
    .slice(0, count)
    .map(([i]) => i);
}

/** The k nearest labels that are not deleted, by the definition. */
export function truth({ metric, rows, labels, deleted }: Graph, query: ArrayLike<number>, k: number): bigint[] {
  const { exact } = METRICS[metric];
  const by = rows.flatMap((row, i) => (deleted.has(i) ? [] : [[labels[i], exact(query, row)] as const]));
  return by
    .sort((a, b) => a[1] - b[1])
    .slice(0, k)
    .map(([label]) => label);
}
