import type { VectorIndex } from "./base.js";
import { type FileBytes, readFile } from "./file.js";
import { Flat } from "./flat.js";
import { Hnsw } from "./hnsw.js";
import { KIND_NAMES, type Kind } from "./kinds.js";
import type { Engine } from "./memory.js";
import { integer, known } from "./options.js";

const CLASSES: Readonly<Record<Kind, { over(engine: Engine): VectorIndex }>> = { flat: Flat, hnsw: Hnsw };

export interface LoadOptions {
  /** As for `create`. Default 4 GiB. */
  maxBytes?: number;
}

/**
 * The index in a .vic file, of whatever kind. The bytes are copied and wholly checked (checksums, bounds, links, ids)
 * before it returns. Errors: BAD_FILE, OUT_OF_MEMORY.
 */
export async function load(bytes: FileBytes, options: LoadOptions = {}): Promise<VectorIndex> {
  known("load", options, ["maxBytes"]);
  const maxBytes = options.maxBytes === undefined ? undefined : integer("maxBytes", options.maxBytes, 65536, 2 ** 32);
  const engine = await readFile(bytes, maxBytes);
  return CLASSES[KIND_NAMES[engine.state("kind")]].over(engine);
}
