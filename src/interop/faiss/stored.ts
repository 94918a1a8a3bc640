// Codes of Faiss as rows of an index. Where a codec of ours means the same by a code, codes go over as they are: f32; f16, bf16; bytes on one scale, as sq8;
// product codes of 8 and 4 bits, with their codebooks, centroids taken away and rotation. Else vectors are decoded, and kept as f32.
import type { Engine } from "../../border/engine.js";
import { CODEC_NAMES, CODECS, type Codec, DOT_METRICS, type Metric, ROTATE_NAMES } from "../../words/kinds.js";
import type { State } from "../../words/state.js";
import { fillColumn, fillTable } from "../columns.js";
import { decoderOf, type ProductCoder, type ScalarCoder } from "./coders.js";
import type { Codes } from "./parts.js";
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
  /** Whether 32 codes are scanned at a time: in no graph. */
  readonly packed: boolean;
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
  const learned = coder.type === "pq" && (coder.bits === 8 || coder.bits === 4) && !source.turn?.bias;
  if (learned && DOT_METRICS.includes(source.metric as "l2")) return product(source, coder);
  return decoded(source);
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

/** As assembly/codec/pq.ts. */
function product(source: Source, coder: ProductCoder): Stored {
  const { dimensions, turn, packed } = source;
  const { m, bits } = coder;
  const state = codecState("pq", {
    pqM: m,
    codeBits: bits,
    rotate: ROTATE_NAMES.indexOf(turn ? "opq" : "none"),
    residual: source.centroidOf ? 1 : 0,
  });
  const fill = (engine: Engine, place: (slot: number) => number): void => {
    if (bits === 4 && packed) packNibbles(engine, source, m, place);
    else copyCodes(engine, source, place);
    fillTable(engine, "book", acrossCentroids(coder, dimensions), 4);
    if (turn) fillTable(engine, "rota", turn.matrix, dimensions);
  };
  return { state, fill };
}

/** Codebooks with all centroids' values of a dimension together. */
function acrossCentroids({ m, bits, centroids }: ProductCoder, d: number): Float32Array {
  const [count, part] = [2 ** bits, d / m];
  const book = new Float32Array(d * count);
  for (let j = 0, from = 0; j < m; j++) {
    for (let c = 0; c < count; c++) for (let i = 0; i < part; i++) book[(j * part + i) * count + c] = centroids[from++];
  }
  return book;
}

/** Nibble j of 32 slots in 16 bytes, slots 16 to 31 in the high halves (assembly/memory/store.ts). */
function packNibbles(engine: Engine, { codes }: Source, m: number, place: (slot: number) => number): void {
  const { bytes, at } = codes;
  fillColumn(engine, "code", (first, out) => {
    const groupBytes = 32 * strideOf(engine);
    for (let slot = first, n = (out.length / groupBytes) * 32; slot < first + n; slot++) {
      const i = place(slot);
      if (i < 0) continue;
      const group = ((slot - first) >> 5) * groupBytes + (slot & 15);
      for (let j = 0; j < m; j++) {
        const code = (bytes[at(i) + (j >> 1)] >> ((j & 1) << 2)) & 15;
        out[group + (j << 4)] |= code << ((slot & 16) >> 2);
      }
    }
  });
}

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
  };
  const { type } = codes.coder;
  const what = { f32: undefined, sq: "a range of its own for each dimension", pq: "product codes", rabitq: "RaBitQ codes" }[type];
  return {
    state: codecState("f32"),
    ...(what && {
      note: `codes (${what}) are decoded: rows are f32, of ${4 * dimensions} bytes in place of ${codes.coder.codeBytes}`,
    }),
    fill,
    row,
  };
}
