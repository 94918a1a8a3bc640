// Another library's graph as an Hnsw index: its rows, levels and links go into the columns of an empty engine, and the engine's own check
// of loaded files (assembly/index/validate.ts) judges them as it does those of a .vic. No row is ever in memory twice.
//
//   rows    hnsw f32: the halves of assembly/codec/split.ts, with the length beside them under cosine; hamming: packed bits
//   towers  [first record << 5 | highest layer] u32; a slot's records consecutive, one per layer above 0
import { maxBytesOf, prepared } from "../base/create.js";
import type { Engine, Part } from "../border/engine.js";
import { newEngine } from "../border/runtime.js";
import { wrap } from "../family/classes.js";
import type { Hnsw } from "../family/hnsw.js";
import { checkState } from "../words/check-state.js";
import { badOption } from "../words/errors.js";
import { CODEC_NAMES, CODECS, KIND_NAMES, METRIC_NAMES, METRICS, type Metric } from "../words/kinds.js";
import { HNSW } from "../words/knobs.js";
import { LIMITS, MAX_SLOTS } from "../words/limits.js";
import { SPLIT_RERANK } from "../words/rerank-option.js";
import { EMPTY, FRESH, NONE, type State, stateBytes } from "../words/state.js";
import { badFile, unsupported } from "./imported.js";

/** assembly/family/graph/graph.ts. */
const MAX_LEVEL = 15;
const LEVEL_BITS = 5;
/** assembly/table/nodes.ts. */
const [LIVE, DEAD] = [1, 2];
/** assembly/memory/state.ts and src/base/create.ts. */
const SEED = 42;

export interface GraphShape {
  /** Whose file it is, as errors name it. */
  readonly format: string;
  readonly metric: Metric;
  readonly dimensions: number;
  /** Links at most on layers above 0, and on layer 0; as many are kept as both need. */
  readonly links: number;
  readonly links0: number;
  readonly efConstruction: number | undefined;
  /** Of searches that do not say. Default 64. */
  readonly ef: number | undefined;
  readonly maxBytes: number | undefined;
  /** Of each node its highest layer. */
  readonly levels: Uint8Array;
  /** Of each node its id: those of live ones different. Undefined: its number. */
  readonly ids: Uint32Array | undefined;
  /** 1 of each node that was removed: walked through, never found. */
  readonly deleted: Uint8Array | undefined;
  /** Where walks begin, a node of the highest layer; undefined where there is no node. */
  readonly entry: number | undefined;
  /** The codec and its options, where rows are its codes and not setRow()'s. */
  readonly codec?: Partial<State>;
}

/** Highest layers that an index has; whoever is higher ends there, and `cut` counts them. */
export function cutLevels(levels: ArrayLike<number>): { levels: Uint8Array; cut: number } {
  let cut = 0;
  const low = Uint8Array.from(levels, (level) => {
    if (level > MAX_LEVEL) cut++;
    return Math.min(level, MAX_LEVEL);
  });
  return { levels: low, cut };
}

/** Labels as ids where they are different integers that ids can be; else undefined, and ids are numbers of nodes. */
export function idsFrom(labels: BigUint64Array, deleted: Uint8Array | undefined): Uint32Array | undefined {
  const ids = new Uint32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    if (deleted?.[i]) continue;
    if (labels[i] >= NONE) return undefined;
    ids[i] = Number(labels[i]);
  }
  const live = deleted ? ids.filter((_, i) => !deleted[i]) : ids.slice();
  live.sort();
  return live.some((id, i) => i > 0 && id === live[i - 1]) ? undefined : ids;
}

/** A graph on its way into an index: every row and all links once, in any order, then finish(). */
export class GraphAssembly {
  readonly #shape: GraphShape;
  readonly #engine: Engine;
  readonly #parts = new Map<string, Part>();
  readonly #m: number;
  readonly #row: Float32Array;
  readonly #rowBits: Uint32Array;
  readonly #dense: boolean;
  /** Of each node its first record. */
  readonly #records: Uint32Array;

  private constructor(shape: GraphShape, engine: Engine, records: Uint32Array) {
    this.#shape = shape;
    this.#engine = engine;
    for (const part of engine.parts()) this.#parts.set(part.tag, part);
    this.#m = engine.state("m");
    this.#row = new Float32Array(shape.dimensions);
    this.#rowBits = new Uint32Array(this.#row.buffer);
    this.#dense = METRICS[shape.metric].packed !== true;
    this.#records = records;
  }

  /** An engine with room for the graph. Errors: BAD_FILE for what no index can be, BAD_OPTION, OUT_OF_MEMORY. */
  static async open(shape: GraphShape): Promise<GraphAssembly> {
    const { format, levels } = shape;
    if (levels.length > MAX_SLOTS) throw unsupported(format, `${levels.length} vectors (an index holds ${MAX_SLOTS})`);
    const records = new Uint32Array(levels.length);
    let count = 0;
    levels.forEach((level, slot) => {
      records[slot] = count;
      count += level;
    });
    const state = stateOf(shape);
    checkState(state, Number.POSITIVE_INFINITY);
    const engine = await newEngine(stateBytes(state), maxBytesOf(shape));
    engine.done(engine.exports.restore(levels.length, count));
    const assembly = new GraphAssembly(shape, engine, records);
    assembly.#placeNodes();
    return assembly;
  }

  /** A node's highest layer. */
  levelOf(slot: number): number {
    return this.#shape.levels[slot];
  }

  /** Columns that say who is there; links are empty until they are set. */
  #placeNodes(): void {
    const { levels, ids, deleted } = this.#shape;
    for (let slot = 0; slot < levels.length; slot++) {
      const gone = deleted?.[slot] === 1;
      this.#setWord("ids ", slot, ids === undefined || gone ? slot : ids[slot]);
      this.#engine.u8()[this.#at("life", slot)] = gone ? DEAD : LIVE;
      this.#setWord("towr", slot, ((this.#records[slot] << LEVEL_BITS) | levels[slot]) >>> 0);
      for (let layer = 0; layer <= levels[slot]; layer++) {
        const at = this.#linksAt(layer, slot);
        this.#engine.u8().fill(0xff, at, at + 4 * this.#limit(layer));
      }
    }
  }

  /** For codes, which their codec's reader writes. */
  get engine(): Engine {
    return this.#engine;
  }

  /** A node's vector: `dimensions` values, or under hamming their bits, eight to the byte, the first the lowest. */
  setRow(slot: number, values: ArrayLike<number>): void {
    const at = this.#at("code", slot);
    this.#engine.u8().fill(0, at, at + this.#strideOf("code"));
    if (this.#dense) this.#placeHalves(slot, values, at);
    else this.#engine.u8().set(values, at);
  }

  /** Upper and lower halves of each value, as assembly/codec/split.ts encodes it. */
  #placeHalves(slot: number, values: ArrayLike<number>, at: number): void {
    this.#row.set(values);
    const { length } = this.#row;
    if (this.#shape.metric === "cosine") this.#toUnit(slot);
    const halves = new Uint16Array(this.#engine.u8().buffer, at, this.#strideOf("code") / 2);
    const lower = halves.length / 2;
    for (let i = 0; i < length; i++) {
      const bits = this.#rowBits[i];
      halves[i] = (bits + 0x8000) >>> 16;
      halves[lower + i] = bits;
    }
  }

  #toUnit(slot: number): void {
    const row = this.#row;
    let squared = 0;
    for (let i = 0; i < row.length; i++) squared += row[i] * row[i];
    const norm = Math.sqrt(squared);
    if (norm > 0 && norm < Infinity) for (let i = 0; i < row.length; i++) row[i] *= 1 / norm;
    this.#engine.f32()[this.#at("norm", slot) >>> 2] = norm;
  }

  /** A node's links on a layer, nearest first. */
  setLinks(layer: number, slot: number, links: ArrayLike<number>): void {
    const { levels, format } = this.#shape;
    const fail = (why: string): Error => badFile(format, `node ${slot}, layer ${layer}: ${why}`);
    if (links.length > this.#limit(layer)) throw fail(`${links.length} links, of ${this.#limit(layer)} at most`);
    const words = this.#engine.u32();
    const at = this.#linksAt(layer, slot) >>> 2;
    for (let i = 0; i < links.length; i++) {
      const to = links[i];
      if (!(to < levels.length)) throw fail(`a link to node ${to} of ${levels.length}`);
      if (to === slot) throw fail("a link to itself");
      if (levels[to] < layer) throw fail(`a link to node ${to}, whose highest layer is ${levels[to]}`);
      words[at + i] = to;
    }
  }

  /** The index, checked as a whole. Errors: BAD_FILE. */
  async finish(): Promise<Hnsw> {
    const engine = this.#engine;
    if (!engine.exports.isValid()) {
      throw badFile(
        this.#shape.format,
        "its rows or its graph are none that can be searched (a value that is no number, an entry that is no node of the highest layer)",
      );
    }
    return wrap(await prepared(engine, undefined)) as Hnsw;
  }

  #limit(layer: number): number {
    return layer === 0 ? 2 * this.#m : this.#m;
  }

  #linksAt(layer: number, slot: number): number {
    return layer === 0 ? this.#at("link", slot) : this.#at("uppr", this.#records[slot] + layer - 1);
  }

  #strideOf(tag: string): number {
    return (this.#parts.get(tag) as Part).stride;
  }

  #at(tag: string, slot: number): number {
    const { store, index } = this.#parts.get(tag) as Part;
    return this.#engine.exports.columnAt(store as number, index, slot) >>> 0;
  }

  #setWord(tag: string, slot: number, value: number): void {
    this.#engine.u32()[this.#at(tag, slot) >>> 2] = value;
  }
}

function stateOf(shape: GraphShape): State {
  const { format, metric, dimensions, links, links0, efConstruction, levels, ids, deleted, entry } = shape;
  const [leastM, mostM] = HNSW.m.range;
  const m = Math.max(links, Math.ceil(links0 / 2), leastM);
  if (m > mostM) throw unsupported(format, `nodes of ${Math.max(links, links0)} links (an index has ${2 * mostM} at most)`);
  if (!(dimensions >= LIMITS.dimensions[0] && dimensions <= LIMITS.dimensions[1])) {
    throw unsupported(format, `vectors of ${dimensions} dimensions (an index has ${LIMITS.dimensions[1]} at most)`);
  }
  const ef = shape.ef ?? HNSW.ef.usual;
  if (!Number.isInteger(ef) || ef < 1 || ef > NONE) throw badOption(`ef is ${ef}; it must be an integer from 1 to ${NONE}`);
  const [least, most] = HNSW.efConstruction.range;
  let [dead, last, identity] = [0, -1, true];
  for (let slot = 0; slot < levels.length; slot++) {
    const id = ids?.[slot] ?? slot;
    if (deleted?.[slot]) dead++;
    else if (id > last) last = id;
    identity &&= deleted?.[slot] === 1 || id === slot;
  }
  const codec = METRICS[metric].codecs[0];
  return {
    ...EMPTY,
    ...FRESH,
    seed: SEED,
    kind: KIND_NAMES.indexOf("hnsw"),
    metric: METRIC_NAMES.indexOf(metric),
    codec: CODEC_NAMES.indexOf(codec),
    dimensions,
    rerank: 0,
    rerankFactor: codec === "f32" ? SPLIT_RERANK : CODECS[codec].rerankFactor,
    m,
    efConstruction: Math.min(Math.max(efConstruction ?? HNSW.efConstruction.usual, least), most),
    effort: ef,
    nextId: last + 1,
    live: levels.length - dead,
    dead,
    identity: Number(identity),
    ...shape.codec,
    entry: entry ?? NONE,
    topLevel: entry === undefined ? 0 : (levels[entry] ?? 0),
  };
}
