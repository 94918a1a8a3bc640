// The graph in a .vic file of an Hnsw index, for writers of other formats: nodes that are there, numbered one after the other.
import { presentSections, readHead, readStat, sectionIn } from "../file/format.js";
import { badOption } from "../words/errors.js";
import { CODEC_NAMES, KIND_NAMES, METRIC_NAMES, METRICS, type Metric, RERANK_NAMES } from "../words/kinds.js";
import { NONE, type State } from "../words/state.js";
import { viewOf } from "./view-of.js";

/** assembly/table/nodes.ts and assembly/family/graph/graph.ts. */
const [FREE, LIVE] = [0, 1];
const LEVELS = 15;
const TWIN = 16;
const LEVEL_BITS = 5;

export interface VicGraph {
  readonly state: State;
  readonly metric: Metric;
  /** Nodes; each below this number. */
  readonly count: number;
  /** Where walks begin; undefined where there is no node. */
  readonly entry: number | undefined;
  id(node: number): number;
  /** Removed, but walked through. */
  isDeleted(node: number): boolean;
  level(node: number): number;
  links(layer: number, node: number): Uint32Array;
  /** Writes a node's vector as it is searched by, under cosine at unit length, to \`into\` at \`at\`. */
  row(node: number, into: DataView, at: number): void;
}

export function graphOf(file: Uint8Array): VicGraph {
  const head = readHead(file, file.length);
  const state = readStat(head, sectionIn(file, head.sections[0]), file.length);
  if (KIND_NAMES[state.kind] !== "hnsw") throw badOption(`this index is a ${KIND_NAMES[state.kind]} one, and no graph`);
  if (state.pending > 0) throw badOption(`${state.pending} vectors wait to be linked: await index.addAll([]) first`);
  const views = new Map(
    presentSections(head).map((section) => [section.tag, { stride: section.stride, view: viewOf(sectionIn(file, section)) }]),
  );
  const stage = (slot: number): number => word("life", slot, 1);
  const word = (tag: string, slot: number, bytes = 4): number => {
    const { view, stride } = views.get(tag) as { view: DataView; stride: number };
    return bytes === 1 ? view.getUint8(slot * stride) : view.getUint32(slot * stride, true);
  };
  const slots: number[] = [];
  const nodes = new Uint32Array(head.slots).fill(NONE);
  for (let slot = 0; slot < head.slots; slot++) if (stage(slot) !== FREE) nodes[slot] = slots.push(slot) - 1;
  const listOf = (layer: number, slot: number): number[] => {
    const { view, stride } = views.get(layer === 0 ? "link" : "uppr") as { view: DataView; stride: number };
    const at = (layer === 0 ? slot : (word("towr", slot) >>> LEVEL_BITS) + layer - 1) * stride;
    const list: number[] = [];
    for (let i = 0; i < stride; i += 4) {
      const to = view.getUint32(at + i, true);
      if (to === NONE) break;
      if (nodes[to] !== NONE) list.push(nodes[to]);
    }
    return list;
  };
  const tied =
    state.twins > 0
      ? tiesOfTwins(
          slots,
          (slot) => (word("towr", slot) & TWIN) !== 0,
          (slot) => listOf(0, slot),
        )
      : new Map();
  return {
    state,
    metric: METRIC_NAMES[state.metric],
    count: slots.length,
    entry: state.entry === NONE ? undefined : nodes[state.entry],
    id: (node) => word("ids ", slots[node]),
    isDeleted: (node) => stage(slots[node]) !== LIVE,
    level: (node) => word("towr", slots[node]) & LEVELS,
    links: (layer, node) => Uint32Array.from((layer === 0 && tied.get(node)) || listOf(layer, slots[node])),
    row: rowsOf(state, slots, (tag) => views.get(tag)),
  };
}

/**
 * Links of layer 0 that make twins (assembly/family/graph/twins.ts) nodes like others: nobody links to one, so they become a chain that begins at
 * the node they hang on, in place of its last link where it has no room.
 */
function tiesOfTwins(
  slots: readonly number[],
  isTwin: (slot: number) => boolean,
  links: (slot: number) => number[],
): Map<number, number[]> {
  const ties = new Map<number, number[]>();
  const last = new Map<number, number>();
  slots.forEach((slot, node) => {
    if (!isTwin(slot)) return;
    const [host] = links(slot);
    const before = last.get(host) ?? host;
    const list = ties.get(before) ?? links(slots[before]);
    ties.set(before, before === host ? [node, ...list] : [...list, node]);
    ties.set(node, [before]);
    last.set(host, node);
  });
  return ties;
}

type Place = { readonly stride: number; readonly view: DataView } | undefined;

/** Rows of f32, alone or beside codes. */
function rowsOf(state: State, slots: readonly number[], place: (tag: string) => Place): VicGraph["row"] {
  const codec = CODEC_NAMES[state.codec];
  const { dimensions: d } = state;
  const code = place("code") as NonNullable<Place>;
  const exact = RERANK_NAMES[state.rerank] === "f32" ? place("exct") : undefined;
  const word = new Uint32Array(1);
  const float = new Float32Array(word.buffer);
  const each = (value: (slot: number, i: number) => number): VicGraph["row"] => {
    return (node, into, at) => {
      for (let i = 0; i < d; i++) into.setFloat32(at + 4 * i, value(slots[node], i), true);
    };
  };
  if (METRICS[METRIC_NAMES[state.metric]].packed) throw badOption("rows of bits are none that this format has");
  if (exact) return each((slot, i) => exact.view.getFloat32(slot * exact.stride + 4 * i, true));
  if (codec === "f32") {
    const half = code.stride / 2;
    return each((slot, i) => {
      const at = slot * code.stride + 2 * i;
      word[0] = (code.view.getUint16(at, true) << 16) + code.view.getInt16(at + half, true);
      return float[0];
    });
  }
  throw badOption(`rows of codec ${codec} are codes: give the index rerank with f32 rows, or build one of codec "f32"`);
}
