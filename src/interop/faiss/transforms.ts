// What an IndexPreTransform does to a vector before the index within sees it (faiss/VectorTransform.h):
//
//   LTra, rrot, Viqm, Pcam   linear: [...][bias or not u8][matrix: vector of f32, rows of what comes in][bias: vector of f32]
//   RmDT   dimensions picked: [which, -1 for none: vector of i32]     VNrm   length 1: [norm f32]     VCnt   centred: [mean: vector of f32]
//   after each [dimensions in i32][dimensions out i32][trained u8]
import { badFaiss, notRead, type Reading } from "./reading.js";

export interface Linear {
  readonly type: "linear";
  readonly dIn: number;
  readonly dOut: number;
  /** dOut rows of dIn. */
  readonly matrix: Float32Array;
  /** Of dOut; none where it is 0. */
  readonly bias: Float32Array | undefined;
}
interface Picked {
  readonly type: "picked";
  readonly dIn: number;
  readonly dOut: number;
  readonly from: Int32Array;
}
interface Unit {
  readonly type: "unit";
  readonly dIn: number;
  readonly dOut: number;
}
interface Centred {
  readonly type: "centred";
  readonly dIn: number;
  readonly dOut: number;
  readonly mean: Float32Array;
}
export type Transform = Linear | Picked | Unit | Centred;

const NAMES: Readonly<Record<string, string>> = { Viqt: "ITQTransform", PCAm: "PCAMatrix as Faiss wrote it before 2018" };

export function readTransform(file: Reading): Transform {
  const letters = file.letters();
  const own = readOwn(file, letters);
  const [dIn, dOut] = [file.i32(), file.i32()];
  file.skip(1);
  if (dIn < 1 || dOut < 1) throw badFaiss(`a transform leads from ${dIn} to ${dOut} dimensions`);
  const sizes = {
    linear: () => own.matrix?.length === dIn * dOut && (!own.bias || own.bias.length === dOut),
    picked: () => own.from?.length === dOut && own.from.every((i) => i >= -1 && i < dIn),
    unit: () => dIn === dOut,
    centred: () => dIn === dOut && own.mean?.length === dIn,
  };
  if (!sizes[own.type]()) throw badFaiss(`a transform (${letters}) from ${dIn} to ${dOut} dimensions has other sizes`);
  for (const values of [own.matrix, own.bias, own.mean]) {
    if (values?.some((value) => !Number.isFinite(value)))
      throw badFaiss(`a transform (${letters}) has a value that is no number`);
  }
  return { ...own, dIn, dOut } as Transform;
}

interface Own {
  readonly type: Transform["type"];
  readonly matrix?: Float32Array;
  readonly bias?: Float32Array;
  readonly from?: Int32Array;
  readonly mean?: Float32Array;
}

function readOwn(file: Reading, letters: string): Own {
  if (letters === "RmDT") return { type: "picked", from: file.i32s("picked dimensions") };
  if (letters === "VCnt") return { type: "centred", mean: file.f32s("mean") };
  if (letters === "VNrm") {
    const norm = file.f32();
    if (norm !== 2) throw notRead(`vectors of length 1 by norm ${norm}`);
    return { type: "unit" };
  }
  if (letters === "Pcam" || letters === "PcAm") {
    file.skip(4 + (letters === "Pcam" ? 4 : 0) + 1 + 4);
    for (const what of ["mean", "eigenvalues", "eigenvectors"]) file.vector(what, 4);
  } else if (letters === "Viqm") file.skip(8);
  else if (letters !== "LTra" && letters !== "rrot") {
    const name = NAMES[letters];
    throw name ? notRead(`an ${name} (${letters})`) : badFaiss(`${JSON.stringify(letters)} is no transform`);
  }
  const biased = file.flag();
  const matrix = file.f32s("matrix");
  const bias = file.f32s("bias");
  return { type: "linear", matrix, bias: biased ? bias : undefined };
}

/** A vector as the index within sees it, in a new array. */
export function applied(chain: readonly Transform[], vector: ArrayLike<number>): Float32Array {
  let x = Float32Array.from(vector);
  for (const transform of chain) x = applyOne(transform, x);
  return x;
}

function applyOne(transform: Transform, x: Float32Array): Float32Array<ArrayBuffer> {
  const { type, dIn, dOut } = transform;
  const y = new Float32Array(dOut);
  if (type === "picked") return y.map((_, i) => (transform.from[i] < 0 ? 0 : x[transform.from[i]]));
  if (type === "centred") return y.map((_, i) => x[i] - transform.mean[i]);
  if (type === "unit") {
    const length = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
    return y.map((_, i) => (length > 0 ? x[i] / length : x[i]));
  }
  for (let i = 0; i < dOut; i++) {
    let sum = transform.bias?.[i] ?? 0;
    for (let j = 0, at = i * dIn; j < dIn; j++) sum += transform.matrix[at + j] * x[j];
    y[i] = sum;
  }
  return y;
}

/** Writes to `out` the vector that a linear transform, which is a rotation, brings to `y`. */
export function turnedBack({ dIn, dOut, matrix, bias }: Linear, y: Float32Array, out: Float64Array): void {
  out.fill(0);
  for (let i = 0; i < dOut; i++) {
    const value = y[i] - (bias?.[i] ?? 0);
    for (let j = 0, at = i * dIn; j < dIn; j++) out[j] += matrix[at + j] * value;
  }
}

/** How far from its length a rotation may bring a vector, squared and relative. */
const ROUNDING = 1e-4;
const PROBES = 8;

/** Whether a square matrix turns and no more: vectors come back by its transpose, as some of every direction show. */
export function isRotation({ dIn, dOut, matrix }: Linear): boolean {
  if (dIn !== dOut) return false;
  const back = new Float64Array(dIn);
  for (let probe = 0; probe < PROBES; probe++) {
    const x = Float32Array.from({ length: dIn }, (_, i) => Math.sin((i + 1) * (probe + 1.618)));
    const linear = { type: "linear", dIn, dOut, matrix, bias: undefined } as const;
    turnedBack(linear, applyOne(linear, x), back);
    let [off, all] = [0, 0];
    for (let i = 0; i < dIn; i++) {
      off += (back[i] - x[i]) ** 2;
      all += x[i] ** 2;
    }
    if (!(off <= ROUNDING * ROUNDING * all)) return false;
  }
  return true;
}
