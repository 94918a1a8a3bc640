import { Flat, KdTree } from "../../../index.js";
import { share } from "../format.js";
import type { ShapeName } from "../messages.js";
import { type About, crossing, K, type Query, type Run, rowAt, vectors } from "./story.js";

export const about: About = {
  id: "curse",
  title: "The curse of dimensionality, in a kd-tree",
  asks: "Exact search in a kd-tree passes by the boxes that cannot hold a neighbour. Of how many of 10,000 vectors can it still say that, as dimensions become more?",
};

const N = 10_000;
const DIMENSIONS = [2, 4, 6, 8, 12, 16, 24, 32, 64];
const ASKED = 50;
const SHAPES: readonly ShapeName[] = ["uniform", "clustered"];

export const run: Run = async (tell) => {
  const looked: Record<string, number[]> = {};
  const contrast: Record<string, number[]> = {};
  for (const [s, shape] of SHAPES.entries()) {
    [looked[shape], contrast[shape]] = [[], []];
    for (const [i, dimensions] of DIMENSIONS.entries()) {
      tell({ what: `${shape}, ${dimensions} dimensions`, part: (s + i / DIMENSIONS.length) / SHAPES.length });
      const { values, queries } = await vectors(shape, N, dimensions);
      const asked = queries.slice(0, ASKED);
      looked[shape].push(await lookedAt(values, dimensions, asked));
      contrast[shape].push(await nearest(values, dimensions, asked));
    }
  }
  const [few, many] = [DIMENSIONS[0], DIMENSIONS[DIMENSIONS.length - 1]];
  const half = crossing(DIMENSIONS, looked.uniform, 0.5);
  const turn = half === undefined ? "It stays below half." : `Half is reached at ${Math.round(half)} dimensions.`;
  return {
    charts: [
      {
        title: "Vectors that exact search looks at",
        x: { label: "dimensions", log: true, unit: "count", ticks: [2, 4, 8, 16, 32, 64] },
        y: { label: "share of the vectors", unit: "share" },
        series: SHAPES.map((name, look) => ({ name, look: look + 1, xs: DIMENSIONS, ys: looked[name] })),
      },
      {
        title: "The nearest against the average distance",
        x: { label: "dimensions", log: true, unit: "count", ticks: [2, 4, 8, 16, 32, 64] },
        y: { label: "distance of the nearest / average" },
        series: SHAPES.map((name, look) => ({ name, look: look + 1, xs: DIMENSIONS, ys: contrast[name] })),
      },
    ],
    sentence:
      `Of uniform vectors the tree looks at ${share(looked.uniform[0])} in ${few} dimensions and at ${share(looked.uniform[looked.uniform.length - 1])} in ${many}. ${turn} ` +
      `Their nearest neighbour lies at ${contrast.uniform[0].toFixed(3)} of the average distance in ${few} dimensions, at ${contrast.uniform[contrast.uniform.length - 1].toFixed(2)} in ${many}. ` +
      `Of clustered vectors it looks at ${share(looked.clustered[looked.clustered.length - 1])} in ${many}, the nearest at ${contrast.clustered[contrast.clustered.length - 1].toFixed(2)} of the average.`,
  };
};

async function lookedAt(values: Float32Array, dimensions: number, queries: readonly Query[]): Promise<number> {
  const tree = await KdTree.create({ dimensions, metric: "l2" });
  try {
    await tree.addAll(values);
    let distances = 0;
    for (const query of queries) {
      tree.search(query, { k: K });
      distances += tree.lastStats.distances;
    }
    return distances / queries.length / N;
  } finally {
    tree.close();
  }
}

/** Of the average distance from a query to some vectors at random the share that its nearest has. */
async function nearest(values: Float32Array, dimensions: number, queries: readonly Query[]): Promise<number> {
  const flat = await Flat.create({ dimensions, metric: "l2" });
  try {
    await flat.addAll(values);
    let ratio = 0;
    for (const query of queries) {
      const [{ distance }] = flat.search(query, { k: 1 });
      let sum = 0;
      for (let i = 0; i < N; i += 50) {
        const row = rowAt(values, i, dimensions);
        sum += Math.hypot(...row.map((value, j) => value - query[j])) / (N / 50);
      }
      ratio += distance / sum / queries.length;
    }
    return ratio;
  } finally {
    flat.close();
  }
}
