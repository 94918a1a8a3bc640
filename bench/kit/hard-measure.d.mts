import type { HnswOptions } from "vicinal";
import type { HardSet } from "./hard-sets.mjs";

export const HARD_METRICS: Readonly<Record<string, Pick<HnswOptions, "metric" | "mips">>>;
export const YARDSTICK: string;
export const HARD_LAYOUTS: Readonly<Record<string, object>>;
export const HARD_GATES: Readonly<Record<"recall" | "below" | "blind" | "unreachable", number>>;
export interface HardResult {
  recall: number;
  blind: number;
  lost: number;
  unreachable?: number;
}
export function measureHard(
  set: Pick<HardSet, "dimensions" | "rows" | "queries">,
  layout: string,
  metric: string,
): Promise<HardResult>;
