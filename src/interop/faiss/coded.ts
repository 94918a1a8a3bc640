// Rows of ours as codes of Faiss, in an order of slots: what a code means, as IndexIVF* and Index* have it in front of their codes, and the codes.
import { badOption } from "../../words/errors.js";
import { CODEC_NAMES, type Codec, ROTATE_NAMES } from "../../words/kinds.js";
import type { Sections } from "../sections.js";
import type { Writing } from "./writing.js";

/** QT_* of Faiss. */
const [QT_8BIT, QT_FP16, QT_BF16] = [0, 4, 7];
const HALVES: Partial<Record<Codec, number>> = { f16: QT_FP16, bf16: QT_BF16 };

export interface Coded {
  readonly codec: "f32" | "sq" | "pq";
  readonly codeBytes: number;
  readonly codes: Uint8Array;
  /** Writes what codes mean. */
  meaning(file: Writing): void;
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
  const out = new Uint8Array(4 * d * slots.length);
  const rows = sections.bytes("code");
  const stride = sections.stride("code");
  const split = sections.has("link");
  if (!split) slots.forEach((slot, i) => void out.set(rows.subarray(slot * stride, slot * stride + 4 * d), 4 * d * i));
  else {
    const words = new Uint32Array(out.buffer);
    const view = new DataView(rows.buffer, rows.byteOffset, rows.length);
    slots.forEach((slot, i) => {
      for (let j = 0, at = slot * stride; j < d; j++, at += 2) {
        words[i * d + j] = (view.getUint16(at, true) << 16) + view.getInt16(at + stride / 2, true);
      }
    });
  }
  return { codec: "f32", codeBytes: 4 * d, codes: out, meaning: () => {} };
}

function halves(sections: Sections, slots: Uint32Array, kind: number): Coded {
  const codeBytes = 2 * sections.state.dimensions;
  const codes = copied(sections, slots, codeBytes);
  return {
    ...{ codec: "sq", codeBytes, codes },
    meaning: (file) => scalarMeaning(file, kind, sections.state.dimensions, codeBytes, new Float32Array()),
  };
}

function copied(sections: Sections, slots: Uint32Array, codeBytes: number): Uint8Array {
  const codes = new Uint8Array(codeBytes * slots.length);
  const rows = sections.bytes("code");
  const stride = sections.stride("code");
  slots.forEach((slot, i) => void codes.set(rows.subarray(slot * stride, slot * stride + codeBytes), codeBytes * i));
  return codes;
}

/** sq8 has a scale for each row, Faiss one for each dimension: decoded, and coded on the range that the dimension has. */
function ranged(sections: Sections, slots: Uint32Array): Coded {
  const d = sections.state.dimensions;
  const rows = sections.bytes("code");
  const stride = sections.stride("code");
  const scales = sections.f32s("aux ");
  const value = (slot: number, j: number): number => scales[4 * slot] + scales[4 * slot + 1] * rows[slot * stride + j];
  const ranges = new Float32Array(2 * d);
  const codes = new Uint8Array(d * slots.length);
  for (let j = 0; j < d; j++) {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const slot of slots) {
      low = Math.min(low, value(slot, j));
      high = Math.max(high, value(slot, j));
    }
    ranges[j] = slots.length ? low : 0;
    ranges[d + j] = slots.length ? high - low : 0;
    // Decoded as low + span (code + 1/2) / 255.
    const steps = ranges[d + j] > 0 ? 255 / ranges[d + j] : 0;
    for (let i = 0; i < slots.length; i++) {
      codes[i * d + j] = Math.min(Math.max(Math.round((value(slots[i], j) - ranges[j]) * steps - 0.5), 0), 255);
    }
  }
  return { codec: "sq", codeBytes: d, codes, meaning: (file) => scalarMeaning(file, QT_8BIT, d, d, ranges) };
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
  return {
    codec: "pq",
    codeBytes,
    codes: packed ? unpacked(sections, slots, m, codeBytes) : copied(sections, slots, codeBytes),
    meaning,
  };
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
function unpacked(sections: Sections, slots: Uint32Array, m: number, codeBytes: number): Uint8Array {
  const rows = sections.bytes("code");
  const stride = sections.stride("code");
  const codes = new Uint8Array(codeBytes * slots.length);
  slots.forEach((slot, i) => {
    const group = (slot & ~31) * stride + (slot & 15);
    for (let j = 0; j < m; j++) {
      const nibble = (rows[group + (j << 4)] >> ((slot & 16) >> 2)) & 15;
      codes[i * codeBytes + (j >> 1)] |= nibble << ((j & 1) << 2);
    }
  });
  return codes;
}
