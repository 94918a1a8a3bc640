import { compareMetrics, Flat } from "../../../index.js";
import { share } from "../format.js";
import { type About, K, type Run, rowAt, vectors } from "./story.js";

export const about: About = {
  id: "norms",
  title: "Length and popularity, under dot, cosine and L2",
  asks: "Vectors of very different lengths, as of items of which some are popular. Who is answered, and how often the same ones?",
};

const N = 10_000;
const DIMENSIONS = 32;
const METRICS = ["dot", "cosine", "l2"] as const;
const PARTS = 10;

export const run: Run = async (tell) => {
  const { values, queries } = await vectors("heavy", N, DIMENSIONS);
  const lengths = Array.from({ length: N }, (_, i) => Math.hypot(...rowAt(values, i, DIMENSIONS)));
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[a] - lengths[b]);
  const part = new Uint8Array(N);
  for (const [rank, i] of order.entries()) part[i] = Math.floor((rank * PARTS) / N);
  const byLength: Record<string, number[]> = {};
  const byPopularity: Record<string, number[]> = {};
  for (const [m, metric] of METRICS.entries()) {
    tell({ what: metric, part: m / (METRICS.length + 1) });
    const times = new Uint32Array(N);
    const flat = await Flat.create({ dimensions: DIMENSIONS, metric });
    await flat.addAll(values);
    for (const query of queries) for (const { id } of flat.search(query, { k: K })) times[id]++;
    flat.close();
    const answers = queries.length * K;
    byLength[metric] = Array.from({ length: PARTS }, () => 0);
    for (const [i, count] of times.entries()) byLength[metric][part[i]] += count / answers;
    byPopularity[metric] = shares(times, answers);
  }
  tell({ what: "overlap", part: METRICS.length / (METRICS.length + 1) });
  const { overlap, norms } = await compareMetrics([...queries], values, "dot", "cosine", { k: K, dimensions: DIMENSIONS });
  const tenths = Array.from({ length: PARTS }, (_, i) => i + 1);
  const last = (metric: string): string => share(byLength[metric][PARTS - 1]);
  return {
    charts: [
      {
        title: "Answers by the length of what is answered",
        x: { label: "tenth of the vectors, the shortest first", ticks: tenths },
        y: { label: "share of the answers", unit: "share" },
        series: METRICS.map((name, look) => ({ name, look: look + 1, xs: tenths, ys: byLength[name] })),
      },
      {
        title: "Answers that the most popular vectors have",
        x: { label: "of the vectors, the most popular", unit: "share", log: true, ticks: MOST_POPULAR },
        y: { label: "share of the answers", unit: "share" },
        series: METRICS.map((name, look) => ({ name, look: look + 1, xs: MOST_POPULAR, ys: byPopularity[name] })),
      },
    ],
    sentence:
      `The longest tenth of the vectors has ${last("dot")} of the answers under dot, ${last("cosine")} under cosine and ${last("l2")} under L2; lengths go from ${norms.min.toFixed(1)} to ${norms.max.toFixed(1)}. ` +
      `The most popular hundredth has ${share(byPopularity.dot[1])} under dot, ${share(byPopularity.cosine[1])} under cosine. Dot and cosine agree on ${share(overlap)} of their rankings: an index of the wrong metric answers another question.`,
  };
};

const MOST_POPULAR = [0.001, 0.01, 0.03, 0.1, 0.3, 1];

function shares(times: Uint32Array, answers: number): number[] {
  const sorted = times.toSorted((a, b) => b - a);
  return MOST_POPULAR.map((most) => sorted.subarray(0, most * N).reduce((a, b) => a + b, 0) / answers);
}
