import type * as vicinal from "vicinal";
import type { Codec, Kind, Metric, VectorIndex } from "vicinal";

export interface Recipe {
  readonly kind: Kind;
  readonly metric: Metric;
  readonly codec: Codec;
  readonly own: object;
  readonly crowd?: number;
}
export function build(library: typeof vicinal, recipe: Recipe): Promise<VectorIndex>;
export function answers(index: VectorIndex, recipe: Recipe): unknown;
