import { Flat, Hnsw } from "../../../index.js";
import { count, recall as recallText } from "../format.js";
import type { Series } from "../messages.js";
import { type About, byIds, exact, found, K, type Run, rowAt, vectors } from "./story.js";

export const about: About = {
  id: "mips",
  title: "The largest inner product, and the extra coordinate",
  asks: "The inner product is no distance. One more coordinate, √(M² − |x|²), makes all vectors equally long, and then the nearest is the one with the largest product. Does it hold, and does a graph gain by it?",
};

const N = 6000;
const DIMENSIONS = 32;
const EFS = [10, 20, 40, 80, 160, 320];
const WANTED = 0.95;

export const run: Run = async (tell) => {
  const { values, queries } = await vectors("heavy", N, DIMENSIONS);
  tell({ what: "exact answers", part: 0 });
  const truths = byIds(await exact(values, DIMENSIONS, "dot", queries));
  const same = await byExtraCoordinate(values, queries, truths);
  const graphs = [
    { name: "dot, native", options: { metric: "dot", mips: "native" } },
    { name: "dot, extra coordinate", options: { metric: "dot", mips: "augment" } },
    { name: "cosine, the wrong metric", options: { metric: "cosine" } },
  ] as const;
  const series: Series[] = [];
  for (const [i, { name, options }] of graphs.entries()) {
    tell({ what: name, part: (i + 1) / (graphs.length + 1) });
    const index = await Hnsw.create({ dimensions: DIMENSIONS, atOnce: true, ...options });
    await index.addAll(values);
    const points = EFS.map((ef) => found(index, queries, truths, { ef }));
    index.close();
    const notes = EFS.map((ef) => `ef ${ef}`);
    series.push({
      name,
      look: i + 1,
      xs: points.map(({ recall }) => recall),
      ys: points.map(({ distances }) => distances),
      notes,
    });
  }
  const [native, extra, wrong] = series;
  return {
    charts: [
      {
        title: "Recall of the largest products against work",
        x: { label: "recall", unit: "recall", nines: true },
        y: { label: "distances of a search", log: true, unit: "count" },
        series,
        mark: { x: WANTED, label: String(WANTED) },
      },
    ],
    sentence:
      `With the extra coordinate, exact search by L2 finds ${recallText(same)} of the ${K} largest products. ${reached(native)} and ${reached(extra)}; ` +
      `the graph by cosine finds ${recallText(Math.max(...wrong.xs))} of them at most, since it does not hear lengths.`,
  };
};

function reached({ name, xs, ys }: Series): string {
  const i = xs.findIndex((recall) => recall >= WANTED);
  return i < 0
    ? `${name}: ${recallText(Math.max(...xs))} at most`
    : `${name}: recall ${recallText(xs[i])} by ${count(ys[i])} distances`;
}

/** The same answers by L2 over one more coordinate; that of a query is 0. */
async function byExtraCoordinate(
  values: Float32Array,
  queries: readonly Float32Array[],
  truths: Parameters<typeof found>[2],
): Promise<number> {
  const squares = Array.from({ length: N }, (_, i) =>
    rowAt(values, i, DIMENSIONS).reduce((sum, value) => sum + value * value, 0),
  );
  const most = squares.reduce((a, b) => Math.max(a, b));
  const longer = new Float32Array(N * (DIMENSIONS + 1));
  for (const [i, square] of squares.entries()) {
    longer.set(rowAt(values, i, DIMENSIONS), i * (DIMENSIONS + 1));
    longer[i * (DIMENSIONS + 1) + DIMENSIONS] = Math.sqrt(most - square);
  }
  const flat = await Flat.create({ dimensions: DIMENSIONS + 1, metric: "l2" });
  try {
    await flat.addAll(longer);
    const asked = queries.map((query) => Float32Array.from([...query, 0]));
    return found(flat, asked, truths).recall;
  } finally {
    flat.close();
  }
}
