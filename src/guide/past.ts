// What an index was like when it was last found well, so that doctor() can say what has become of it. It lies in the last bytes of the state
// (assembly/memory/state.ts), and so in the file: zeros where nothing is kept, as in files of before. Lists that are learned anew, and a graph
// that compact() links anew, are others: their past is forgotten.
//
//   k u32, 0: nothing | effort u32 | size u32 | of given queries u32 | recall f32 | imbalance f32 | to centroid f32 | coding error f32

import { seatOf } from "../base/seat-of.js";
import type { VectorIndex } from "../base/vector-index.js";
import { STATE_BYTES } from "../words/state.js";

const WORDS = 8;
const AT = STATE_BYTES - 4 * WORDS;

/** What lists and codes are like; 0 of what has none. */
export interface Shape {
  /** A search by lists looks at so many times as many vectors as if all lists were of one length: n sum(l^2) / sum(l)^2 (Faiss's measure). */
  imbalance: number;
  /** Mean distance of vectors to the nearest centroid: Euclidean, under cosine 1 - cos. */
  toCentroid: number;
  /** Mean squared error of vectors, coded and decoded, over their squared length; of codes beside kept rows. */
  codingError: number;
}

export interface Past extends Shape {
  k: number;
  /** The default that searches had; 0 of what has none. */
  effort: number;
  size: number;
  /** Whether the recall is of queries that were given; else of the index's own vectors. */
  given: boolean;
  recall: number;
}

export function pastOf(index: VectorIndex): Past | undefined {
  const words = seatOf(index).engine.copyState().subarray(AT).slice().buffer;
  const [k, effort, size, given] = new Uint32Array(words);
  const [recall, imbalance, toCentroid, codingError] = new Float32Array(words, 16);
  const real = [recall, imbalance, toCentroid, codingError].every((value) => value >= 0 && value < Number.POSITIVE_INFINITY);
  // A file may say anything.
  if (k === 0 || size === 0 || recall > 1 || !real) return undefined;
  return { k, effort, size, given: given === 1, recall, imbalance, toCentroid, codingError };
}

/** Of fewer vectors for each of k searches find all, whatever the effort: that is no measure of what comes later. */
const LEAST = 10;

/** `shape`: undefined of what has neither lists nor codebooks. */
export function keepPast(index: VectorIndex, facts: Omit<Past, keyof Shape>, shape: Shape | undefined): void {
  if (facts.size < LEAST * facts.k) return;
  const { engine } = seatOf(index);
  const state = engine.copyState();
  const { k, effort, size, given, recall } = facts;
  const { imbalance, toCentroid, codingError } = shape ?? { imbalance: 0, toCentroid: 0, codingError: 0 };
  const words = new Uint32Array(WORDS);
  words.set([k, effort, size, Number(given)]);
  new Float32Array(words.buffer).set([recall, imbalance, toCentroid, codingError], 4);
  state.set(new Uint8Array(words.buffer), AT);
  engine.writeState(state);
}
