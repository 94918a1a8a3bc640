import { unreadable } from "../imported.js";
import { viewOf } from "../view-of.js";
import { type Chunk, notFinite } from "./chunk.js";

/** How one number lies in a binary file. */
export interface Element {
  readonly bytes: number;
  readonly get: (view: DataView, offset: number, isLittleEndian: boolean) => number;
}

export const BOOL: Element = { bytes: 1, get: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) };
export const BF16: Element = { bytes: 2, get: (view, at, little) => bfloat(view.getUint16(at, little)) };
export const F16: Element = { bytes: 2, get: (view, at, little) => halves()[view.getUint16(at, little)] as number };
export const F32: Element = { bytes: 4, get: (view, at, little) => view.getFloat32(at, little) };
export const F64: Element = { bytes: 8, get: (view, at, little) => view.getFloat64(at, little) };
export const I8: Element = { bytes: 1, get: (view, at) => view.getInt8(at) };
export const I16: Element = { bytes: 2, get: (view, at, little) => view.getInt16(at, little) };
export const I32: Element = { bytes: 4, get: (view, at, little) => view.getInt32(at, little) };
export const I64: Element = { bytes: 8, get: (view, at, little) => Number(view.getBigInt64(at, little)) };
export const U8: Element = { bytes: 1, get: (view, at) => view.getUint8(at) };
export const U16: Element = { bytes: 2, get: (view, at, little) => view.getUint16(at, little) };
export const U32: Element = { bytes: 4, get: (view, at, little) => view.getUint32(at, little) };
export const U64: Element = { bytes: 8, get: (view, at, little) => Number(view.getBigUint64(at, little)) };

/** Rows of one length in a block of bytes: row r starts at r * stride + skip and has `width` elements. */
export interface Block {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly firstRow: number;
  readonly rows: number;
  readonly width: number;
  readonly stride: number;
  readonly skip: number;
  /** Rows of the whole file, where known. */
  readonly total: number | undefined;
}

/** Decodes a block to float32, refusing what float32 cannot hold. */
export function decodeBlock(block: Block, element: Element, isLittleEndian = true): Chunk {
  const { rows, width, total } = block;
  const vectors = new Float32Array(rows * width);
  if (element === F32 && isLittleEndian) copyFloats(block, vectors);
  else convert(block, element, isLittleEndian, vectors);
  for (let i = 0; i < vectors.length; i++)
    if (!(Math.abs(vectors[i]) < Infinity)) throw oddValue(block, element, isLittleEndian, i);
  return { rows, dimensions: width, vectors, total };
}

/** As they lie: every machine with wasm is little-endian. */
function copyFloats({ bytes, rows, width, stride, skip }: Block, vectors: Float32Array): void {
  const out = new Uint8Array(vectors.buffer);
  if (stride === 4 * width) return void out.set(bytes.subarray(0, out.length));
  for (let row = 0; row < rows; row++) {
    const from = row * stride + skip;
    out.set(bytes.subarray(from, from + 4 * width), 4 * row * width);
  }
}

function convert(
  { bytes, rows, width, stride, skip }: Block,
  element: Element,
  isLittleEndian: boolean,
  vectors: Float32Array,
): void {
  const view = viewOf(bytes);
  for (let row = 0; row < rows; row++) {
    let at = row * stride + skip;
    for (let i = 0; i < width; i++, at += element.bytes) vectors[row * width + i] = element.get(view, at, isLittleEndian);
  }
}

/** Why value i of a block is refused. */
function oddValue(
  { path, bytes, firstRow, width, stride, skip }: Block,
  element: Element,
  isLittleEndian: boolean,
  i: number,
): Error {
  const [row, column] = [Math.floor(i / width), i % width];
  const value = element.get(viewOf(bytes), row * stride + skip + column * element.bytes, isLittleEndian);
  return unreadable(`${path}: ${notFinite(`row ${firstRow + row + 1}`, column, value)}`);
}

/** Copies a block of bytes out as packed bits, eight dimensions to the byte. */
export function packedBlock({ bytes, rows, width, stride, skip, total }: Block): Chunk {
  const vectors = new Uint8Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const start = row * stride + skip;
    vectors.set(bytes.subarray(start, start + width), row * width);
  }
  return { rows, dimensions: width * 8, vectors, total };
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The upper half of an f32. */
function bfloat(bits: number): number {
  word[0] = bits << 16;
  return float[0];
}

let halfTable: Float32Array | undefined;

/** The value of each of the 65,536 half-precision bit patterns. */
function halves(): Float32Array {
  if (halfTable !== undefined) return halfTable;
  halfTable = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    let value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
    if (exponent === 31) value = fraction === 0 ? Number.POSITIVE_INFINITY : Number.NaN;
    halfTable[bits] = bits & 0x8000 ? -value : value;
  }
  return halfTable;
}
