// What the main tier keeps of vectors.
import { type Codec, isLossy, METRICS, type Metric } from "../words/kinds.js";
import type { MainOptions } from "./options.js";

/** What the main tier is to be. */
export interface MainPlan {
  readonly metric: Metric;
  readonly index: MainOptions | undefined;
  readonly maxBytes: number | undefined;
}

/** Whether what an index gives back may differ from what it was given. */
export function loses(codec: Codec, metric: Metric): boolean {
  return isLossy(codec, metric);
}

/** Whether the main tier will lose something of its vectors; where memory decides it may, so that it counts as one that does. */
export function plansLoss({ metric, index, maxBytes }: MainPlan): boolean {
  if (!index) return maxBytes !== undefined;
  const codec = typeof index.codec === "object" ? index.codec.type : (index.codec ?? METRICS[metric].codecs[0]);
  return isLossy(codec as Codec, metric);
}
