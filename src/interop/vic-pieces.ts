import type { VectorIndex } from "../base/vector-index.js";
import type { Engine } from "../border/engine.js";
import { filePieces } from "../file/pieces.js";

/** What toBytes() returns, a piece at a time, so that an index is not in memory twice. The index must not change meanwhile. */
export function* vicPieces(index: VectorIndex): Generator<Uint8Array> {
  const { engine } = index as unknown as { readonly engine: Engine };
  for (const piece of filePieces(engine)) if (piece) yield piece;
}
