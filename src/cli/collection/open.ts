import { stat } from "node:fs/promises";
import { Collection, folder, type Where } from "../core.js";
import { InputError } from "../errors.js";
import { jsonOf } from "../options.js";

/** Runs `work` on a collection that is there, and closes it whatever comes of it. */
export async function withCollection<T>(path: string, work: (collection: Collection) => Promise<T>): Promise<T> {
  await expectFolder(path);
  const collection = await Collection.open({ storage: folder(path) }).catch((error) => {
    if (!/^there is no collection/.test((error as Error).message)) throw error;
    throw new InputError(`${path}: holds no collection; vicinal collection import makes one`);
  });
  try {
    return await work(collection);
  } finally {
    await collection.close();
  }
}

/** So that looking for a collection in the wrong place makes no folder there. */
async function expectFolder(path: string): Promise<void> {
  if (!(await stat(path)).isDirectory()) throw new InputError(`${path}: is a file; a collection is a folder`);
}

/** The conditions of --where, as JSON. */
export function conditions(text: string | undefined): Where | undefined {
  return jsonOf("--where", text, '{"lang":"en","year":{"$gte":2020}}') as Where | undefined;
}

/** A number for each dimension, as import takes them: of packed bits, 0 and 1, lowest first. */
export function numbersOf(vector: Float32Array | Uint8Array, dimensions: number): number[] {
  if (!(vector instanceof Uint8Array)) return Array.from(vector);
  return Array.from({ length: dimensions }, (_, i) => (vector[i >> 3] >> (i & 7)) & 1);
}
