import { Flat, Hnsw } from "../../../index.js";
import { count, recall as recallText, time } from "../format.js";
import { timeOf } from "../measuring.js";
import { type About, crossing, exact, found, K, type Run, vectors } from "./story.js";

export const about: About = {
  id: "small",
  title: "A small catalogue: from where a graph pays, on this machine",
  asks: "A scan looks at everything and is exact; a graph looks at little, but in a roundabout way. How many vectors of 64 values does it take until the graph is faster?",
};

const DIMENSIONS = 64;
const SIZES = [250, 500, 1000, 2000, 4000, 8000, 16_000];
const EFS = [10, 20, 40, 80, 160];
const WANTED = 0.95;

export const run: Run = async (tell) => {
  const [scan, graph]: number[][] = [[], []];
  const notes: string[] = [];
  for (const [i, n] of SIZES.entries()) {
    tell({ what: `${count(n)} vectors`, part: i / SIZES.length });
    const { values, queries } = await vectors("clustered", n, DIMENSIONS);
    const truths = await exact(values, DIMENSIONS, "l2", queries);
    const flat = await Flat.create({ dimensions: DIMENSIONS, metric: "l2" });
    await flat.addAll(values);
    const walk = await Hnsw.create({ dimensions: DIMENSIONS, metric: "l2", atOnce: true });
    await walk.addAll(values);
    const ef = EFS.find((one) => found(walk, queries, truths, { ef: one }).recall >= WANTED) ?? EFS[EFS.length - 1];
    const { recall } = found(walk, queries, truths, { ef });
    notes.push(`ef ${ef}, recall ${recallText(recall)}, plan ${walk.lastStats.plan}`);
    scan.push(timeOf(flat, queries, { k: K }));
    graph.push(timeOf(walk, queries, { k: K, ef }));
    flat.close();
    walk.close();
  }
  // Where one is as fast as the other.
  const ratio = scan.map((ms, i) => Math.log(ms / graph[i]));
  const at = crossing(SIZES, ratio, 0);
  const last = SIZES.length - 1;
  const verdict =
    at === undefined
      ? ratio[0] > 0
        ? `The graph is faster at all sizes from ${count(SIZES[0])} on.`
        : `The scan is faster at all sizes up to ${count(SIZES[last])}.`
      : `Below about ${count(Number(at.toPrecision(2)))} vectors the scan wins here.`;
  return {
    charts: [
      {
        title: `A search, the graph at recall ${WANTED}`,
        x: { label: "vectors", log: true, unit: "count", ticks: SIZES },
        y: { label: "time of a search", log: true, unit: "ms" },
        series: [
          { name: "scan, exact", look: 0, xs: SIZES, ys: scan },
          { name: "graph", look: 2, xs: SIZES, ys: graph, notes },
        ],
        ...(at !== undefined && { mark: { x: at, label: "as fast" } }),
      },
    ],
    sentence: `${verdict} Of ${count(SIZES[0])} a scan takes ${time(scan[0])}, the graph ${time(graph[0])}; of ${count(SIZES[last])} ${time(scan[last])} and ${time(graph[last])}. The scan is exact and needs no build.`,
  };
};
