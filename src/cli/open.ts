import { open } from "node:fs/promises";
import { type Index, load, VicinalError } from "./core.js";
import { InputError } from "./errors.js";
import { type ReadOptions, type Rows, readRows } from "./read/vectors.js";

const READ_BYTES = 1 << 30;

/** Reads a file whole, also beyond the 2 GiB that `readFile` can. */
export async function readWhole(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const contents = new Uint8Array((await file.stat()).size);
    for (let at = 0; at < contents.length; ) {
      const { bytesRead } = await file.read(contents, at, Math.min(READ_BYTES, contents.length - at), at);
      if (bytesRead === 0) throw new InputError(`${path}: became shorter while it was read`);
      at += bytesRead;
    }
    return contents;
  } finally {
    await file.close();
  }
}

/** Loads an index; errors name the file. */
export async function openIndex(path: string): Promise<Index> {
  const contents = await readWhole(path);
  return naming(path, () => load(contents));
}

/** Runs `work` so that what the library refuses names the file. */
export async function naming<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof VicinalError ? new InputError(`${path}: ${error.message}`) : error;
  }
}

/** Reads the queries in a file, holding them to the index's dimensions. */
export async function readQueries(path: string, index: Index, fields: Omit<ReadOptions, "packed">): Promise<Rows> {
  const rows = await readRows(path, { ...fields, packed: index.metric === "hamming" });
  if (rows.dimensions !== index.dimensions) {
    throw new InputError(`${path}: vectors of ${rows.dimensions} dimensions, the index has ${index.dimensions}`);
  }
  return rows;
}
