// The fresh tier.
import { Flat } from "../family/flat.js";
import type { Metric } from "../words/kinds.js";
import type { Manifest } from "./files.js";

/**
 * A new fresh tier. With `prefilter` a scan of 10,000 x 384 takes a third of the time, and of 1,000 a half; but a page would have to
 * fetch a wasm build of twice the size beside that of its graph, for what lies here a second or two.
 */
export function newFresh({ dimensions, metric }: Pick<Manifest, "dimensions" | "metric">): Promise<Flat> {
  return Flat.create({ dimensions, metric: metric as Metric });
}
