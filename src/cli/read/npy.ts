import { InputError } from "../errors.js";
import type { ByteReader } from "./bytes.js";
import { type Chunk, MAX_DIMENSIONS, rowsPerChunk } from "./chunk.js";
import { decodeBlock, type Element, F16, F32, F64, I8, packedBlock, U8 } from "./elements.js";

const ELEMENTS: Record<string, Element> = { "<f2": F16, "<f4": F32, "<f8": F64, "|i1": I8, "|u1": U8 };

const MAX_HEADER_BYTES = 1 << 20;

/** Reads a two-dimensional .npy array; `packed` takes each byte of a uint8 array as eight bits. */
export async function* readNpy(reader: ByteReader, packed: boolean): AsyncGenerator<Chunk> {
  const { path } = reader;
  const { element, rows: total, width } = await readHeader(reader);
  const stride = width * element.bytes;
  for (let firstRow = 0; firstRow < total; ) {
    const rows = Math.min(rowsPerChunk(width), total - firstRow);
    const bytes = await reader.take(rows * stride);
    if (bytes.length < rows * stride) {
      const whole = firstRow + Math.floor(bytes.length / stride);
      throw new InputError(`${path}: truncated after row ${whole}: its header says ${total} rows of ${width} values`);
    }
    const block = { path, bytes, firstRow, rows, width, stride, skip: 0, total };
    yield packed && element === U8 ? packedBlock(block) : decodeBlock(block, element);
    firstRow += rows;
  }
  if ((await reader.take(1)).length > 0) throw new InputError(`${path}: more bytes after the ${total} rows of its header`);
}

/** file: [\x93NUMPY][major u8][minor u8][header length u16, from version 2 on u32][header: a Python dict][rows] */
async function readHeader(reader: ByteReader): Promise<{ element: Element; rows: number; width: number }> {
  const fail = (sentence: string) => new InputError(`${reader.path}: ${sentence}`);
  const magic = await reader.take(8);
  if (magic.toString("latin1", 0, 6) !== "\x93NUMPY" || magic.length < 8) throw fail("not a .npy file (no NUMPY mark)");
  const major = magic[6] as number;
  if (major < 1 || major > 3) throw fail(`.npy version ${major} is not known (1, 2 and 3 are)`);
  const lengthBytes = await reader.take(major === 1 ? 2 : 4);
  const headerBytes = lengthBytes.length < 2 ? 0 : lengthBytes.readUIntLE(0, lengthBytes.length);
  if (headerBytes > MAX_HEADER_BYTES) throw fail(`a .npy header of ${headerBytes} bytes: damaged`);
  const header = (await reader.take(headerBytes)).toString("utf8");
  if (header.length === 0) throw fail("truncated in the .npy header");

  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  if (descr === undefined || order === undefined || shape === undefined) {
    throw fail(`the .npy header is not one of a plain array: ${header.trim().slice(0, 100)}`);
  }
  if (descr.startsWith(">")) throw fail(`big-endian values ('${descr}'): save it as little-endian float32`);
  const element = ELEMENTS[descr];
  if (element === undefined) {
    throw fail(`values of type '${descr}': expected one of ${Object.keys(ELEMENTS).join(" ")} (astype("float32") helps)`);
  }
  if (order === "True") throw fail("Fortran order: save it with numpy.ascontiguousarray");
  const [rows, width, ...more] = shape
    .split(",")
    .filter((part) => part.trim() !== "")
    .map(Number);
  if (rows === undefined || width === undefined || more.length > 0) {
    throw fail(`shape (${shape}): expected two dimensions, rows and values per row`);
  }
  if (!(width >= 1 && width <= MAX_DIMENSIONS)) throw fail(`shape (${shape}): ${width} values per row`);
  return { element, rows, width };
}
