// Index files of Annoy (https://github.com/spotify/annoy, annoylib.h): nodes of one size, first the items by their numbers, then those of the
// trees, then a copy of all roots. i32 and f32, little-endian:
//
//   item:  [descendants: 1, or 0 where no such item was added] ... [vector]
//   root:  [descendants: items, those not added included] ...
//
// What lies between depends on the metric, which is not in the file, nor are the dimensions:
//
//   cosine        norm, or two children; the vector at 12
//   l2, l1        offset of the plane, two children; the vector at 16
//   dot           two children, a factor; the vector at 16; from 1.17.3 on also norm and a flag, and the vector at 24
import { Forest } from "../family/forest.js";
import { badOption, type VicinalError } from "../words/errors.js";
import { KINDS, type Metric } from "../words/kinds.js";
import { FOREST } from "../words/knobs.js";
import { LIMITS } from "../words/limits.js";
import { integer, known, oneOf } from "../words/options.js";
import { type ByteSource, type FileLike, openBytes, piecesOf } from "./bytes-of.js";
import { badFile, type Imported } from "./imported.js";
import { viewOf } from "./view-of.js";

const FORMAT = "Annoy";
const VECTOR_AT: Partial<Record<Metric, readonly number[]>> = { cosine: [12], l2: [16], l1: [16], dot: [24, 16] };

export interface AnnoyOptions {
  /** Length of every vector, which the file does not say. */
  dimensions: number;
  /** Nor this: "cosine" (angular), "l2" (euclidean), "l1" (manhattan) or "dot". */
  metric: Exclude<Metric, "hamming">;
  /** As for `create`. Default 4 GiB. */
  maxBytes?: number;
}

/**
 * The items of a file that Annoy has saved, in a Forest of as many trees, which are grown anew: Annoy's part by planes of
 * another kind. Item numbers are the ids. Errors: BAD_OPTION, BAD_FILE, OUT_OF_MEMORY.
 */
export async function readAnnoy(file: FileLike, options: AnnoyOptions): Promise<Imported<Forest>> {
  known("readAnnoy", options ?? {}, ["dimensions", "metric", "maxBytes"]);
  if (options?.metric === undefined || options.dimensions === undefined) {
    throw badOption("an Annoy file says neither its dimensions nor its metric: give readAnnoy() { dimensions, metric }");
  }
  const metric = oneOf("metric", options.metric, KINDS.forest.metrics as readonly (typeof options.metric)[]);
  const dimensions = integer("dimensions", options.dimensions, ...LIMITS.dimensions);
  const source = await openBytes(file);
  try {
    return await read(source, { ...options, dimensions, metric });
  } finally {
    await source.close();
  }
}

interface Layout {
  readonly nodeBytes: number;
  readonly vectorAt: number;
  readonly items: number;
  readonly trees: number;
}

async function read(source: ByteSource, { dimensions, metric, maxBytes }: AnnoyOptions): Promise<Imported<Forest>> {
  const { nodeBytes, vectorAt, items, trees } = await layoutOf(source, dimensions, metric);
  const [least, most] = FOREST.trees.range;
  const index = await Forest.create({ dimensions, metric, maxBytes, trees: Math.min(Math.max(trees, least), most) });
  let first = 0;
  for await (const bytes of piecesOf(source, 0, items * nodeBytes, nodeBytes)) {
    const view = viewOf(bytes);
    const ids: number[] = [];
    const rows = new Float32Array((bytes.length / nodeBytes) * dimensions);
    for (let at = 0, item = first; at < bytes.length; at += nodeBytes, item++) {
      const descendants = view.getInt32(at, true);
      if (descendants !== 0 && descendants !== 1) throw badFile(FORMAT, `item ${item} has ${descendants} descendants`);
      if (descendants === 0) continue;
      const row = ids.push(item) - 1;
      for (let i = 0; i < dimensions; i++) {
        const value = view.getFloat32(at + vectorAt + 4 * i, true);
        if (!Number.isFinite(value)) throw badFile(FORMAT, `value ${i} of item ${item} is ${value}`);
        rows[row * dimensions + i] = value;
      }
    }
    if (ids.length > 0) added(index, rows.subarray(0, ids.length * dimensions), ids);
    first += bytes.length / nodeBytes;
  }
  const notes = ["trees are grown anew from the items: Annoy's part them by planes of another kind"];
  if (metric === "cosine") notes.push("distances are 1 - cos, where Annoy's angular ones are sqrt(2 (1 - cos))");
  if (metric === "dot") notes.push("distances are -<q, v>, where Annoy says <q, v>");
  return { index, format: FORMAT, notes };
}

function added(index: Forest, rows: Float32Array, ids: readonly number[]): void {
  try {
    index.add(rows, ids);
  } catch (error) {
    if ((error as VicinalError).code === "TOO_LARGE") throw badFile(FORMAT, (error as Error).message);
    throw error;
  }
}

/** The first layout that the file has room for and is consistent with. */
async function layoutOf(source: ByteSource, dimensions: number, metric: Metric): Promise<Layout> {
  const whys: string[] = [];
  for (const vectorAt of VECTOR_AT[metric] ?? []) {
    const nodeBytes = vectorAt + 4 * dimensions;
    const layout = await rootsOf(source, nodeBytes, vectorAt);
    if (typeof layout !== "string") return layout;
    whys.push(layout);
  }
  throw badFile(FORMAT, `of ${dimensions} dimensions under ${metric}: ${whys.join("; ")}`);
}

/**
 * How many nodes at the end have as many descendants as the last: copies of the roots, and of files of today the last root itself before
 * them. Else why there are none.
 */
async function rootsOf(source: ByteSource, nodeBytes: number, vectorAt: number): Promise<Layout | string> {
  if (source.size === 0 || source.size % nodeBytes !== 0) {
    return `its ${source.size} bytes are no whole number of nodes of ${nodeBytes}`;
  }
  const nodes = source.size / nodeBytes;
  const node = (i: number): Promise<Uint8Array> => source.read(i * nodeBytes, (i + 1) * nodeBytes);
  const last = await node(nodes - 1);
  const items = viewOf(last).getInt32(0, true);
  if (items < 1 || items >= nodes) return `its last node has ${items} descendants, which is no root`;
  let first = nodes - 1;
  while (first > items && viewOf(await node(first - 1)).getInt32(0, true) === items) first--;
  const root = await findNode(source, last, items, nodes - 1);
  if (root === undefined) return "its last node is not the copy of a root";
  return { nodeBytes, vectorAt, items, trees: nodes - first - Number(root === first) };
}

/** The first of nodes from..to that is the same as one. */
async function findNode(source: ByteSource, one: Uint8Array, from: number, to: number): Promise<number | undefined> {
  const { length } = one;
  let node = from;
  for await (const bytes of piecesOf(source, from * length, to * length, length)) {
    for (let at = 0; at < bytes.length; at += length, node++) {
      if (one.every((byte, i) => byte === bytes[at + i])) return node;
    }
  }
  return undefined;
}
