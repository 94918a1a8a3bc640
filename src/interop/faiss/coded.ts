// Rows of ours as codes of Faiss, in an order of slots: what a code means, as IndexIVF* and Index* have it in front of their codes, and the codes.
import { badOption } from "../../words/errors.js";
import { CODEC_NAMES, type Codec, ROTATE_NAMES } from "../../words/kinds.js";
import type { Sections } from "../sections.js";
import { viewOf } from "../view-of.js";
import type { Writing } from "./writing.js";

/** QT_* of Faiss. */
const [QT_8BIT, QT_FP16, QT_BF16] = [0, 4, 7];
const HALVES: Partial<Record<Codec, number>> = { f16: QT_FP16, bf16: QT_BF16 };

export interface Coded {
  readonly codec: "f32" | "sq" | "pq";
  readonly codeBytes: number;
  /** The code of vector i, good until the next call. */
  readonly code: (i: number) => Uint8Array;
  /** Writes what codes mean. */
  meaning(file: Writing): void;
}

const PIECE_BYTES = 1 << 20;

/** Codes one after the other: of vectors 0, 1, 2, ... or of those that are said. */
export function* inPieces({ codeBytes, code }: Coded, count: number, which = (j: number): number => j): Generator<Uint8Array> {
  const most = Math.max(Math.floor(PIECE_BYTES / codeBytes), 1);
  for (let from = 0; from < count; from += most) {
    const piece = new Uint8Array(Math.min(most, count - from) * codeBytes);
    for (let at = 0, j = from; at < piece.length; at += codeBytes, j++) piece.set(code(which(j)), at);
    yield piece;
  }
}

/** The vectors in these slots, as codes. */
export function codedOf(sections: Sections, slots: Uint32Array): Coded {
  const codec = CODEC_NAMES[sections.state.codec];
  if (codec === "pq") return productCodes(sections, slots);
  if (codec === "f16" || codec === "bf16") return halves(sections, slots, HALVES[codec] as number);
  if (codec === "sq8") return ranged(sections, slots);
  if (codec !== "f32")
    throw badOption(`Faiss has nothing that codec "${codec}" could become; f32, f16, bf16, sq8 and pq go there`);
  return plain(sections, slots);
}

/** Writes an IndexScalarQuantizer's own: [kind i32][how ranges were found i32][f32][dimensions u64][bytes of a code u64][ranges: vector of f32]. */
function scalarMeaning(file: Writing, kind: number, d: number, codeBytes: number, ranges: Float32Array): void {
  file.i32(kind);
  file.i32(0);
  file.f32(0);
  file.u64(d);
  file.u64(codeBytes);
  file.vector(ranges);
}

/** Rows of a graph are in halves: assembly/codec/split.ts. */
function plain(sections: Sections, slots: Uint32Array): Coded {
  const d = sections.state.dimensions;
  const own = { codec: "f32", codeBytes: 4 * d, meaning: () => {} } as const;
  if (!sections.has("link")) return { ...own, code: asTheyLie(sections, slots, 4 * d) };
  const words = new Uint32Array(d);
  const bytes = new Uint8Array(words.buffer);
  const code = (i: number): Uint8Array => {
    const view = viewOf(sections.row("code", slots[i]));
    const lower = view.byteLength / 2;
    for (let j = 0; j < d; j++) words[j] = (view.getUint16(2 * j, true) << 16) + view.getInt16(lower + 2 * j, true);
    return bytes;
  };
  return { ...own, code };
}

function halves(sections: Sections, slots: Uint32Array, kind: number): Coded {
  const { dimensions } = sections.state;
  const codeBytes = 2 * dimensions;
  return {
    ...{ codec: "sq", codeBytes, code: asTheyLie(sections, slots, codeBytes) },
    meaning: (file) => scalarMeaning(file, kind, dimensions, codeBytes, new Float32Array()),
  };
}

function asTheyLie(sections: Sections, slots: Uint32Array, codeBytes: number): Coded["code"] {
  return (i) => sections.row("code", slots[i]).subarray(0, codeBytes);
}

/** sq8 has a scale for each row, Faiss one for each dimension: decoded, and coded on the range that the dimension has. */
function ranged(sections: Sections, slots: Uint32Array): Coded {
  const d = sections.state.dimensions;
  const values = new Float64Array(d);
  const decode = (slot: number): void => {
    const scale = viewOf(sections.row("aux ", slot));
    const [low, step] = [scale.getFloat32(0, true), scale.getFloat32(4, true)];
    const row = sections.row("code", slot);
    for (let j = 0; j < d; j++) values[j] = low + step * row[j];
  };
  const [lows, highs] = [new Float64Array(d).fill(Infinity), new Float64Array(d).fill(-Infinity)];
  for (const slot of slots) {
    decode(slot);
    for (let j = 0; j < d; j++) {
      lows[j] = Math.min(lows[j], values[j]);
      highs[j] = Math.max(highs[j], values[j]);
    }
  }
  const ranges = new Float32Array(2 * d);
  if (slots.length > 0) {
    ranges.set(lows);
    ranges.set(
      highs.map((high, j) => high - lows[j]),
      d,
    );
  }
  const bytes = new Uint8Array(d);
  const code = (i: number): Uint8Array => {
    decode(slots[i]);
    for (let j = 0; j < d; j++) {
      // Decoded as low + span (code + 1/2) / 255.
      const steps = ranges[d + j] > 0 ? 255 / ranges[d + j] : 0;
      bytes[j] = Math.min(Math.max(Math.round((values[j] - ranges[j]) * steps - 0.5), 0), 255);
    }
    return bytes;
  };
  return { codec: "sq", codeBytes: d, code, meaning: (file) => scalarMeaning(file, QT_8BIT, d, d, ranges) };
}

function productCodes(sections: Sections, slots: Uint32Array): Coded {
  const { dimensions: d, pqM: m, codeBits: bits, rotate } = sections.state;
  if (ROTATE_NAMES[rotate] === "random")
    throw badOption('Faiss has no rotation like { rotate: "random" }; "none" and "opq" go there');
  if (d % m !== 0) throw badOption(`Faiss has parts of one length: ${m} parts of ${d} dimensions do not go there`);
  const codeBytes = Math.ceil((m * bits) / 8);
  const packed = bits === 4 && !sections.has("link");
  const meaning = (file: Writing): void => {
    file.u64(d);
    file.u64(m);
    file.u64(bits);
    file.vector(byCentroid(sections.f32s("book"), m, 2 ** bits, d / m));
  };
  const code = packed ? unpacked(sections, slots, m, codeBytes) : asTheyLie(sections, slots, codeBytes);
  return { codec: "pq", codeBytes, code, meaning };
}

/** Codebooks with all values of a centroid together. */
function byCentroid(book: Float32Array, m: number, count: number, part: number): Float32Array {
  const centroids = new Float32Array(m * count * part);
  for (let j = 0, to = 0; j < m; j++) {
    for (let c = 0; c < count; c++) for (let i = 0; i < part; i++) centroids[to++] = book[(j * part + i) * count + c];
  }
  return centroids;
}

/** Nibbles as assembly/memory/store.ts packs them, one code after the other. */
function unpacked(sections: Sections, slots: Uint32Array, m: number, codeBytes: number): Coded["code"] {
  const rows = sections.bytes("code");
  const stride = sections.stride("code");
  const code = new Uint8Array(codeBytes);
  return (i) => {
    const slot = slots[i];
    const group = (slot & ~31) * stride + (slot & 15);
    code.fill(0);
    for (let j = 0; j < m; j++) {
      const nibble = (rows[group + (j << 4)] >> ((slot & 16) >> 2)) & 15;
      code[j >> 1] |= nibble << ((j & 1) << 2);
    }
    return code;
  };
}
