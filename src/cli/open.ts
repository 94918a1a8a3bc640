import { type Index, load, METRICS, readBytes, VicinalError } from "./core.js";
import { InputError } from "./errors.js";
import { type Reading, type Rows, readRows } from "./read/vectors.js";

/** Loads an index; errors name the file. */
export async function openIndex(path: string): Promise<Index> {
  const contents = await readBytes(path);
  return naming(path, () => load(contents));
}

/** Runs `work` so that what the library refuses names the file. */
export async function naming<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof VicinalError)) throw error;
    const remedy = error.code === "DUPLICATE_ID" ? ": number the rows anew, or leave the ids out" : "";
    throw new InputError(`${path}: ${error.message}${remedy}`);
  }
}

/** Reads the queries in a file, holding them to the index's dimensions. */
export async function readQueries(path: string, index: Index, reading: Reading): Promise<Rows> {
  const rows = await readRows(path, { ...reading, packed: METRICS[index.metric].packed === true });
  if (rows.dimensions !== index.dimensions) {
    throw new InputError(`${path}: vectors of ${rows.dimensions} dimensions, the index has ${index.dimensions}`);
  }
  return rows;
}
