// What a step of a search and of a build takes on this machine, measured at first use by a small index of each kind.
import type { VectorIndex } from "../../base/vector-index.js";
import type { Vector } from "../../input/vectors.js";
import { factory } from "../../make/factory.js";
import { METRICS, type Metric } from "../../words/kinds.js";
import { uniform } from "../random.js";
import type { Design } from "./laws.js";
import { SMALL, type Speed } from "./times.js";

const QUERIES = 60;
const ROUNDS = 3;
/** Of a scan of these what it begins and ends with is seen. */
const FEW = 16;
/** Directions that vectors share, as those of embeddings do: what a step takes depends on little else, but training ends sooner. */
const RANK = 16;

const speeds = new Map<string, Promise<Speed>>();

/** Steps of more dimensions take longer by their number; so large an index is no more measured in seconds. */
const MOST_DIMENSIONS = 768;

export async function speedOf(design: Design, dimensions: number, metric: Metric): Promise<Speed> {
  const measured = Math.min(dimensions, MOST_DIMENSIONS);
  const { firstUs, unitUs, buildUs } = await speedAt(design, measured, metric);
  const times = dimensions / measured;
  return { firstUs: firstUs * times, unitUs: unitUs * times, buildUs: buildUs * times };
}

function speedAt(design: Design, dimensions: number, metric: Metric): Promise<Speed> {
  const key = `${design.factory(dimensions, SMALL.lists)} ${dimensions} ${metric}`;
  let speed = speeds.get(key);
  if (!speed) {
    speed = measured(design, dimensions, metric);
    speeds.set(key, speed);
    speed.catch(() => speeds.delete(key));
  }
  return speed;
}

function vectors(n: number, dimensions: number): Float32Array {
  const next = uniform(1);
  const directions = Float32Array.from({ length: RANK * dimensions }, () => next() - 0.5);
  const values = new Float32Array(n * dimensions);
  for (let i = 0; i < n; i++) {
    const along = Array.from({ length: RANK }, () => next() - 0.5);
    for (let j = 0; j < dimensions; j++) {
      let value = 0.2 * (next() - 0.5);
      for (let r = 0; r < RANK; r++) value += along[r] * directions[r * dimensions + j];
      values[i * dimensions + j] = value;
    }
  }
  return values;
}

/** A small index, and the microseconds of each of its vectors. */
async function built(
  design: Design,
  dimensions: number,
  metric: Metric,
  rows: Float32Array,
): Promise<{ index: VectorIndex; buildUs: number }> {
  const options = { dimensions, metric, ...(design.way === "graph" && !design.fastScan && { atOnce: true }) };
  const index = await factory(design.factory(dimensions, SMALL.lists), options);
  try {
    const start = performance.now();
    await index.addAll(rows);
    if (!index.trained) await index.train();
    return { index, buildUs: (1000 * (performance.now() - start)) / SMALL.n };
  } catch (error) {
    index.close();
    throw error;
  }
}

async function measured(design: Design, dimensions: number, metric: Metric): Promise<Speed> {
  const { way } = design;
  const values = vectors(SMALL.n + QUERIES, dimensions);
  const queries = Array.from({ length: QUERIES }, (_, i) =>
    values.subarray((SMALL.n + i) * dimensions, (SMALL.n + i + 1) * dimensions),
  );
  const rows = values.subarray(0, SMALL.n * dimensions);
  let { index, buildUs } = await built(design, dimensions, metric, rows);
  try {
    // Rows are copied in some milliseconds, in which much is done for the first time.
    for (let round = 1; way === "scan" && round < ROUNDS; round++) {
      index.close();
      const again = await built(design, dimensions, metric, rows);
      index = again.index;
      buildUs = Math.min(buildUs, again.buildUs);
    }
    if (way === "scan") {
      const few = await built(design, dimensions, metric, rows.subarray(0, FEW * dimensions));
      try {
        return { ...lineOf(stepsOf(few.index, queries, {}, "distances"), stepsOf(index, queries, {}, "distances")), buildUs };
      } finally {
        few.index.close();
      }
    }
    const [low, high] = way === "graph" ? [{ ef: 16 }, { ef: 128 }] : [{ nprobe: 4 }, { nprobe: 48 }];
    const counted = way === "graph" ? "visited" : "distances";
    return { ...lineOf(stepsOf(index, queries, low, counted), stepsOf(index, queries, high, counted)), buildUs };
  } finally {
    index.close();
  }
}

interface Steps {
  us: number;
  units: number;
}

/** Of a search the median time, of the best round, and the mean of its units. */
function stepsOf(index: VectorIndex, queries: Vector[], effort: object, counted: "visited" | "distances"): Steps {
  let units = 0;
  const times = Array.from({ length: ROUNDS }, () => {
    units = 0;
    const spent = queries.map((query) => {
      const from = performance.now();
      index.search(query, effort);
      const us = 1000 * (performance.now() - from);
      units += index.lastStats[counted];
      return us;
    });
    return spent.sort((a, b) => a - b)[queries.length >> 1];
  });
  return { us: Math.min(...times), units: units / queries.length };
}

/** Time over units; where both have looked at the same, at all there is, what a unit takes is not to be told from the rest. */
function lineOf(a: Steps, b: Steps): Omit<Speed, "buildUs"> {
  if (b.units <= a.units) return { firstUs: 0, unitUs: b.us / b.units };
  const unitUs = Math.max((b.us - a.us) / (b.units - a.units), 1e-5);
  return { firstUs: Math.max(a.us - unitUs * a.units, 0), unitUs };
}

/** Under these, designs of codes and lists can be planned. */
export const canPlan = (metric: Metric): boolean => !METRICS[metric].packed && !METRICS[metric].full;
