// The graph of an Hnsw, out of its sections (assembly/family/graph/graph.ts). Equal vectors, of which an Hnsw links the first alone and hangs the others
// on it (twins.ts), are nodes like others here: each links to the one before it, the one after it, and where the first links to.
import { NONE } from "../words/state.js";
import type { Sections } from "./sections.js";

/** The tower column. */
const MAX_LEVEL = 15;
const TWIN = 16;
const LEVEL_BITS = 5;

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
      if (twin !== NONE && this.#isTwin(twin)) this.#before.set(twin, slot);
    });
  }

  /** The highest layer of a node that walks come to: of a twin 0, and the graph may have had more layers once. */
  topOf(slot: number): number {
    return this.#isTwin(slot) ? 0 : Math.min(this.#towers[slot] & MAX_LEVEL, this.#sections.state.topLevel);
  }

  /** A node's links, twins' as said above: where there is no room for all, a node leaves its last out, which its first twin has. */
  links(layer: number, slot: number): Uint32Array {
    if (!this.#next || layer > 0) return this.#own(layer, slot);
    const host = this.#isTwin(slot) ? this.#base[slot * 2 * this.#m] : slot;
    const near = [this.#before.get(slot), this.#next[slot]].filter((one) => one !== undefined && one !== NONE) as number[];
    const own = this.#own(0, host).filter((to) => to !== slot && !near.includes(to));
    const room = 2 * this.#m - near.length;
    const kept = this.#isTwin(slot) ? own.slice(-room) : own.slice(0, room);
    return Uint32Array.from([...near, ...kept]);
  }

  #isTwin(slot: number): boolean {
    return (this.#towers[slot] & TWIN) !== 0;
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
