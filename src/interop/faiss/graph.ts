// The graph of an IndexHNSW (faiss/impl/HNSW.h):
//
//   [chance of each level: vector of f64][first link of each level in a node, one more than there are levels: vector of i32]
//   [levels of each node: vector of i32][first link of each node, one more than there are nodes: vector of u64]
//   [links: vector of i32, -1 where there is none][entry i32][highest level i32][efConstruction i32][efSearch i32][1 i32]
//
// Before it, of IndexHNSWCagra: [u8][links on layer 0 alone u8][random entries i32], and of "IHc2" [type of values i32].
import { badFaiss, type Reading } from "./reading.js";

export interface ForeignGraph {
  /** Layers of each node. */
  readonly levels: Int32Array;
  /** Where the links of each node begin. */
  readonly offsets: Float64Array;
  readonly links: Int32Array;
  /** Links on the layers below a layer. */
  readonly below: Int32Array;
  /** Undefined where walks begin at random. */
  readonly entry: number | undefined;
  readonly efConstruction: number;
  readonly ef: number;
  /** Only layer 0 is linked. */
  readonly flat: boolean;
}

export function readGraph(file: Reading, letters: string, n: number): ForeignGraph {
  const cagra = letters === "IHNc" || letters === "IHc2";
  let flat = false;
  if (cagra) {
    file.skip(1);
    flat = file.flag();
    file.skip(4);
  }
  if (letters === "IHc2") file.skip(4);
  file.vector("chances of levels", 8);
  const below = file.i32s("links of a level");
  const levels = file.i32s("levels");
  const offsets = file.sizes("places of links");
  const links = file.i32s("links");
  const [entry, top, efConstruction, ef] = [file.i32(), file.i32(), file.i32(), file.i32()];
  file.skip(4);
  const graph = { levels, offsets, links, below, efConstruction, ef, flat };
  checkShape(graph, n);
  if (n === 0 || (flat && entry === -1)) return { ...graph, entry: undefined };
  if (!(entry >= 0 && entry < n)) throw badFaiss(`its graph is entered at node ${entry} of ${n}`);
  if (!flat && levels[entry] !== top + 1)
    throw badFaiss(`its graph is entered at a node of ${levels[entry]} layers, and has ${top + 1}`);
  return { ...graph, entry };
}

/** Every node has the links of its layers, where the one before has ended. */
function checkShape({ levels, offsets, links, below }: Omit<ForeignGraph, "entry">, n: number): void {
  if (levels.length !== n || offsets.length !== n + 1) throw badFaiss(`its graph has ${levels.length} nodes for ${n} vectors`);
  if (below[0] !== 0 || below.some((value, layer) => layer > 0 && value < below[layer - 1])) {
    throw badFaiss(`the links of its layers are not one after the other: ${below.slice(0, 4).join(", ")}`);
  }
  for (let i = 0; i < n; i++) {
    const last = below[levels[i]];
    if (!(levels[i] >= 1 && offsets[i + 1] - offsets[i] === last))
      throw badFaiss(`node ${i} of its graph has ${levels[i]} layers`);
  }
  if (offsets[0] !== 0 || offsets[n] !== links.length) throw badFaiss(`its graph has ${links.length} links, not ${offsets[n]}`);
}

/** Links at most on a layer. */
export function linksOn({ below }: ForeignGraph, layer: number): number {
  return (below[layer + 1] ?? 0) - (below[layer] ?? 0);
}

/** A node's links on a layer, each once, into `out`; returns how many. Links to itself and to nobody are no links. */
export function copyLinks(graph: ForeignGraph, layer: number, node: number, out: Uint32Array): number {
  const from = graph.offsets[node] + graph.below[layer];
  let count = 0;
  for (let i = from, end = from + linksOn(graph, layer); i < end; i++) {
    const to = graph.links[i];
    if (to === -1) {
      // A graph of CAGRA may have gaps.
      if (!graph.flat) break;
      continue;
    }
    if (to < 0 || to >= graph.levels.length)
      throw badFaiss(`node ${node} of its graph links to node ${to} of ${graph.levels.length}`);
    if (to !== node && !out.subarray(0, count).includes(to)) out[count++] = to;
  }
  return count;
}
