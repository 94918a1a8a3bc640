// A graph over the centroids of an ivf index, for so many lists that looking at each centroid would cost more than the
// lists that are probed. It is an Hnsw of its own, made anew from the centroids wherever an index comes to be.

import { tableRows } from "../border/copies.js";
import { Engine, type Lists } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import type { Instance } from "../border/instance.js";
import { newInstance } from "../border/runtime.js";
import { inSlices } from "../input/slices.js";
import { rowsOf } from "../input/vectors.js";
import { BUILDS, KIND_NAMES, METRIC_NAMES, METRICS, type Metric } from "../words/kinds.js";
import { WHOLE_MEMORY } from "../words/needs.js";
import { EMPTY, FRESH, stateBytes } from "../words/state.js";
import { addChunks, reserve } from "./adding.js";
import type { Steps } from "./training.js";

/** TAG_CELLS of assembly/kernel/centres.ts. */
const CENTROIDS = "cent";
const M = 16;
const EF_CONSTRUCTION = 100;
/** Beam width beyond the lists that are wanted. */
const EF_MARGIN = 32;
/** Centroids that the graph looks at for each list it finds, about. */
const DISTANCES_PER_LIST = 8;

class Graph implements Lists {
  readonly #graph: Engine;
  /** Under cosine centroids are of unit vectors, so queries must be too. */
  readonly #unit: boolean;

  constructor(graph: Engine, unit: boolean) {
    this.#graph = graph;
    this.#unit = unit;
  }

  get bytes(): number {
    return this.#graph.bytes;
  }

  search(engine: Engine, nprobe: number, passing: number): void {
    // Lists count by the share of them that passes.
    const wanted = Math.ceil((nprobe * engine.live) / Math.max(passing, 1));
    if (wanted * DISTANCES_PER_LIST > this.#graph.live) {
      engine.done(engine.exports.search());
      return;
    }
    const lists = this.#nearest(engine.copyQuery(), wanted);
    engine.scope(() => {
      const { ivfSearch } = engine.exports as FullExports;
      engine.done(ivfSearch(engine.writeU32(lists), lists.length));
    });
  }

  assign(engine: Engine, vectors: number, n: number): number {
    const dimensions = engine.state("dimensions");
    const lists = Array.from({ length: n }, (_, i) => {
      return this.#nearest(engine.copyF32(engine.rowAt(vectors, i), dimensions), 1)[0];
    });
    return engine.writeU32(lists);
  }

  #nearest(query: Float32Array, n: number): number[] {
    const graph = this.#graph;
    if (this.#unit) {
      const length = Math.hypot(...query);
      if (length > 0) for (let i = 0; i < query.length; i++) query[i] /= length;
    }
    graph.setFloats(query);
    graph.exports.ask(n, n + EF_MARGIN, n, 0, Infinity, false, false);
    graph.done(graph.exports.search());
    return graph.hits((raw) => raw).map(({ id }) => id);
  }
}

/** Builds the graph over the centroids of `engine` in a new memory. */
export function* buildLists(engine: Engine, instance: Instance): Steps<Lists> {
  const nlist = engine.state("nlist");
  const dimensions = engine.state("dimensions");
  const { signed, unit } = METRICS[METRIC_NAMES[engine.state("metric")]];
  // Centroids of unit vectors have any length, and unit queries are nearest to them by distance.
  const distance: Metric = signed ? "dot" : "l2";
  const graph = new Engine(
    instance,
    stateBytes({
      ...EMPTY,
      ...FRESH,
      seed: engine.state("seed"),
      kind: KIND_NAMES.indexOf("hnsw"),
      metric: METRIC_NAMES.indexOf(distance),
      codec: 0,
      dimensions,
      rerank: 0,
      rerankFactor: 1,
      m: M,
      efConstruction: EF_CONSTRUCTION,
    }),
  );
  const rows = rowsOf(tableRows(engine, CENTROIDS, nlist), { dimensions, packed: false }, "centroids");
  reserve(graph, nlist, false);
  const ids = Uint32Array.from({ length: nlist }, (_, i) => i);
  for (const done of addChunks(graph, rows, ids)) yield done / nlist;
  return new Graph(graph, unit === true);
}

/** The graph is not in the file, it follows from the centroids. */
export async function findLists(engine: Engine): Promise<Lists> {
  return inSlices(buildLists(engine, await newInstance(BUILDS, WHOLE_MEMORY)), () => {});
}
