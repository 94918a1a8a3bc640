// The graph of an Hnsw as an IndexHNSW has it: graph.ts has the layout. Equal vectors, of which an Hnsw links the first alone and hangs the
// others on it (assembly/family/graph/twins.ts), become nodes: each links to the one before it, the one after it, and where the first links to.
import { badOption } from "../../words/errors.js";
import { NONE } from "../../words/state.js";
import type { Sections } from "./sections.js";
import type { Writing } from "./writing.js";

/** The tower column: assembly/family/graph/graph.ts. */
const MAX_LEVEL = 15;
const TWIN = 16;
const LEVEL_BITS = 5;
/** Levels rarer than this are not foreseen in a file. */
const RAREST = 1e-9;

export function writeGraph(file: Writing, sections: Sections): void {
  const { m, entry, topLevel, efConstruction, effort, pending } = sections.state;
  if (pending > 0)
    throw badOption(`${pending} vectors are not linked yet: addAll() them, or compact() the index, before it is written`);
  const graph = new Towers(sections);
  const levels = Int32Array.from({ length: sections.slots }, (_, slot) => graph.topOf(slot) + 1);
  const chances = chancesOf(m, topLevel);
  file.vector(chances);
  file.vector(Int32Array.from({ length: chances.length + 1 }, (_, level) => (level === 0 ? 0 : (level + 1) * m)));
  file.vector(levels);
  const offsets = new BigUint64Array(sections.slots + 1);
  levels.forEach((layers, slot) => void (offsets[slot + 1] = offsets[slot] + BigInt((layers + 1) * m)));
  file.vector(offsets);
  const links = new Int32Array(Number(offsets[sections.slots])).fill(-1);
  for (let slot = 0; slot < sections.slots; slot++) {
    for (let layer = 0, at = Number(offsets[slot]); layer < levels[slot]; at += layer++ === 0 ? 2 * m : m) {
      links.set(graph.links(layer, slot), at);
    }
  }
  file.vector(links);
  for (const value of [
    entry === NONE ? -1 : entry,
    entry === NONE ? -1 : topLevel,
    efConstruction,
    effort === NONE ? 2 ** 31 - 1 : effort,
    1,
  ]) {
    file.i32(Math.min(value, 2 ** 31 - 1));
  }
}

/** How likely a node is on each level and on none above, M^-level (1 - 1 / M), rounded where Faiss does. */
function chancesOf(m: number, topLevel: number): Float64Array {
  const scale = Math.fround(1 / Math.log(m));
  const chances: number[] = [];
  for (let level = 0; ; level++) {
    const chance = Math.fround(Math.exp(Math.fround(-level / scale)) * (1 - Math.exp(Math.fround(-1 / scale))));
    if (chance < RAREST && level > topLevel) return Float64Array.from(chances);
    chances.push(chance);
  }
}

export class Towers {
  readonly #sections: Sections;
  readonly #towers: Uint32Array;
  readonly #base: Uint32Array;
  readonly #upper: Uint32Array;
  readonly #m: number;
  /** Of a node its first twin, of a twin the next; none where there are no twins. */
  readonly #next: Uint32Array | undefined;
  /** Of a twin the one before it, or its node. */
  readonly #before = new Map<number, number>();

  constructor(sections: Sections) {
    this.#sections = sections;
    this.#towers = sections.u32s("towr");
    this.#base = sections.u32s("link");
    this.#upper = sections.u32s("uppr");
    this.#m = sections.state.m;
    this.#next = sections.has("twin") ? sections.u32s("twin") : undefined;
    this.#next?.forEach((twin, slot) => {
      if (twin !== NONE) this.#before.set(twin, slot);
    });
  }

  topOf(slot: number): number {
    return this.#towers[slot] & MAX_LEVEL;
  }

  /** A node's links, twins' as said above. */
  links(layer: number, slot: number): Uint32Array {
    if (!this.#next || layer > 0) return this.#own(layer, slot);
    const twin = (this.#towers[slot] & TWIN) !== 0;
    const host = twin ? this.#base[slot * 2 * this.#m] : slot;
    const near = [this.#before.get(slot), this.#next[slot]].filter((one) => one !== undefined && one !== NONE) as number[];
    const own = this.#own(0, host).filter((to) => to !== slot && !near.includes(to));
    return Uint32Array.from([...near, ...own]).subarray(0, 2 * this.#m);
  }

  #own(layer: number, slot: number): Uint32Array {
    const most = layer === 0 ? 2 * this.#m : this.#m;
    const record = (this.#towers[slot] >>> LEVEL_BITS) + layer - 1;
    const stride = layer === 0 ? most : this.#sections.stride("uppr") / 4;
    const at = layer === 0 ? slot * stride : record * stride;
    const all = (layer === 0 ? this.#base : this.#upper).subarray(at, at + most);
    const end = all.indexOf(NONE);
    return end < 0 ? all : all.subarray(0, end);
  }
}
