// What a Faiss file holds as an index of ours: columns and tables filled from codes, lists and links, then judged as those of a .vic are.
import { prepared } from "../../base/create.js";
import type { VectorIndex } from "../../base/vector-index.js";
import type { Engine } from "../../border/engine.js";
import { newEngine } from "../../border/runtime.js";
import { wrap } from "../../family/classes.js";
import { checkState } from "../../words/check-state.js";
import { DOT_METRICS, KIND_NAMES, METRIC_NAMES, type Metric } from "../../words/kinds.js";
import { IVF } from "../../words/knobs.js";
import { MAX_SLOTS } from "../../words/limits.js";
import { EMPTY, FRESH, NONE, type State, stateBytes } from "../../words/state.js";
import { cutLevels, GraphAssembly } from "../assemble-graph.js";
import { fillColumn, fillTable, fillWords } from "../columns.js";
import { copyLinks, linksOn } from "./graph.js";
import type { CodesPart, GraphPart, ListsPart } from "./parts.js";
import { badFaiss, notRead } from "./reading.js";
import { storedOf } from "./stored.js";
import { type Linear, turnedBack } from "./transforms.js";

/** Slots of a group, which one list has: assembly/table/lists.ts. */
const GROUP = 32;
const LIVE = 1;
/** As create has it: src/base/create.ts. */
const SEED = 42;

/** How the vectors of an inner index become rows. */
export interface Rows {
  readonly metric: Metric;
  readonly dimensions: number;
  readonly turn: Linear | undefined;
  readonly ids: Uint32Array | undefined;
  readonly maxBytes: number;
}

export interface Made {
  readonly index: VectorIndex;
  readonly notes: readonly string[];
}

const said = (notes: readonly (string | undefined)[]): string[] => notes.filter((note) => note !== undefined);

/** The index proper. */
export function indexOf(inner: CodesPart | ListsPart | GraphPart, rows: Rows): Promise<Made> {
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
  const { places, owners } = groupsOf(sizes);
  const slots = places.length;
  if (slots > MAX_SLOTS) throw notRead(`${n} vectors in ${nlist} lists (an index has ${MAX_SLOTS} places)`);
  const listOf = new Uint32Array(residual ? n : 0);
  if (residual) for (let slot = 0; slot < slots; slot++) if (places[slot] >= 0) listOf[places[slot]] = owners[slot >> 5];
  const centroidOf = (i: number): Float32Array => part.centroids.subarray(listOf[i] * d, (listOf[i] + 1) * d);
  const stored = storedOf({ metric, dimensions, n, codes, turn, ...(residual && { centroidOf }) });
  const state = stateOf("ivf", n, rows, { ...stored.state, nlist, effort: Math.min(Math.max(nprobe, 1), NONE), learnedOn: n });
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
