// The graph of an Hnsw as an IndexHNSW has it: graph.ts has the layout.
import { badOption } from "../../words/errors.js";
import { NONE } from "../../words/state.js";
import type { Sections } from "../sections.js";
import { Towers } from "../towers.js";
import type { Writing } from "./writing.js";

/** Levels rarer than this are not foreseen in a file. */
const RAREST = 1e-9;

export function writeGraph(file: Writing, sections: Sections): void {
  const { m, entry, topLevel, efConstruction, effort, pending } = sections.state;
  if (pending > 0) throw badOption(`${pending} vectors are not linked yet: await index.addAll([]) before it is written`);
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
