// The lists that are published: centroids learned and rounded to what the head has of them, brought into their order, and then the
// codes of all vectors beside them.

import { seatOf } from "../base/seat-of.js";
import type { Engine } from "../border/engine.js";
import type { FullExports } from "../border/exports.js";
import type { Flat } from "../family/flat.js";
import { Ivf } from "../family/ivf.js";
import { NONE } from "../words/state.js";
import { AUX_BYTES, readScaled, SCALE_BYTES, viewOf, writeScaled } from "./format.js";
import { CENTROIDS, columnOf, ownerOf, writeCentroids } from "./lists.js";
import type { Tell } from "./source.js";
import { tourOf } from "./tour.js";

const GROUP = 32;
/** Of assembly/table/nodes.ts. */
const COLUMN_ID = 0;
const COLUMN_STAGE = 1;
const LIVE = 1;
/** Vectors per list that centroids are learned from, at most. */
const SAMPLE_PER_LIST = 64;
/** Vectors coded at a time. */
const CHUNK = 1024;

export interface Learned {
  /** The state of assembly/memory/state.ts, of nothing in the lists. */
  readonly state: Uint8Array;
  /** As the head has them. */
  readonly centroids: Uint8Array;
  readonly codeBytes: number;
  /** Per list its vectors, by their numbers in the source. */
  readonly members: readonly number[][];
  /** Writes the codes of a list to a block of the data. */
  readonly codes: (list: number) => Uint8Array;
  close(): void;
}

export interface LearnOptions {
  readonly lists: number;
  readonly bits: number;
  readonly seed: number;
}

export async function learnLists(
  rows: Flat,
  { lists, bits, seed }: LearnOptions,
  tell: Tell,
  signal: AbortSignal | undefined,
): Promise<Learned> {
  const { dimensions, metric, size: n } = rows;
  tell(0, 2 * n);
  const ivf = await Ivf.create({ dimensions, metric, nlist: lists, codec: { type: "rabitq", bits }, coarse: "exact", seed });
  const points = Math.min(n, lists * SAMPLE_PER_LIST);
  const sample = new Float32Array(points * dimensions);
  for (let i = 0; i < points; i++) sample.set(rows.get(Math.floor((i * n) / points)) as Float32Array, i * dimensions);
  await ivf.train(sample, {
    signal,
    onProgress: ({ done, total }: { done: number; total: number }) => tell((done / total) * n, 2 * n),
  });
  const { engine } = seatOf(ivf);
  const centroids = roundedCentroids(engine);
  engine.setState("filling", 1); // lists stay as they are now
  const chunk = new Float32Array(CHUNK * dimensions);
  async function* chunks(): AsyncGenerator<Float32Array> {
    for (let from = 0; from < n; from += CHUNK) {
      const to = Math.min(from + CHUNK, n);
      for (let i = from; i < to; i++) chunk.set(rows.get(i) as Float32Array, (i - from) * dimensions);
      yield chunk.subarray(0, (to - from) * dimensions);
    }
  }
  await ivf.addAll(chunks(), { signal, onProgress: ({ done }: { done: number }) => tell(n + done, 2 * n) });
  engine.setState("filling", 0);
  const slots = slotsOf(engine);
  const members = slots.map((list) => list.map((slot) => engine.u32()[engine.exports.columnAt(0, COLUMN_ID, slot) >>> 2]));
  const code = columnOf(engine, "code");
  return {
    state: engine.copyState(),
    centroids,
    codeBytes: engine.exports.columnStride(0, code),
    members,
    codes: (list) => codesOf(engine, slots[list]),
    close: () => ivf.close(),
  };
}

/** Brings the engine's centroids into an order, and to the values that they have in the head; returns them as there. */
function roundedCentroids(engine: Engine): Uint8Array {
  const [lists, dimensions] = [engine.state("nlist"), engine.state("dimensions")];
  const table = engine.tables().find(({ tag }) => tag === CENTROIDS) as { address: number; bytes: number };
  const learned = new Float32Array(lists * dimensions);
  for (let i = 0; i < lists; i++)
    learned.set(engine.copyF32(table.address + (i * table.bytes) / lists, dimensions), i * dimensions);
  const stride = SCALE_BYTES + dimensions;
  const scaled = new Uint8Array(lists * stride);
  const rounded = new Float32Array(lists * dimensions);
  for (const [i, list] of tourOf(learned, dimensions).entries()) {
    writeScaled(learned.subarray(list * dimensions, (list + 1) * dimensions), scaled, i * stride);
    readScaled(scaled, i * stride, dimensions, rounded, i * dimensions);
  }
  writeCentroids(engine, rounded);
  (engine.exports as FullExports).finishTables();
  return scaled;
}

/** Per list the slots that it has in use. */
function slotsOf(engine: Engine): number[][] {
  const { exports } = engine;
  const lists = Array.from({ length: engine.state("nlist") }, (): number[] => []);
  for (let slot = 0, n = exports.storeCount(0); slot < n; slot++) {
    if (engine.u8()[exports.columnAt(0, COLUMN_STAGE, slot) >>> 0] !== LIVE) continue;
    const owner = engine.u32()[ownerOf(engine, Math.floor(slot / GROUP)) >>> 2];
    if (owner !== NONE) lists[owner].push(slot);
  }
  return lists;
}

/** The codes of some slots, as format.ts has them. */
function codesOf(engine: Engine, slots: readonly number[]): Uint8Array {
  const { exports } = engine;
  const [code, aux] = [columnOf(engine, "code"), columnOf(engine, "aux ")];
  const codeBytes = exports.columnStride(0, code);
  const n = slots.length;
  const block = new Uint8Array(n * (AUX_BYTES + codeBytes));
  const view = viewOf(block);
  const [u8, f32] = [engine.u8(), engine.f32()];
  for (const [i, slot] of slots.entries()) {
    const lane = slot & (GROUP - 1);
    const floats = (exports.columnAt(0, aux, slot - lane) >>> 2) + lane;
    view.setFloat32(4 * i, f32[floats], true);
    view.setFloat32(4 * (n + i), f32[floats + GROUP], true);
    const shift = (lane >> 2) & 4;
    let from = (exports.columnAt(0, code, slot - lane) >>> 0) + (lane & 15);
    for (let to = AUX_BYTES * n + i * codeBytes, end = to + codeBytes; to < end; to++, from += 32) {
      block[to] = ((u8[from] >> shift) & 15) | (((u8[from + 16] >> shift) & 15) << 4);
    }
  }
  return block;
}
