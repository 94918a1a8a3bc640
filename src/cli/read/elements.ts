import { InputError } from "../errors.js";
import { type Chunk, notFinite } from "./chunk.js";

/** How one number lies in a binary file, little-endian. */
export interface Element {
  readonly name: string;
  readonly bytes: number;
  readonly get: (view: DataView, offset: number) => number;
}

export const F16: Element = { name: "float16", bytes: 2, get: (view, at) => halves()[view.getUint16(at, true)] as number };
export const F32: Element = { name: "float32", bytes: 4, get: (view, at) => view.getFloat32(at, true) };
export const F64: Element = { name: "float64", bytes: 8, get: (view, at) => view.getFloat64(at, true) };
export const I8: Element = { name: "int8", bytes: 1, get: (view, at) => view.getInt8(at) };
export const U8: Element = { name: "uint8", bytes: 1, get: (view, at) => view.getUint8(at) };

/** Rows of one length in a block of bytes: row r starts at r * stride + skip and has `width` elements. */
export interface Block {
  readonly path: string;
  readonly bytes: Buffer;
  readonly firstRow: number;
  readonly rows: number;
  readonly width: number;
  readonly stride: number;
  readonly skip: number;
  /** Rows of the whole file, where known. */
  readonly total: number | undefined;
}

/** Decodes a block to float32, refusing what float32 cannot hold. */
export function decodeBlock(block: Block, element: Element): Chunk {
  const { bytes, rows, width } = block;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const vectors = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    let at = row * block.stride + block.skip;
    for (let i = 0; i < width; i++, at += element.bytes) {
      const value = element.get(view, at);
      vectors[row * width + i] = value;
      if (!Number.isFinite(vectors[row * width + i])) {
        throw new InputError(`${block.path}: ${notFinite(`row ${block.firstRow + row + 1}`, i, value)}`);
      }
    }
  }
  return { rows, dimensions: width, vectors, total: block.total };
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
