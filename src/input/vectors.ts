// What callers hand over as vectors and ids, checked for shape and written to linear memory. Values are checked there.

import { E_BEYOND_F16, E_NOT_FINITE } from "../words/codes.js";
import { type ErrorCode, show, VicinalError } from "../words/errors.js";
import { tagOf } from "../words/tag.js";

/**
 * One vector: `dimensions` numbers; under hamming also a Uint8Array of packed bits, least significant first. A Node Buffer is
 * bits or is refused: of floats it would be a value per byte.
 */
export type Vector = ArrayLike<number>;
/** Many: n * dimensions numbers in a row (under hamming a Uint8Array is n rows of packed bits), or an array of vectors. */
export type Vectors = ArrayLike<number> | ArrayLike<Vector>;

/** The shape of an index's input. */
export interface Shape {
  readonly dimensions: number;
  /** hamming: rows travel as bits. */
  readonly packed: boolean | undefined;
}

/** n vectors, not yet read. */
export interface Rows {
  readonly n: number;
  /** Writes row `i` to `bytes` (packed) or `floats` at `at`, in elements. */
  write(i: number, to: Float32Array | Uint8Array, at: number): void;
  /** Value `j` of row `i` as the caller gave it. */
  value(i: number, j: number): number;
  /** `vectors[3]`, for sentences. */
  name(i: number): string;
  readonly dimensions: number;
}

/** Whether a row or rows of them are bits: of a shape that is packed. */
export function isBits({ packed }: Shape, value: unknown): boolean {
  return packed === true && tagOf(value) === "Uint8Array";
}

export function rowElements(shape: Shape): number {
  return shape.packed ? (shape.dimensions + 7) >> 3 : shape.dimensions;
}

export function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || ArrayBuffer.isView(value);
}

/** Refuses a typed array whose buffer was transferred, or became too short for it: it now has no values. */
export function checkAlive(view: ArrayBufferView, name: string, code: ErrorCode): void {
  try {
    Uint8Array.prototype.keys.call(view as Uint8Array); // throws of such arrays, of any type
  } catch {
    throw new VicinalError(code, `${name} is ${show(view)} whose ArrayBuffer was transferred or shrunk; give a copy`);
  }
}

/** The end of a sentence about bytes where numbers are wanted. */
export function bytesFor(type: string): string {
  return `of bytes: give new ${type}(b.buffer, b.byteOffset, b.byteLength / 4)`;
}

/** A Node Buffer, which is a Uint8Array of whatever was read. */
function isBuffer(value: unknown): boolean {
  // Not by `in`, which takes half a microsecond of a typed array.
  return ArrayBuffer.isView(value) && (value as { readFloatLE?: unknown }).readFloatLE !== undefined;
}

/** Whether it has a length, and one that a list can have. A Buffer is none, but of bits. */
function isList(value: unknown, name: string, code: ErrorCode, bits = false): value is ArrayLike<unknown> {
  if (value === null || typeof value !== "object") return false;
  const { length } = value as ArrayLike<unknown>;
  if (typeof length !== "number") return false;
  if (!Number.isInteger(length) || length < 0) throw new VicinalError(code, `${name} has the length ${length}`);
  if (length === 0 && ArrayBuffer.isView(value)) checkAlive(value, name, code);
  if (!bits && isBuffer(value)) {
    const type = code === "BAD_ID" ? "Uint32Array" : "Float32Array";
    throw new VicinalError(code, `${name} is a Buffer, ${bytesFor(type)}`);
  }
  return true;
}

/** The length of a list, or -1. */
function lengthOf(value: unknown): number {
  const length = value !== null && typeof value === "object" ? (value as ArrayLike<unknown>).length : undefined;
  return typeof length === "number" ? length : -1;
}

function notNumbers(vector: unknown, { dimensions }: Shape, name: string): VicinalError {
  return new VicinalError("BAD_DIMENSION", `${name} is ${show(vector)}, not ${dimensions} numbers`);
}

/** One vector, called `name` in sentences. */
export function oneRow(vector: unknown, shape: Shape, name: string): Rows {
  if (!isList(vector, name, "BAD_DIMENSION", shape.packed)) throw notNumbers(vector, shape, name);
  return listed([vector], shape, () => name);
}

/** The same values in a list of one's own, whatever becomes of the caller's. */
export function copyOf<T extends ArrayLike<unknown>>(list: T): T {
  // Not the list's own slice(): that of a Node Buffer does not copy.
  return (ArrayBuffer.isView(list) ? Uint8Array.prototype.slice.call(list) : Array.from(list)) as unknown as T;
}

/** The same for many vectors of either form. */
export function copyAll(vectors: Vectors): Vectors {
  return typeof vectors[0] === "object" ? Array.from(vectors as ArrayLike<Vector>, (row) => copyOf(row)) : copyOf(vectors);
}

/** Many vectors as they are now. */
export function ownRows(vectors: Vectors, shape: Shape, name: string): Rows {
  rowsOf(vectors, shape, name); // throws where they are none
  return rowsOf(copyAll(vectors), shape, name);
}

/** Any form of many vectors. */
export function rowsOf(vectors: unknown, shape: Shape, name: string): Rows {
  if (!isList(vectors, name, "BAD_DIMENSION", shape.packed))
    throw new VicinalError("BAD_DIMENSION", `${name} is ${show(vectors)}, not an array of vectors`);
  if (vectors.length > 0 && typeof vectors[0] === "object") return listed(vectors, shape, (i) => `${name}[${i}]`);
  return flat(vectors as ArrayLike<number>, shape, name);
}

function flat(values: ArrayLike<number>, shape: Shape, name: string): Rows {
  const packed = isBits(shape, values);
  if (shape.packed && !packed && /^U?int/i.test(tagOf(values) ?? "")) {
    const which = "bits (give new Uint8Array(b.buffer, b.byteOffset, b.byteLength)) or numbers (give Float32Array.from(b))";
    throw new VicinalError("BAD_DIMENSION", `${name} is ${show(values)}: ${which}`);
  }
  const width = packed ? rowElements(shape) : shape.dimensions;
  const n = values.length / width;
  if (!Number.isInteger(n)) {
    const unit = packed ? `${width}-byte` : `${width}-dimensional`;
    throw new VicinalError(
      "BAD_DIMENSION",
      `${name} has ${values.length} values, which is not a whole number of ${unit} vectors`,
    );
  }
  const part = (i: number): ArrayLike<number> => {
    const [from, to] = [i * width, (i + 1) * width];
    if (values.length < to)
      throw new VicinalError("BAD_DIMENSION", `${name} has changed while it was read: ${values.length} values`);
    return ArrayBuffer.isView(values)
      ? (values as Float32Array).subarray(from, to)
      : Array.prototype.slice.call(values, from, to);
  };
  return rowsBy(n, part, shape, (i) => `${name}[${i}]`);
}

function rowsBy(n: number, row: (i: number) => ArrayLike<number>, shape: Shape, name: (i: number) => string): Rows {
  return {
    n,
    write: (i, to, at) => writeVector(row(i), shape, to, at, () => name(i)),
    value: (i, j) => row(i)[j],
    name,
    dimensions: shape.dimensions,
  };
}

function listed(vectors: ArrayLike<unknown>, shape: Shape, name: (i: number) => string): Rows {
  const bytes = rowElements(shape);
  for (let i = 0; i < vectors.length; i++) {
    const vector = vectors[i];
    const length = lengthOf(vector);
    const bits = isBits(shape, vector);
    if (length === (bits ? bytes : shape.dimensions) && (bits || !isBuffer(vector))) continue;
    if (!isList(vector, name(i), "BAD_DIMENSION", shape.packed)) throw notNumbers(vector, shape, name(i));
    const wanted = bits ? `${bytes} bytes for its ${shape.dimensions} bits` : `${shape.dimensions} dimensions`;
    const hint = shape.packed && !bits && length === bytes ? "; packed bits are a Uint8Array" : "";
    throw new VicinalError("BAD_DIMENSION", `${name(i)} has ${length} values, the index has ${wanted}${hint}`);
  }
  return rowsBy(vectors.length, (i) => vectors[i] as ArrayLike<number>, shape, name);
}

function writeVector(
  vector: ArrayLike<number>,
  shape: Shape,
  to: Float32Array | Uint8Array,
  at: number,
  name: () => string,
): void {
  const bits = isBits(shape, vector);
  // Looked at again: it was checked a while ago, and may be longer or shorter by now.
  const length = bits ? rowElements(shape) : shape.dimensions;
  if (lengthOf(vector) !== length) {
    throw new VicinalError("BAD_DIMENSION", `${name()} has changed while it was read: ${lengthOf(vector)} values, not ${length}`);
  }
  if (ArrayBuffer.isView(vector) && (bits || !shape.packed) && typeof vector[0] !== "bigint") {
    to.set(vector, at);
    return;
  }
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const value: unknown = vector[i];
    if (typeof value !== "number") throw notFinite(name(), i, value);
    values[i] = value;
  }
  to.set(shape.packed ? pack(values, name) : values, at);
}

function notFinite(name: string, position: number, value: unknown): VicinalError {
  return new VicinalError(
    "NOT_FINITE",
    `${name} has ${show(value)} at position ${position}; values must be finite 32-bit floats`,
  );
}

/** Numbers to bits, least significant first: 1 where positive. NaN and Infinity are refused here, bits cannot tell. */
function pack(values: ArrayLike<number>, name: () => string): Uint8Array {
  const bytes = new Uint8Array((values.length + 7) >> 3);
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) throw notFinite(name(), i, values[i]);
    if (values[i] > 0) bytes[i >> 3] |= 1 << (i & 7);
  }
  return bytes;
}

/** The sentence for a row that wasm refused. */
export function badRow(rows: Rows, i: number, code: number): VicinalError {
  if (code === E_BEYOND_F16) return new VicinalError("TOO_LARGE", `${rows.name(i)} has a value beyond 65504, the largest in f16`);
  if (code !== E_NOT_FINITE) {
    return new VicinalError("TOO_LARGE", `${rows.name(i)} is longer than 2^62, so its distances would overflow 32-bit floats`);
  }
  for (let j = 0; j < rows.dimensions; j++) {
    const value = rows.value(i, j);
    if (!Number.isFinite(Math.fround(value))) return notFinite(rows.name(i), j, value);
  }
  return new VicinalError("NOT_FINITE", `${rows.name(i)} has a value that is not a finite 32-bit float`);
}

/** Largest id. */
export const MAX_ID = 0xfffffffe;

function isId(id: unknown): id is number {
  return typeof id === "number" && Number.isInteger(id) && id >= 0 && id <= MAX_ID;
}

export function checkId(id: unknown, name: string): number {
  if (isId(id)) return id;
  throw new VicinalError("BAD_ID", `${name} is ${show(id)}; an id is an integer from 0 to ${MAX_ID}`);
}

/** n ids, checked; `ids[3]` in sentences. */
export function idsOf(ids: unknown, name: string): Uint32Array {
  if (!isList(ids, name, "BAD_ID")) throw new VicinalError("BAD_ID", `${name} is ${show(ids)}, not an array of ids`);
  const out = new Uint32Array(ids.length);
  for (let i = 0; i < out.length; i++) {
    const id = ids[i];
    out[i] = isId(id) ? id : checkId(id, `${name}[${i}]`);
  }
  return out;
}
