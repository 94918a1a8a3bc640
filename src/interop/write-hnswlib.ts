import type { Hnsw } from "../family/hnsw.js";
import type { Bytes } from "../words/arrays.js";
import { badOption, VicinalError } from "../words/errors.js";
import { DOT_METRICS } from "../words/kinds.js";
import { graphOf, type VicGraph } from "./vic-graph.js";

const HEADER_BYTES = 96;
const LABEL_BYTES = 8;
const DELETED = 1;

/**
 * An Hnsw index as a file that hnswlib loads (hnswlib.ts draws it), for its spaces l2, cosine and ip: rows, ids as labels, links and
 * deleted marks as they are. Rows are f32, so codec "f32", or others with f32 rows beside them. Under cosine rows are of unit length, as hnswlib
 * has them. Room for more elements is load_index's max_elements to say. Errors: BAD_OPTION, OUT_OF_MEMORY.
 */
export async function writeHnswlib(index: Hnsw): Promise<Bytes> {
  if (index?.kind !== "hnsw") throw badOption("writeHnswlib takes an Hnsw index");
  // Those that wait to be linked are.
  await index.addAll([]);
  return hnswlibOf(index.toBytes());
}

/** The same of a .vic file's bytes. */
export function hnswlibOf(vic: Uint8Array): Bytes {
  const graph = graphOf(vic);
  if (!DOT_METRICS.includes(graph.metric as "l2")) {
    throw badOption(`hnswlib has no metric "${graph.metric}"; it has ${DOT_METRICS.join(", ")}`);
  }
  const layout = layoutOf(graph);
  const bytes = roomFor(layout.fileBytes);
  const view = new DataView(bytes.buffer);
  writeHeader(view, graph, layout);
  let at = HEADER_BYTES;
  for (let node = 0; node < graph.count; node++, at += layout.elementBytes) writeElement(view, at, node, graph, layout);
  for (let node = 0; node < graph.count; node++) at = writeTower(view, at, node, graph);
  return bytes;
}

interface Layout {
  readonly m: number;
  readonly dataAt: number;
  readonly labelAt: number;
  readonly elementBytes: number;
  readonly fileBytes: number;
}

function layoutOf(graph: VicGraph): Layout {
  const { m, dimensions } = graph.state;
  const dataAt = 4 + 8 * m;
  const labelAt = dataAt + 4 * dimensions;
  const elementBytes = labelAt + LABEL_BYTES;
  let fileBytes = HEADER_BYTES + graph.count * (elementBytes + 4);
  for (let node = 0; node < graph.count; node++) fileBytes += graph.level(node) * (4 + 4 * m);
  return { m, dataAt, labelAt, elementBytes, fileBytes };
}

function roomFor(bytes: number): Bytes {
  try {
    return new Uint8Array(bytes);
  } catch {
    throw new VicinalError("OUT_OF_MEMORY", `there is no room for a file of ${bytes} bytes beside the index`);
  }
}

function writeHeader(view: DataView, { count, entry, state }: VicGraph, { m, dataAt, labelAt, elementBytes }: Layout): void {
  [0, count, count, elementBytes, labelAt, dataAt].forEach((value, i) => void view.setBigUint64(8 * i, BigInt(value), true));
  view.setInt32(48, entry === undefined ? -1 : state.topLevel, true);
  view.setInt32(52, entry ?? -1, true);
  [m, 2 * m, m].forEach((value, i) => void view.setBigUint64(56 + 8 * i, BigInt(value), true));
  view.setFloat64(80, 1 / Math.log(m), true);
  view.setBigUint64(88, BigInt(state.efConstruction), true);
}

function writeElement(view: DataView, at: number, node: number, graph: VicGraph, { m, dataAt, labelAt }: Layout): void {
  writeLinks(view, at, graph.links(0, node).subarray(0, 2 * m));
  if (graph.isDeleted(node)) view.setUint8(at + 2, DELETED);
  graph.row(node, view, at + dataAt);
  // Of a removed one the id may be another's by now: labels are different.
  view.setBigUint64(at + labelAt, BigInt(graph.isDeleted(node) ? 2 ** 32 + node : graph.id(node)), true);
}

function writeTower(view: DataView, at: number, node: number, graph: VicGraph): number {
  const levelBytes = 4 + 4 * graph.state.m;
  const level = graph.level(node);
  view.setUint32(at, level * levelBytes, true);
  for (let layer = 1; layer <= level; layer++) writeLinks(view, at + 4 + (layer - 1) * levelBytes, graph.links(layer, node));
  return at + 4 + level * levelBytes;
}

function writeLinks(view: DataView, at: number, links: Uint32Array): void {
  view.setUint16(at, links.length, true);
  links.forEach((to, i) => void view.setUint32(at + 4 + 4 * i, to, true));
}
