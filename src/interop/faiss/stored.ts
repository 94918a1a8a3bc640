// Codes of Faiss as rows of an index. Where a codec of ours means the same by a code, codes go over as they are: f32; f16, bf16; bytes on one scale, as sq8;
// product codes of 8 bits, with their codebooks, centroids taken away and rotation, and of 4 bits as half as many of 8. Else vectors are decoded, and kept
// as f32.
import type { Engine } from "../../border/engine.js";
import { CODEC_NAMES, CODECS, type Codec, DOT_METRICS, type Metric, ROTATE_NAMES } from "../../words/kinds.js";
import type { State } from "../../words/state.js";
import { fillColumn, fillTable, fillWords } from "../columns.js";
import { decoderOf, type ProductCoder, type ScalarCoder } from "./coders.js";
import type { Codes } from "./codes.js";
import { type Linear, turnedBack } from "./transforms.js";

export interface Source {
  readonly metric: Metric;
  /** Of the rows to be, which are `turn`ed back where that is given. */
  readonly dimensions: number;
  readonly n: number;
  readonly codes: Codes;
  /** The centroid that code i is relative to. */
  readonly centroidOf?: (i: number) => Float32Array;
  /** A rotation: codes are of vectors that it has turned. */
  readonly turn?: Linear;
}

export interface Stored {
  readonly state: Partial<State>;
  /** Where rows are not as in the file. */
  readonly note?: string;
  /** Writes the columns and tables of vectors; slot s has vector place(s), or none: -1. */
  fill(engine: Engine, place: (slot: number) => number): void;
  /** The vector of a decoded row. */
  readonly row?: (i: number) => Float32Array;
}

const codecState = (codec: Codec, own: Partial<State> = {}): Partial<State> => ({
  codec: CODEC_NAMES.indexOf(codec),
  rerankFactor: CODECS[codec].rerankFactor,
  ...own,
});

export function storedOf(source: Source): Stored {
  const { coder } = source.codes;
  const plain = !source.centroidOf && !source.turn;
  if (coder.type === "sq" && plain) {
    if (coder.scalar === "fp16") return copied(source, "f16");
    if (coder.scalar === "bf16") return copied(source, "bf16");
    const scale = oneScale(coder);
    const whole = coder.scalar.startsWith("8bit_direct");
    if (scale)
      return {
        ...scaled(source, scale),
        ...(whole && { note: "Faiss drops the fractions of queries on bytes; here they count" }),
      };
  }
  const book =
    coder.type === "pq" && !source.turn?.bias && DOT_METRICS.includes(source.metric as "l2") ? bookOf(coder) : undefined;
  return book ? product(source, book) : decoded(source);
}

/** Copies codes of `codeBytes` into rows of a column. */
function copyCodes(engine: Engine, { codes, n }: Source, place: (slot: number) => number): void {
  const { bytes, at, coder } = codes;
  fillColumn(engine, "code", (first, out) => {
    const stride = strideOf(engine);
    for (let slot = first, to = 0; to < out.length; slot++, to += stride) {
      const i = place(slot);
      if (i >= 0 && i < n) out.set(bytes.subarray(at(i), at(i) + coder.codeBytes), to);
    }
  });
}

function strideOf(engine: Engine): number {
  return engine.parts().find(({ tag }) => tag === "code")?.stride as number;
}

function copied(source: Source, codec: Codec): Stored {
  return { state: codecState(codec), fill: (engine, place) => copyCodes(engine, source, place) };
}

interface Scale {
  readonly low: number;
  readonly step: number;
}

/** That of bytes which all dimensions share. */
function oneScale({ scalar, least, span }: ScalarCoder): Scale | undefined {
  if (scalar === "8bit_direct") return { low: 0, step: 1 };
  if (scalar === "8bit_direct_signed") return { low: -128, step: 1 };
  if (scalar !== "8bit_uniform") return undefined;
  const step = Math.fround(span[0] / 255);
  return step > 0 ? { low: Math.fround(least[0] + span[0] / 510), step } : undefined;
}

/** As assembly/codec/sq8.ts: bytes, and beside them [low f32][step f32][squared length f64]. */
function scaled(source: Source, { low, step }: Scale): Stored {
  const { bytes, at } = source.codes;
  const { dimensions } = source;
  const fill = (engine: Engine, place: (slot: number) => number): void => {
    copyCodes(engine, source, place);
    fillColumn(engine, "aux ", (first, out) => {
      const view = new DataView(out.buffer, out.byteOffset, out.length);
      for (let slot = first, to = 0; to < out.length; slot++, to += 16) {
        const i = place(slot);
        if (i < 0) continue;
        let squared = 0;
        for (let p = at(i), end = p + dimensions; p < end; p++) {
          const value = low + step * bytes[p];
          squared += value * value;
        }
        view.setFloat32(to, low, true);
        view.setFloat32(to + 4, step, true);
        view.setFloat64(to + 8, squared, true);
      }
    });
  };
  return { state: codecState("sq8"), fill };
}

/** Parts of 8 bits. */
type Book = Pick<ProductCoder, "m" | "centroids">;

/**
 * A codebook of bytes. Two numbers of 4 bits are one byte in codes of Faiss, so that they are the number of one of 256 centroids of two parts: by 8 bits a
 * search adds up what the codebook says, where by 4 it would add up rounded numbers.
 */
function bookOf({ m, bits, centroids }: ProductCoder): Book | undefined {
  if (bits === 8) return { m, centroids };
  if (bits !== 4 || m % 2 !== 0) return undefined;
  const part = centroids.length / (16 * m);
  const pairs = new Float32Array(centroids.length * 16);
  for (let pair = 0, to = 0; pair < m; pair += 2) {
    for (let code = 0; code < 256; code++, to += 2 * part) {
      const low = (pair * 16 + (code & 15)) * part;
      const high = ((pair + 1) * 16 + (code >> 4)) * part;
      pairs.set(centroids.subarray(low, low + part), to);
      pairs.set(centroids.subarray(high, high + part), to + part);
    }
  }
  return { m: m / 2, centroids: pairs };
}

/** As assembly/codec/pq.ts. */
function product(source: Source, book: Book): Stored {
  const { dimensions, turn } = source;
  const rotate = ROTATE_NAMES.indexOf(turn ? "opq" : "none");
  const state = codecState("pq", { pqM: book.m, codeBits: 8, rotate, residual: source.centroidOf ? 1 : 0 });
  const fill = (engine: Engine, place: (slot: number) => number): void => {
    copyCodes(engine, source, place);
    fillLengths(engine, source);
    fillTable(engine, "book", acrossCentroids(book, dimensions), 4);
    if (turn) fillTable(engine, "rota", turn.matrix, dimensions);
  };
  return { state, fill };
}

/** Codebooks with all centroids' values of a dimension together. */
function acrossCentroids({ m, centroids }: Book, d: number): Float32Array {
  const part = d / m;
  const book = new Float32Array(centroids.length);
  for (let j = 0, from = 0; j < m; j++) {
    for (let c = 0; c < 256; c++) for (let i = 0; i < part; i++) book[(j * part + i) * 256 + c] = centroids[from++];
  }
  return book;
}

/** 1 as f32: the length of rows that have come without. */
const ONE = 0x3f800000;

function fillLengths(engine: Engine, { metric }: Source): void {
  if (metric === "cosine") fillWords(engine, "norm", () => ONE);
}

/** A vector of no length stays. */
function toUnit(vector: Float32Array): void {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i] /= length;
}

/** Codes that are decoded, as notes say it. */
const WHAT = { f32: undefined, pq: "product codes", rabitq: "RaBitQ codes" };

function decoded(source: Source): Stored {
  const { codes, dimensions, centroidOf, turn } = source;
  const inner = turn?.dOut ?? dimensions;
  const decode = decoderOf(codes.coder, inner);
  const vector = new Float32Array(inner);
  const back = new Float64Array(dimensions);
  const row = (i: number): Float32Array => {
    decode(codes.bytes, codes.at(i), vector);
    if (centroidOf) {
      const centroid = centroidOf(i);
      for (let j = 0; j < inner; j++) vector[j] += centroid[j];
    }
    if (source.metric === "cosine") toUnit(vector);
    if (!turn) return vector;
    turnedBack(turn, vector, back);
    return Float32Array.from(back);
  };
  const fill = (engine: Engine, place: (slot: number) => number): void => {
    const stride = strideOf(engine) / 4;
    fillColumn(engine, "code", (first, out) => {
      const rows = new Float32Array(out.buffer, out.byteOffset, out.length / 4);
      for (let slot = first, to = 0; to < rows.length; slot++, to += stride) if (place(slot) >= 0) rows.set(row(place(slot)), to);
    });
    fillLengths(engine, source);
  };
  const { coder } = codes;
  const what = coder.type === "sq" ? `QT_${coder.scalar}` : WHAT[coder.type];
  return {
    state: codecState("f32"),
    ...(what && {
      note: `codes (${what}) are decoded: rows are f32, of ${4 * dimensions} bytes in place of ${coder.codeBytes}`,
    }),
    fill,
    row,
  };
}
