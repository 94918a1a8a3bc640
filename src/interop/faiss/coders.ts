// How Faiss codes vectors, and what a code stands for. Layouts of a code:
//
//   f32         d x f32
//   sq          scalar quantiser (QT_*): 8, 6 or 4 bits per value on a range [least, least + span] of its dimension, or of all dimensions; f16; bf16;
//               bytes as they are. Values of 4 bits: the even one in the low half; of 6 bits: from the low bits on, four in three bytes
//   pq          m numbers of `bits` bits, from the low bits on (Jegou, Douze and Schmid 2011)
//   rabitq      d bits, then |x - c|^2 and a factor as f32 (Gao and Long 2024, arXiv 2405.12497); there is no rotation here
import { badFaiss, notRead, type Reading } from "./reading.js";

/** QT_*, by number. */
const SCALARS = [
  "8bit",
  "4bit",
  "8bit_uniform",
  "4bit_uniform",
  "fp16",
  "8bit_direct",
  "6bit",
  "bf16",
  "8bit_direct_signed",
] as const;
export type Scalar = (typeof SCALARS)[number];

export interface F32Coder {
  readonly type: "f32";
  readonly codeBytes: number;
}
export interface ScalarCoder {
  readonly type: "sq";
  readonly codeBytes: number;
  readonly scalar: Scalar;
  /** Least value and span of each dimension, or of all; none of what keeps values themselves. */
  readonly least: Float32Array;
  readonly span: Float32Array;
}
export interface ProductCoder {
  readonly type: "pq";
  readonly codeBytes: number;
  readonly m: number;
  readonly bits: number;
  /** m x 2^bits x (d / m): part after part, centroid after centroid. */
  readonly centroids: Float32Array;
}
export interface BitCoder {
  readonly type: "rabitq";
  readonly codeBytes: number;
  readonly centre: Float32Array;
  /** Of l2; else the first factor is none of |x - c|^2 alone. */
  readonly squared: boolean;
}
export type Coder = F32Coder | ScalarCoder | ProductCoder | BitCoder;

const BITS: Readonly<Record<Scalar, number>> = {
  "8bit": 8,
  "4bit": 4,
  "8bit_uniform": 8,
  "4bit_uniform": 4,
  fp16: 16,
  "8bit_direct": 8,
  "6bit": 6,
  bf16: 16,
  "8bit_direct_signed": 8,
};

export const f32Coder = (d: number): F32Coder => ({ type: "f32", codeBytes: 4 * d });

export function scalarCoder(file: Reading, d: number): ScalarCoder {
  const number = file.i32();
  const scalar = SCALARS[number];
  if (!scalar) throw notRead(`a scalar quantiser of kind ${number} (QT_${SCALARS.join(", QT_")} are read)`);
  file.skip(8);
  const own = file.u64("dimensions of a code");
  const codeBytes = file.u64("size of a code");
  const trained = file.f32s("ranges");
  const bits = BITS[scalar];
  if (own !== d || codeBytes !== Math.ceil((d * bits) / 8)) {
    throw badFaiss(`its scalar quantiser QT_${scalar} has codes of ${codeBytes} bytes for ${own} of ${d} dimensions`);
  }
  const kept = bits === 16 || scalar.startsWith("8bit_direct");
  const ranges = kept ? 0 : scalar.endsWith("uniform") ? 1 : d;
  if (!kept && trained.length !== 2 * ranges)
    throw badFaiss(`its scalar quantiser has ${trained.length} limits, not ${2 * ranges}`);
  return { type: "sq", codeBytes, scalar, least: trained.subarray(0, ranges), span: trained.subarray(ranges, 2 * ranges) };
}

export function productCoder(file: Reading, d: number): ProductCoder {
  const own = file.u64("dimensions of a code");
  const m = file.u64("number of parts");
  const bits = file.u64("bits of a part");
  if (own !== d || m < 1 || d % m !== 0 || bits < 1 || bits > 16) {
    throw badFaiss(`its product quantiser has ${m} parts of ${bits} bits for ${own} of ${d} dimensions`);
  }
  const centroids = file.f32s("codebooks", d * 2 ** bits);
  return { type: "pq", codeBytes: Math.ceil((m * bits) / 8), m, bits, centroids };
}

export function bitCoder(file: Reading, d: number): Omit<BitCoder, "centre"> {
  const own = file.u64("dimensions of a code");
  const codeBytes = file.u64("size of a code");
  const squared = file.i32() === 1;
  if (own !== d || codeBytes !== Math.ceil(d / 8) + 8) {
    throw badFaiss(`its RaBitQ codes are ${codeBytes} bytes for ${own} of ${d} dimensions`);
  }
  return { type: "rabitq", codeBytes, squared };
}

/** Value of 16 bits: sign, 5 of exponent, 10 of fraction. */
function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction
          ? NaN
          : Infinity
        : (1024 + fraction) * 2 ** (exponent - 25);
  return bits & 0x8000 ? -size : size;
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);
function brain(bits: number): number {
  word[0] = bits << 16;
  return float[0];
}

/** Writes the vector that the code at byte `at` stands for. */
export type Decode = (bytes: Uint8Array, at: number, out: Float32Array) => void;

export function decoderOf(coder: Coder, d: number): Decode {
  if (coder.type === "f32") {
    const row = new Uint8Array(4 * d);
    const values = new Float32Array(row.buffer);
    return (bytes, at, out) => {
      row.set(bytes.subarray(at, at + 4 * d));
      out.set(values);
    };
  }
  if (coder.type === "sq") return scalarDecoder(coder, d);
  return coder.type === "pq" ? productDecoder(coder, d) : bitDecoder(coder, d);
}

/** The number of value i in a code. */
const NUMBERS: Readonly<Record<number, (bytes: Uint8Array, at: number, i: number) => number>> = {
  4: (bytes, at, i) => (bytes[at + (i >> 1)] >> ((i & 1) << 2)) & 15,
  6: (bytes, at, i) => bitsAt(bytes, at, 6 * i, 6),
  8: (bytes, at, i) => bytes[at + i],
  16: (bytes, at, i) => bytes[at + 2 * i] | (bytes[at + 2 * i + 1] << 8),
};

/** `count` bits from bit `from` on, the low ones first. */
function bitsAt(bytes: Uint8Array, at: number, from: number, count: number): number {
  let value = 0;
  for (let got = 0; got < count; ) {
    const bit = from + got;
    const here = Math.min(8 - (bit & 7), count - got);
    value |= ((bytes[at + (bit >> 3)] >> (bit & 7)) & ((1 << here) - 1)) << got;
    got += here;
  }
  return value;
}

function scalarDecoder({ scalar, least, span }: ScalarCoder, d: number): Decode {
  const bits = BITS[scalar];
  const number = NUMBERS[bits];
  const own: Partial<Record<Scalar, (n: number) => number>> = {
    fp16: half,
    bf16: brain,
    "8bit_direct": (n) => n,
    "8bit_direct_signed": (n) => n - 128,
  };
  const kept = own[scalar];
  const steps = 2 ** bits - 1;
  const each = least.length > 1 ? 1 : 0;
  return (bytes, at, out) => {
    for (let i = 0; i < d; i++) {
      const n = number(bytes, at, i);
      out[i] = kept ? kept(n) : least[i * each] + (span[i * each] * (n + 0.5)) / steps;
    }
  };
}

function productDecoder({ m, bits, centroids }: ProductCoder, d: number): Decode {
  const part = d / m;
  return (bytes, at, out) => {
    for (let j = 0; j < m; j++) {
      const from = (j * 2 ** bits + bitsAt(bytes, at, j * bits, bits)) * part;
      out.set(centroids.subarray(from, from + part), j * part);
    }
  };
}

/**
 * The centre and signs of a length. Under l2 as long as the vector's shadow on the signs is, |x - c|^2 / factor, which is the nearest point to it there
 * is: siftsmall-128, 2,000 rows, recall@10 .465 where Faiss's estimates have .435 (rows as long as the factor .360). Else the factor, as <q, x>
 * is estimated by it.
 */
function bitDecoder({ codeBytes, centre, squared }: BitCoder, d: number): Decode {
  const root = Math.sqrt(d);
  return (bytes, at, out) => {
    const factors = new DataView(bytes.buffer, bytes.byteOffset + at + codeBytes - 8, 8);
    const factor = factors.getFloat32(4, true);
    const size = (squared && factor > 0 ? factors.getFloat32(0, true) / factor : factor) / root;
    for (let i = 0; i < d; i++) out[i] = centre[i] + ((bytes[at + (i >> 3)] >> (i & 7)) & 1 ? size : -size);
  };
}
