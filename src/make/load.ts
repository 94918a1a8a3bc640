import { maxBytesOf, prepared } from "../base/create.js";
import type { VectorIndex } from "../base/vector-index.js";
import { wrap } from "../family/classes.js";
import { type FileBytes, type FileSource, readFile } from "../file/vic.js";
import { badOption } from "../words/errors.js";
import { RERANK_NAMES } from "../words/kinds.js";
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
 * The index in a .vic file, of whatever kind, wholly checked (checksums, bounds, links, ids). Bytes are copied at the call;
 * what a Response or a Blob brings is not held twice. Errors: BAD_FILE (also where the Response is not ok), BAD_OPTION,
 * OUT_OF_MEMORY.
 */
export async function load(file: FileBytes | FileSource, options: LoadOptions = {}): Promise<VectorIndex> {
  known("load", options, ["maxBytes", "fetchVectors"]);
  const maxBytes = maxBytesOf(options);
  const fetchVectors = options.fetchVectors === undefined ? undefined : fetchVectorsOf(options.fetchVectors);
  const engine = await readFile(file, maxBytes);
  const asks = RERANK_NAMES[engine.state("rerank")] === "caller";
  if (asks !== (fetchVectors !== undefined)) {
    throw badOption(
      asks ? "this index holds codes alone: give load() its fetchVectors" : "this index was created without fetchVectors",
    );
  }
  if (engine.state("coarseGraph") === 1 && engine.state("trained")) {
    const { findLists } = await part(import("../base/extras.js"));
    engine.lists = await findLists(engine);
  }
  return wrap(await prepared(engine, fetchVectors));
}
