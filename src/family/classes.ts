// The class of each kind.

import type { IndexOptions } from "../base/create.js";
import type { Opened } from "../base/seat.js";
import type { VectorIndex } from "../base/vector-index.js";
import { KIND_NAMES, type Kind } from "../words/kinds.js";
import type { KNOBS } from "../words/knobs.js";
import { Flat, type FlatOptions } from "./flat.js";
import { Forest, type ForestOptions } from "./forest.js";
import { Hnsw, type HnswOptions } from "./hnsw.js";
import { Ivf, type IvfOptions } from "./ivf.js";
import { KdTree, type KdTreeOptions } from "./kdtree.js";
import { Lsh, type LshOptions } from "./lsh.js";

/** What each family's `create` takes. */
export interface FamilyOptions {
  flat: FlatOptions;
  hnsw: HnswOptions;
  ivf: IvfOptions;
  kdtree: KdTreeOptions;
  forest: ForestOptions;
  lsh: LshOptions;
}
type Own<K extends Kind> = Exclude<keyof FamilyOptions[K], keyof IndexOptions>;
type Row<K extends Kind> = keyof (typeof KNOBS)[K];
/** Never where a family's options are not the rows of KNOBS: then it does not compile. */
type SaidTwice = { readonly [K in Kind]: [Own<K>, Row<K>] extends [Row<K>, Own<K>] ? unknown : never };

export const CLASSES = {
  flat: Flat,
  hnsw: Hnsw,
  ivf: Ivf,
  kdtree: KdTree,
  forest: Forest,
  lsh: Lsh,
} as const satisfies SaidTwice;

/** The index around an engine; its constructor is not for callers. */
export function wrap(opened: Opened): VectorIndex {
  const Family = CLASSES[KIND_NAMES[opened.engine.state("kind")]] as unknown as new (opened: Opened) => VectorIndex;
  return new Family(opened);
}
