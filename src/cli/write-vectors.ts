// Files of vectors, written a chunk at a time.
import { type Chunk, destination } from "./core.js";
import { InputError } from "./errors.js";

/** Room for the number of rows, which is known at the end: numpy pads its header to a multiple of 64 too. */
const NPY_HEADER_BYTES = 128;

type Encode = (values: Float32Array, width: number) => Uint8Array;

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** [dimension i32][values f32] per row */
function fvecs(values: Float32Array, width: number): Uint8Array {
  const rows = values.length / width;
  const out = new Float32Array(rows * (width + 1));
  const widths = new Int32Array(out.buffer);
  for (let row = 0; row < rows; row++) {
    widths[row * (width + 1)] = width;
    out.set(values.subarray(row * width, (row + 1) * width), row * (width + 1) + 1);
  }
  return bytesOf(out);
}

const ENCODERS: Readonly<Record<string, Encode>> = { npy: bytesOf, fvecs };
export const WRITTEN_VECTORS = Object.keys(ENCODERS);

/** Writes chunks as .npy or .fvecs of f32, wholly or not at all; returns their rows. A .npy has its header last. */
export async function writeVectors(
  path: string,
  format: string,
  chunks: AsyncIterable<Chunk>,
): Promise<{ rows: number; dimensions: number }> {
  const encode = ENCODERS[format] as Encode;
  const write = await destination(path);
  let [rows, dimensions] = [0, 0];
  await write(async (file) => {
    if (format === "npy") await file.writeFile(new Uint8Array(NPY_HEADER_BYTES));
    for await (const chunk of chunks) {
      if (!(chunk.vectors instanceof Float32Array)) throw new InputError(`${path}: packed bits are not written as .${format}`);
      if (dimensions > 0 && chunk.dimensions !== dimensions) throw new InputError(`${path}: rows of different lengths`);
      dimensions = chunk.dimensions;
      rows += chunk.rows;
      await file.writeFile(encode(chunk.vectors, dimensions));
    }
    if (format === "npy") await file.write(npyHeader(rows, dimensions), 0, NPY_HEADER_BYTES, 0);
  });
  return { rows, dimensions };
}

/** [\x93NUMPY][1 u8][0 u8][header length u16][header: a Python dict, spaces, a line end] */
function npyHeader(rows: number, width: number): Uint8Array {
  const dict = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const header = Buffer.from(`\x93NUMPY\x01\x00  ${dict.padEnd(NPY_HEADER_BYTES - 11)}\n`, "latin1");
  header.writeUInt16LE(NPY_HEADER_BYTES - 10, 8);
  return header;
}
