import { Flat } from "../../../index.js";
import { bytes, recall as recallText } from "../format.js";
import { type About, byIds, exact, found, type Run, vectors } from "./story.js";

export const about: About = {
  id: "pq",
  title: "What product quantization loses, and re-ranking brings back",
  asks: "PQ keeps a few bytes of each vector. How far are its distances off, how many neighbours does it lose by that, and does re-scoring ten candidates for each result by the full rows bring them back?",
};

const N = 8000;
const DIMENSIONS = 64;
/** Parts of four bits each. */
const PARTS = [8, 16, 32, 64];

export const run: Run = async (tell) => {
  const { values, queries } = await vectors("clustered", N, DIMENSIONS);
  const truths = byIds(await exact(values, DIMENSIONS, "l2", queries));
  const square = values.reduce((sum, value) => sum + value * value, 0) / N;
  const [error, codes, reranked]: number[][] = [[], [], []];
  for (const [i, m] of PARTS.entries()) {
    tell({ what: `${m / 2} bytes a vector`, part: i / PARTS.length });
    const index = await Flat.create({
      dimensions: DIMENSIONS,
      metric: "l2",
      codec: { type: "pq", m, bits: 4 },
      rerank: { codec: "f32" },
    });
    await index.addAll(values);
    if (!index.trained) await index.train();
    error.push((index.stats().error as number) / square);
    reranked.push(found(index, queries, truths).recall);
    index.close();
    const alone = await Flat.create({ dimensions: DIMENSIONS, metric: "l2", codec: { type: "pq", m, bits: 4 } });
    await alone.addAll(values);
    if (!alone.trained) await alone.train();
    codes.push(found(alone, queries, truths).recall);
    alone.close();
  }
  const sizes = PARTS.map((m) => m / 2);
  const x = { label: "bytes of a vector's code", unit: "bytes", log: true, ticks: sizes } as const;
  const at = PARTS.indexOf(32);
  return {
    charts: [
      {
        title: "Recall by the length of the code",
        x,
        y: { label: "recall", unit: "recall" },
        series: [
          { name: "codes alone", look: 4, xs: sizes, ys: codes },
          { name: "re-ranked by full rows", look: 5, xs: sizes, ys: reranked },
        ],
      },
      {
        title: "Error of the code",
        x,
        y: { label: "squared error / squared length", unit: "share" },
        series: [{ name: "squared error", look: 4, xs: sizes, ys: error }],
      },
    ],
    sentence:
      `In ${bytes(sizes[at])} of ${bytes(4 * DIMENSIONS)} a code is off by ${(100 * error[at]).toFixed(1)} % of the squared length and finds ${recallText(codes[at])}; re-ranked it finds ${recallText(reranked[at])}. ` +
      `In ${bytes(sizes[0])}: ${recallText(codes[0])}, re-ranked ${recallText(reranked[0])}. What is not among the candidates no re-ranking brings back; and the full rows are kept somewhere.`,
  };
};
