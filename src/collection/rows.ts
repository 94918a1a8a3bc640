// Vectors between their bytes in a file and the rows that indices take.
import { rowElements, type Shape } from "../input/vectors.js";

export function vectorBytes(shape: Shape): number {
  return rowElements(shape) * (shape.packed ? 1 : 4);
}

/** Rows of a shape, one after the other. */
export type RowArray = Float32Array | Uint8Array;

export function newRows(shape: Shape, n: number): RowArray {
  const elements = rowElements(shape) * n;
  return shape.packed ? new Uint8Array(elements) : new Float32Array(elements);
}

/** The bytes of row i: a view. */
export function bytesOfRow(rows: RowArray, i: number, shape: Shape): Uint8Array {
  const bytes = vectorBytes(shape);
  return new Uint8Array(rows.buffer, rows.byteOffset + i * bytes, bytes);
}

/** The rows that such bytes are, in memory of their own. */
export function rowsOfBytes(bytes: Uint8Array, shape: Shape): RowArray {
  const own = bytes.slice();
  return shape.packed ? own : new Float32Array(own.buffer);
}
