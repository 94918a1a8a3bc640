// Compiled where there is a DOM.
import type { BatchHits, VectorIndex } from "vicinal";

export function handedOn(index: VectorIndex, batch: BatchHits): Blob {
  return new Blob([index.toBytes(), index.ids(), index.get(1) ?? "", batch.ids, batch.distances]);
}
