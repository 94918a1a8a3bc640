// What the main tier is made by.
import type { VectorIndex } from "../base/vector-index.js";
import { CLASSES } from "../family/classes.js";
import { createIndex } from "../make/create-index.js";
import { isLossy, METRICS, type Codec, type Metric } from "../words/kinds.js";
import type { MainOptions } from "./options.js";

/** A graph of rows of fewer bytes than this fits any memory that a collection may have. */
const GRAPH: MainOptions = { kind: "hnsw" };

export interface MainPlan {
  readonly dimensions: number;
  readonly metric: Metric;
  readonly index: MainOptions | undefined;
  readonly maxBytes: number | undefined;
}

/** A new, empty main tier for `expected` vectors and more. */
export async function makeMain({ dimensions, metric, index, maxBytes }: MainPlan, expected: number): Promise<VectorIndex> {
  const common = { dimensions, metric, ...(maxBytes !== undefined && { maxBytes }) };
  if (!index && maxBytes !== undefined) return createIndex({ ...common, expected: 2 * expected });
  const { kind, ...own } = index ?? GRAPH;
  const create = (CLASSES[kind] as unknown as { create(options: object): Promise<VectorIndex> }).create;
  const room = kind === "ivf" && !("expected" in own) ? { expected: 2 * expected } : {};
  return create.call(CLASSES[kind], { ...common, ...room, ...own });
}

/** Whether what an index gives back may differ from what it was given. */
export function loses(codec: Codec, metric: Metric): boolean {
  return isLossy(codec, metric);
}

/** Whether the main tier will lose something of its vectors; where memory decides it may, so that it counts as one that does. */
export function plansLoss({ metric, index, maxBytes }: Omit<MainPlan, "dimensions">): boolean {
  if (!index) return maxBytes !== undefined;
  const codec = typeof index.codec === "object" ? index.codec.type : (index.codec ?? METRICS[metric].codecs[0]);
  return isLossy(codec as Codec, metric);
}
