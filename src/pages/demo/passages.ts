// What the server reads for the page: passages of the installed packages' README files.
import { readCorpus } from "../../cli/demo/corpus.js";
import type { Passage } from "./passage.js";

/** Of each package. */
const OF_PACKAGE = 8;

/** At most `limit` of them, as the command line's demo has them. */
export async function readPassages(limit: number): Promise<Passage[]> {
  const { stored } = await readCorpus(undefined, limit, OF_PACKAGE);
  return stored.map(({ id, source, title, text }) => ({ id, package: source, title, text }));
}
