// An index of Faiss as one of ours: what its parts mean together.
import { maxBytesOf, prepared } from "../../base/create.js";
import type { VectorIndex } from "../../base/vector-index.js";
import type { Engine } from "../../border/engine.js";
import { newEngine } from "../../border/runtime.js";
import { wrap } from "../../family/classes.js";
import { checkState } from "../../words/check-state.js";
import { DOT_METRICS, KIND_NAMES, METRIC_NAMES, type Metric } from "../../words/kinds.js";
import { IVF } from "../../words/knobs.js";
import { MAX_SLOTS } from "../../words/limits.js";
import { known } from "../../words/options.js";
import { EMPTY, FRESH, NONE, type State, stateBytes } from "../../words/state.js";
import { cutLevels, GraphAssembly, idsFrom } from "../assemble-graph.js";
import { bytesOf, type FileLike } from "../bytes-of.js";
import { fillColumn, fillTable, fillWords } from "../columns.js";
import type { Imported } from "../imported.js";
import { copyLinks, linksOn } from "./graph.js";
import { type CodesPart, type GraphPart, type ListsPart, type Part, readPart } from "./parts.js";
import { badFaiss, notRead, Reading } from "./reading.js";
import { storedOf } from "./stored.js";
import { applied, isRotation, type Linear, type Transform, turnedBack } from "./transforms.js";

const METRICS: readonly Metric[] = ["dot", "l2", "l1"];
/** Slots of a group, which one list has: assembly/table/lists.ts. */
const GROUP = 32;
const LIVE = 1;
const LUCENE = [0xc0, 0x28, 0x93, 0xe8];
const LUCENE_BYTES = 16;
/** As create has it: src/base/create.ts. */
const SEED = 42;

export interface FaissOptions {
  /** As for `create`. Default 4 GiB. */
  maxBytes?: number;
}

export interface FaissImport extends Omit<Imported, "labels"> {
  /** Its classes, the outermost first, as Faiss names them: ["IndexIDMap2", "IndexFlatL2"]. */
  readonly classes: readonly string[];
  /** What the file says of itself, by Faiss's names: nlist, nprobe, M, efConstruction, efSearch, ... */
  readonly parameters: Readonly<Record<string, number | boolean | string>>;
  /** Only where the file's ids are no different integers from 0 to 4294967294: ids are places then, and `labels[id]` is the file's id. */
  readonly labels?: BigInt64Array;
  /**
   * Only where vectors pass through something before they are in the index (PCA, normalising, whatever is no rotation): queries, and vectors to
   * add, have to pass through it too. `index.search(transform(query))`.
   */
  readonly transform?: (vector: ArrayLike<number>) => Float32Array;
}

/** What is found on the way to the index proper. */
interface Unwrapped {
  readonly inner: CodesPart | ListsPart | GraphPart;
  /** Ids by the ids of the inner index. */
  readonly maps: readonly BigInt64Array[];
  readonly chain: readonly Transform[];
  readonly classes: readonly string[];
}

/** How the vectors of an inner index become rows. */
interface Rows {
  readonly metric: Metric;
  readonly dimensions: number;
  readonly turn: Linear | undefined;
  readonly ids: Uint32Array | undefined;
  readonly maxBytes: number;
}

/**
 * The index in a file that Faiss has written: Flat, scalar quantisers, PQ, RaBitQ, lists (IVF) of any of these, HNSW and CAGRA graphs, fast-scan layouts,
 * within IDMap and PreTransform. Lists come as lists, graphs as graphs, codebooks as codebooks; what vicinal has no codec for is decoded to f32, and
 * `notes` say so. Rotations (OPQ, random) are undone, so that queries are as they were; for other transforms see `transform`. Distances are
 * vicinal's: l2 is not squared, dot is -<q, v>. Errors: BAD_FILE (also for classes that are not read, which it names), BAD_OPTION, OUT_OF_MEMORY.
 */
export async function readFaiss(file: FileLike, options: FaissOptions = {}): Promise<FaissImport> {
  known("readFaiss", options, ["maxBytes"]);
  const maxBytes = maxBytesOf(options);
  const reading = new Reading(await bytesOf(file));
  const part = readPart(reading);
  checkEnd(reading);
  const { inner, maps, chain, classes } = unwrapped(part);
  const metric = METRICS[inner.metric];
  if (!metric) throw notRead(`metric ${inner.metric} (inner product, l2 and l1 are read)`);
  const notes: string[] = [];
  const turn = turnOf(chain, metric);
  const labels = labelsOf(inner, maps);
  const ids = labels && idsFrom(new BigUint64Array(labels.buffer), undefined);
  if (labels && !ids)
    notes.push("ids are not integers from 0 to 4294967294, each once: ids are places in the file, labels[id] is the file's");
  const rows = { metric, dimensions: turn ? turn.dIn : inner.d, turn, ids, maxBytes };
  const { index, notes: more } = await indexOf(inner, rows);
  notes.push(...more);
  const transform = chain.length > 0 && !turn ? (vector: ArrayLike<number>) => applied(chain, vector) : undefined;
  if (transform) notes.push("vectors are as the file's transforms have left them: queries have to pass through transform()");
  return {
    ...{ index, format: "Faiss", classes, parameters: parametersOf(inner), notes },
    ...(labels && !ids && { labels }),
    ...(transform && { transform }),
  };
}

/** Nothing follows an index but what Lucene puts behind every file of its own: [magic u32][0 u32][checksum u64], big-endian. */
function checkEnd(file: Reading): void {
  const { left } = file;
  if (left === 0 || (left === LUCENE_BYTES && LUCENE.every((byte) => byte === file.u8()))) return;
  throw badFaiss(`${left} bytes follow its index`);
}

function unwrapped(part: Part): Unwrapped {
  const maps: BigInt64Array[] = [];
  const chain: Transform[] = [];
  const classes: string[] = [];
  for (let here = part; ; here = here.inner) {
    classes.push(here.name);
    if (here.part === "mapped") maps.unshift(here.ids);
    else if (here.part === "transformed") chain.push(...here.chain);
    else return { inner: here, maps, chain, classes };
  }
}

/** The one rotation that all transforms are, if so: it changes no distance, and no dot where nothing is added. */
function turnOf(chain: readonly Transform[], metric: Metric): Linear | undefined {
  const [only] = chain;
  if (chain.length !== 1 || only.type !== "linear" || metric === "l1" || !isRotation(only)) return undefined;
  const shifts = only.bias?.some((value) => value !== 0) ?? false;
  if (shifts) return metric === "l2" ? only : undefined;
  return { ...only, bias: undefined };
}

/** The id of each vector, in the order of the file; undefined where that is its place. */
function labelsOf(inner: Part, maps: readonly BigInt64Array[]): BigInt64Array | undefined {
  const first = inner.part === "lists" ? inner.ids : undefined;
  if (maps.length === 0) return first;
  const labels = first ?? maps[0].slice();
  for (const map of first ? maps : maps.slice(1)) {
    for (let i = 0; i < labels.length; i++) {
      const at = Number(labels[i]);
      if (!(at >= 0 && at < map.length)) throw badFaiss(`a vector has the id ${labels[i]}, and ids of ${map.length} follow`);
      labels[i] = map[at];
    }
  }
  return labels;
}

function parametersOf(inner: CodesPart | ListsPart | GraphPart): Record<string, number | boolean | string> {
  const { coder } = inner.codes;
  const of: Record<string, number | boolean | string> = {};
  if (coder.type === "pq") Object.assign(of, { M: coder.m, nbits: coder.bits });
  if (coder.type === "sq") of.qtype = `QT_${coder.scalar}`;
  if (inner.part === "lists") Object.assign(of, { nlist: inner.nlist, nprobe: inner.nprobe, by_residual: inner.residual });
  if (inner.part !== "graph") return of;
  const { efConstruction, ef } = inner.graph;
  return { ...of, M: Math.ceil(linksOn(inner.graph, 0) / 2), efConstruction, efSearch: ef };
}

interface Made {
  readonly index: VectorIndex;
  readonly notes: readonly string[];
}

const said = (notes: readonly (string | undefined)[]): string[] => notes.filter((note) => note !== undefined);

function indexOf(inner: CodesPart | ListsPart | GraphPart, rows: Rows): Promise<Made> {
  if (inner.part === "graph") return graphIndex(inner, rows);
  return inner.part === "lists" ? listsIndex(inner, rows) : flatIndex(inner, rows);
}

/** State of an index that holds n vectors. */
function stateOf(kind: "flat" | "ivf", n: number, { metric, dimensions, ids }: Rows, own: Partial<State>): State {
  let last = ids ? -1 : n - 1;
  for (const id of ids ?? []) last = Math.max(last, id);
  const state: State = {
    ...{ ...EMPTY, ...FRESH, seed: SEED, rerank: 0, rerankFactor: 1, codec: 0 },
    ...{ kind: KIND_NAMES.indexOf(kind), metric: METRIC_NAMES.indexOf(metric), dimensions },
    ...{ nextId: last + 1, live: n, identity: ids || kind === "ivf" ? 0 : 1 },
    ...own,
  };
  checkState(state, Number.POSITIVE_INFINITY);
  return state;
}

/** Room for slots and records, their columns filled; then the engine's own check of all of it. */
async function assembled(
  state: State,
  slots: number,
  records: number,
  maxBytes: number,
  fill: (engine: Engine) => void,
): Promise<VectorIndex> {
  const engine = await newEngine(stateBytes(state), maxBytes);
  engine.done(engine.exports.restore(slots, records));
  fill(engine);
  if (!engine.exports.isValid()) throw badFaiss("a vector or a centroid in it has a value that is no number, or too large");
  return wrap(await prepared(engine, undefined));
}

async function flatIndex(part: CodesPart, rows: Rows): Promise<Made> {
  const { n, codes } = part;
  const { metric, dimensions, turn, ids } = rows;
  const stored = storedOf({ metric, dimensions, n, codes, turn });
  const place = (slot: number): number => (slot < n ? slot : -1);
  const index = await assembled(stateOf("flat", n, rows, stored.state), n, 0, rows.maxBytes, (engine) => {
    fillWords(engine, "ids ", (slot) => ids?.[slot] ?? slot);
    fillColumn(engine, "life", (_, out) => void out.fill(LIVE));
    stored.fill(engine, place);
  });
  return { index, notes: said([stored.note]) };
}

async function listsIndex(part: ListsPart, rows: Rows): Promise<Made> {
  const { n, d, nlist, nprobe, sizes, codes, residual, quantizer } = part;
  const { metric, dimensions, turn, ids } = rows;
  if (!DOT_METRICS.includes(metric as "l2")) throw notRead(`lists under metric ${metric}`);
  const [least, most] = IVF.nlist.range;
  if (nlist < least || nlist > most) throw notRead(`${nlist} lists (an index has ${least} to ${most})`);
  if (n === 0 && part.centroids.length === 0) throw notRead("lists that have learned no centroids");
  const { places, owners } = groupsOf(sizes);
  const slots = places.length;
  if (slots > MAX_SLOTS) throw notRead(`${n} vectors in ${nlist} lists (an index has ${MAX_SLOTS} places)`);
  const listOf = new Uint32Array(residual ? n : 0);
  if (residual) for (let slot = 0; slot < slots; slot++) if (places[slot] >= 0) listOf[places[slot]] = owners[slot >> 5];
  const centroidOf = (i: number): Float32Array => part.centroids.subarray(listOf[i] * d, (listOf[i] + 1) * d);
  const stored = storedOf({ metric, dimensions, n, codes, turn, ...(residual && { centroidOf }) });
  const state = stateOf("ivf", n, rows, { ...stored.state, nlist, effort: Math.max(nprobe, 1), learnedOn: n });
  const place = (slot: number): number => (slot < slots ? places[slot] : -1);
  const index = await assembled(state, slots, owners.length, rows.maxBytes, (engine) => {
    fillWords(engine, "ids ", (slot) => (places[slot] < 0 ? NONE : (ids?.[places[slot]] ?? places[slot])));
    fillColumn(engine, "life", (first, out) => {
      for (let i = 0; i < out.length; i++) out[i] = places[first + i] < 0 ? 0 : LIVE;
    });
    fillWords(engine, "wner", (group) => owners[group]);
    fillTable(engine, "cent", turn ? backRows(turn, part.centroids) : part.centroids, dimensions);
    stored.fill(engine, place);
  });
  const notes = [stored.note];
  if (quantizer.metric !== part.metric) notes.push(`lists are found by ${metric} of their centroids, in Faiss by another metric`);
  if (quantizer.letters.startsWith("IH"))
    notes.push(`lists are found by a look at each centroid, in Faiss by an ${quantizer.name}`);
  return { index, notes: said(notes) };
}

/** Lists as whole groups of slots: which vector a slot has, or -1, and which list has a group. */
function groupsOf(sizes: Float64Array): { places: Int32Array; owners: Uint32Array } {
  const count = sizes.reduce((sum, size) => sum + Math.ceil(size / GROUP), 0);
  const places = new Int32Array(count * GROUP).fill(-1);
  const owners = new Uint32Array(count);
  let [group, i] = [0, 0];
  sizes.forEach((size, list) => {
    for (let j = 0; j < size; j++) places[group * GROUP + j] = i++;
    const end = group + Math.ceil(size / GROUP);
    owners.fill(list, group, end);
    group = end;
  });
  return { places, owners };
}

function backRows(turn: Linear, rows: Float32Array): Float32Array {
  const { dIn, dOut } = turn;
  const out = new Float32Array((rows.length / dOut) * dIn);
  const back = new Float64Array(dIn);
  for (let i = 0; i * dOut < rows.length; i++) {
    turnedBack(turn, rows.subarray(i * dOut, (i + 1) * dOut), back);
    out.set(back, i * dIn);
  }
  return out;
}

async function graphIndex(part: GraphPart, rows: Rows): Promise<Made> {
  const { n, graph, codes } = part;
  const { metric, dimensions, turn, ids, maxBytes } = rows;
  const stored = storedOf({ metric, dimensions, n, codes, turn });
  const above = graph.flat ? new Uint8Array(n) : graph.levels.map((layers) => layers - 1);
  const { levels, cut } = cutLevels(above);
  const entry = n === 0 ? undefined : (graph.entry ?? 0);
  const assembly = await GraphAssembly.open({
    ...{ format: "Faiss", metric, dimensions, levels, ids, deleted: undefined, entry, maxBytes },
    ...{ links: graph.flat ? 0 : linksOn(graph, 1), links0: linksOn(graph, 0) },
    ...{ efConstruction: graph.efConstruction, ef: Math.max(graph.ef, 1) },
    ...(!stored.row && { codec: stored.state }),
  });
  if (stored.row) for (let i = 0; i < n; i++) assembly.setRow(i, stored.row(i));
  else stored.fill(assembly.engine, (slot) => (slot < n ? slot : -1));
  const room = new Uint32Array(Math.max(linksOn(graph, 0), linksOn(graph, 1)));
  for (let i = 0; i < n; i++) {
    for (let layer = 0; layer <= levels[i]; layer++) {
      assembly.setLinks(layer, i, room.subarray(0, copyLinks(graph, layer, i, room)));
    }
  }
  const notes = [stored.note];
  if (cut > 0) notes.push(`${cut} nodes were on more than 16 layers, and end there`);
  if (graph.flat) notes.push(`Faiss begins walks on this graph at random nodes; here they begin at node ${entry}`);
  return { index: await assembly.finish(), notes: said(notes) };
}
