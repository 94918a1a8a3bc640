// What the main tier is made by.
import type { VectorIndex } from "../base/vector-index.js";
import { CLASSES } from "../family/classes.js";
import { createIndex } from "../make/create-index.js";
import type { MainPlan } from "./main-tier.js";
import type { MainOptions } from "./options.js";

const GRAPH: MainOptions = { kind: "hnsw" };

/** A new, empty main tier for `expected` vectors and more. */
export async function makeMain(
  { dimensions, metric, index, maxBytes }: MainPlan & { readonly dimensions: number },
  expected: number,
): Promise<VectorIndex> {
  const common = { dimensions, metric, ...(maxBytes !== undefined && { maxBytes }) };
  if (!index && maxBytes !== undefined) return createIndex({ ...common, expected: 2 * expected });
  const { kind, ...own } = index ?? GRAPH;
  const create = (CLASSES[kind] as unknown as { create(options: object): Promise<VectorIndex> }).create;
  const room = kind === "ivf" && !("expected" in own) ? { expected: 2 * expected } : {};
  return create.call(CLASSES[kind], { ...common, ...room, ...own });
}
