import { maxBytesOf, prepared } from "../base/create.js";
import type { VectorIndex } from "../base/vector-index.js";
import type { Engine } from "../border/engine.js";
import { newInstance } from "../border/runtime.js";
import { wrap } from "../family/classes.js";
import { type FileBytes, readFile } from "../file/vic.js";
import { inSlices } from "../input/slices.js";
import { badOption } from "../words/errors.js";
import { RERANK_NAMES } from "../words/kinds.js";
import { WHOLE_MEMORY } from "../words/needs.js";
import { known } from "../words/options.js";
import { part } from "../words/part.js";
import { type FetchVectors, fetchVectorsOf } from "../words/rerank-option.js";

export interface LoadOptions {
  /** As for `create`. Default 4 GiB. */
  maxBytes?: number;
  /** Of an index that was created with one: what brings the vectors that candidates are re-scored by. */
  fetchVectors?: FetchVectors;
}

/**
 * The index in a .vic file, of whatever kind. The bytes are copied and wholly checked (checksums, bounds, links, ids)
 * before it returns. Errors: BAD_FILE, BAD_OPTION, OUT_OF_MEMORY.
 */
export async function load(bytes: FileBytes, options: LoadOptions = {}): Promise<VectorIndex> {
  known("load", options, ["maxBytes", "fetchVectors"]);
  const maxBytes = maxBytesOf(options);
  const fetchVectors = options.fetchVectors === undefined ? undefined : fetchVectorsOf(options.fetchVectors);
  const engine = await readFile(bytes, maxBytes);
  const asks = RERANK_NAMES[engine.state("rerank")] === "caller";
  if (asks !== (fetchVectors !== undefined)) {
    throw badOption(
      asks
        ? "this index holds codes alone: give load() the fetchVectors that brings the vectors"
        : "this index keeps what it needs itself; fetchVectors is for those created with one",
    );
  }
  await findLists(engine);
  return wrap(await prepared(engine, fetchVectors));
}

/** The graph over centroids is not in the file, it follows from them. */
async function findLists(engine: Engine): Promise<void> {
  if (engine.state("coarseGraph") !== 1 || !engine.state("trained")) return;
  const { buildLists } = await part(import("../base/extras.js"));
  engine.lists = await inSlices(buildLists(engine, await newInstance("core", WHOLE_MEMORY)), () => {});
}
