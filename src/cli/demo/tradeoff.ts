import { truthOf } from "../../guide/recall.js";
import { type Codec, Flat, Hnsw, type Index } from "../core.js";
import { ask, type Measurement, measure } from "../measure.js";
import { counted, figure } from "../print.js";
import { progress } from "../progress.js";

/** One line of the trade-off: an index and a search setting, and what they give and cost. */
export interface TradeOff extends Measurement {
  readonly index: string;
  readonly ef?: number;
  readonly buildSeconds: number;
  readonly bytesPerVector: number;
}

export const K = 10;
const EFS = [16, 64, 256, 1024];

/** The graphs that are measured; the first is the one that answers the demo's questions. */
const GRAPHS: { name: string; codec: Codec; rerank: boolean }[] = [
  { name: "hnsw f32", codec: "f32", rerank: false },
  { name: "hnsw sq8", codec: "sq8", rerank: false },
  { name: "hnsw sq8 + rerank", codec: "sq8", rerank: true },
];

/** An index, and how long it took to build. */
export interface Built {
  readonly name: string;
  readonly index: Index;
  readonly buildSeconds: number;
}

/** Builds the f32 graph, with a progress bar. */
export function buildMain(vectors: Float32Array, dimensions: number): Promise<Built> {
  return buildGraph(GRAPHS[0] as (typeof GRAPHS)[0], vectors, dimensions);
}

/** Exact search against the graphs, on the stored vectors, asking with ones that are not stored. */
export async function measureTradeOff(
  main: Built,
  vectors: Float32Array,
  dimensions: number,
  queries: readonly Float32Array[],
): Promise<TradeOff[]> {
  const start = performance.now();
  const flat = await Flat.create({ dimensions, metric: "cosine" });
  flat.add(vectors);
  const exact: Built = { name: "flat f32, exact", index: flat, buildSeconds: (performance.now() - start) / 1000 };
  // Recall is by ids alone: the distances of sq8 are not those of the truth.
  const truths = ask(flat, queries, { k: K }).hits.map((hits) => ({ ...truthOf(hits), bound: Number.NEGATIVE_INFINITY }));

  const lines: TradeOff[] = [{ ...costs(exact), ...measure(flat, queries, { k: K }, truths) }];
  for (const graph of GRAPHS) {
    const built = graph.name === main.name ? main : await buildGraph(graph, vectors, dimensions);
    for (const ef of EFS) lines.push({ ...costs(built), ef, ...measure(built.index, queries, { k: K, ef }, truths) });
    if (built !== main) built.index.close();
  }
  flat.close();
  return lines;
}

async function buildGraph(
  { name, codec, rerank }: (typeof GRAPHS)[0],
  vectors: Float32Array,
  dimensions: number,
): Promise<Built> {
  const total = vectors.length / dimensions;
  const start = performance.now();
  const bar = progress(`building ${name}`.padEnd(26), total);
  const index = await Hnsw.create({ dimensions, metric: "cosine", codec, rerank });
  await index.addAll(vectors, {
    onProgress: ({ done }) => bar.update(done, `${done} vectors`),
  });
  bar.stop();
  return { name, index, buildSeconds: (performance.now() - start) / 1000 };
}

function costs({ name, index, buildSeconds }: Built) {
  return { index: name, buildSeconds, bytesPerVector: index.bytes / index.size };
}

const GOOD_RECALL = 0.95;

/** What the figures say, in a sentence: whether an approximate index is worth having here. */
export function verdict(lines: readonly TradeOff[], stored: number): string {
  const [exact, ...graphs] = lines as [TradeOff, ...TradeOff[]];
  const good = graphs.filter(({ recall }) => recall >= GOOD_RECALL);
  const best =
    good.length > 0 ? good.reduce((a, b) => (b.qps > a.qps ? b : a)) : graphs.reduce((a, b) => (b.recall > a.recall ? b : a));
  const times = best.qps / exact.qps;
  const figures = `${best.index} at ef ${best.ef}: ${figure(times)}x the speed of the exact scan at recall ${best.recall.toFixed(3)}.`;
  if (good.length === 0) return `No graph setting reached a recall of ${GOOD_RECALL}. ${figures}`;
  if (times < 2) return `With ${counted(stored, "vector")} an exact scan is fast enough: use Flat. ${figures}`;
  return figures;
}
