import { unreadable } from "../imported.js";
import { viewOf } from "../view-of.js";
import type { ByteReader } from "./bytes.js";
import { type Chunk, MAX_DIMENSIONS, rowsPerChunk } from "./chunk.js";
import { type Block, decodeBlock, type Element, packedBlock } from "./elements.js";

/** Reads .fvecs or .bvecs as vectors; `packed` takes each byte of a .bvecs as eight bits. */
export async function* readVecs(reader: ByteReader, element: Element, packed: boolean): AsyncGenerator<Chunk> {
  for await (const block of vecsBlocks(reader, element.bytes)) {
    yield packed ? packedBlock(block) : decodeBlock(block, element);
  }
}

/** Reads a small .ivecs whole: the true neighbours of each query, nearest first. */
export async function readIvecs(reader: ByteReader): Promise<Uint32Array[]> {
  const lists: Uint32Array[] = [];
  for await (const { bytes, rows, width, stride, skip } of vecsBlocks(reader, 4)) {
    const view = viewOf(bytes);
    for (let row = 0; row < rows; row++) {
      lists.push(Uint32Array.from({ length: width }, (_, i) => view.getUint32(row * stride + skip + i * 4, true)));
    }
  }
  return lists;
}

/**
 * The rows of a .?vecs file, checked but not decoded.
 * row: [dimension i32][dimension x element], little-endian; every row has the same dimension.
 */
async function* vecsBlocks(reader: ByteReader, elementBytes: number): AsyncGenerator<Block> {
  const { path } = reader;
  const head = await reader.peek(4);
  if (head.length === 0) return;
  const width = head.length === 4 ? viewOf(head).getInt32(0, true) : 0;
  if (width < 1 || width > MAX_DIMENSIONS) {
    throw unreadable(`${path}: row 1 starts with dimension ${width}: damaged, or not a file of this format`);
  }
  const skip = 4;
  const stride = skip + width * elementBytes;
  const total = reader.bytes === undefined ? undefined : Math.floor(reader.bytes / stride);
  for (let firstRow = 0; ; ) {
    const bytes = await reader.take(rowsPerChunk(width) * stride);
    if (bytes.length === 0) return;
    const rows = Math.ceil(bytes.length / stride);
    const view = viewOf(bytes);
    for (let row = 0; row < rows; row++) {
      const where = `row ${firstRow + row + 1}`;
      const left = bytes.length - row * stride;
      const found = left >= skip ? view.getInt32(row * stride, true) : width;
      if (found !== width) throw unreadable(`${path}: ${where} has ${found} values, the first row has ${width}`);
      if (left < stride) throw unreadable(`${path}: truncated in ${where}: ${left} of its ${stride} bytes are there`);
    }
    yield { path, bytes, firstRow, rows, width, stride, skip, total };
    firstRow += rows;
  }
}
