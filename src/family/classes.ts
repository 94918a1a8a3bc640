// The class of each kind.

import type { Opened } from "../base/seat.js";
import type { VectorIndex } from "../base/vector-index.js";
import { KIND_NAMES, type Kind } from "../words/kinds.js";
import { Flat } from "./flat.js";
import { Forest } from "./forest.js";
import { Hnsw } from "./hnsw.js";
import { Ivf } from "./ivf.js";
import { KdTree } from "./kdtree.js";
import { Lsh } from "./lsh.js";

export const CLASSES = { flat: Flat, hnsw: Hnsw, ivf: Ivf, kdtree: KdTree, forest: Forest, lsh: Lsh } as const satisfies Record<
  Kind,
  unknown
>;

/** The index around an engine; its constructor is not for callers. */
export function wrap(opened: Opened): VectorIndex {
  const Family = CLASSES[KIND_NAMES[opened.engine.state("kind")]] as unknown as new (opened: Opened) => VectorIndex;
  return new Family(opened);
}
