import { MAX_ID } from "../../input/vectors.js";
import { unreadable } from "../imported.js";
import { viewOf } from "../view-of.js";
import { type ByteReader, latin1 } from "./bytes.js";
import { type Chunk, MAX_DIMENSIONS, rowsPerChunk } from "./chunk.js";
import { BOOL, decodeBlock, type Element, F16, F32, F64, I8, I16, I32, I64, packedBlock, U8, U16, U32, U64 } from "./elements.js";

/** By what stands behind the mark of the byte order; "b1" are booleans, one to the byte. */
const ELEMENTS: Record<string, Element> = {
  ...{ f2: F16, f4: F32, f8: F64 },
  ...{ i1: I8, i2: I16, i4: I32, i8: I64, u1: U8, u2: U16, u4: U32, u8: U64, b1: BOOL },
};

/** What the file begins with, in Latin-1. */
export const NPY_MARK = "\x93NUMPY";

const MAX_HEADER_BYTES = 1 << 20;
/** As many as there are ids. */
const MAX_ROWS = MAX_ID + 1;

/** Reads a two-dimensional .npy array; `packed` takes each byte of a uint8 array as eight bits. */
export async function* readNpy(reader: ByteReader, packed: boolean): AsyncGenerator<Chunk> {
  const { path } = reader;
  const { element, isLittleEndian, rows: total, width } = await readHeader(reader);
  const stride = width * element.bytes;
  for (let firstRow = 0; firstRow < total; ) {
    const rows = Math.min(rowsPerChunk(width), total - firstRow);
    const bytes = await reader.take(rows * stride);
    if (bytes.length < rows * stride) {
      const whole = firstRow + Math.floor(bytes.length / stride);
      throw unreadable(`${path}: truncated after row ${whole}: its header says ${total} rows of ${width} values`);
    }
    const block = { path, bytes, firstRow, rows, width, stride, skip: 0, total };
    yield packed && element === U8 ? packedBlock(block) : decodeBlock(block, element, isLittleEndian);
    firstRow += rows;
  }
  if ((await reader.take(1)).length > 0) throw unreadable(`${path}: more bytes after the ${total} rows of its header`);
}

interface Header {
  readonly element: Element;
  readonly isLittleEndian: boolean;
  readonly rows: number;
  readonly width: number;
}

/** file: [\x93NUMPY][major u8][minor u8][header length u16, from version 2 on u32][header: a Python dict][rows] */
async function readHeader(reader: ByteReader): Promise<Header> {
  const fail = (sentence: string) => unreadable(`${reader.path}: ${sentence}`);
  const magic = await reader.take(8);
  if (latin1(magic.subarray(0, 6)) !== NPY_MARK || magic.length < 8) throw fail("not a .npy file (no NUMPY mark)");
  const major = magic[6] as number;
  if (major < 1 || major > 3) throw fail(`.npy version ${major} is not known (1, 2 and 3 are)`);
  const lengthBytes = await reader.take(major === 1 ? 2 : 4);
  if (lengthBytes.length < (major === 1 ? 2 : 4)) throw fail("truncated in the .npy header");
  const headerBytes = major === 1 ? viewOf(lengthBytes).getUint16(0, true) : viewOf(lengthBytes).getUint32(0, true);
  if (headerBytes > MAX_HEADER_BYTES) throw fail(`a .npy header of ${headerBytes} bytes: damaged`);
  const bytes = await reader.take(headerBytes);
  if (bytes.length < headerBytes) throw fail("truncated in the .npy header");

  const header = new TextDecoder().decode(bytes);
  const descr = /['"]descr['"]\s*:\s*['"]([^'"]*)['"]/.exec(header)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(header)?.[1];
  const shape = /['"]shape['"]\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    throw fail(`the .npy header is not one of a plain array: ${header.trim().slice(0, 100)}`);
  }
  // "<" and ">", or "=" and "|", which are written where the order is the machine's or does not matter.
  const [, mark, type] = /^([<>=|]?)(\w+)$/.exec(descr) ?? [];
  const element = ELEMENTS[type ?? ""];
  if (element === undefined) {
    throw fail(`values of type '${descr}': expected one of ${Object.keys(ELEMENTS).join(" ")} (astype("float32") helps)`);
  }
  if (order === "True") throw fail("Fortran order: save it with numpy.ascontiguousarray");
  const [rows, width, ...more] = shape
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(toLength);
  if (rows === undefined || width === undefined || more.length > 0) {
    throw fail(`shape (${shape}): expected two dimensions, rows and values per row`);
  }
  if (!(rows <= MAX_ROWS)) throw fail(`shape (${shape}): expected a whole number of rows up to ${MAX_ROWS}`);
  if (!(width >= 1 && width <= MAX_DIMENSIONS)) {
    throw fail(`shape (${shape}): expected a whole number of values per row from 1 to ${MAX_DIMENSIONS}`);
  }
  return { element, isLittleEndian: mark !== ">", rows, width };
}

/** One number of a shape, which Python 2 wrote with an L behind it; NaN where it is no length. */
function toLength(text: string): number {
  return Number(/^\s*(\d+)L?\s*$/.exec(text)?.[1]);
}
