// What a worker does with a search, whichever way it comes to an index.
import type { VectorIndex } from "../base/vector-index.js";
import type { Explanation, Hit } from "../border/answers.js";
import type { BatchHits } from "../search/batch.js";
import type { Filter } from "../search/filter.js";
import type { Search } from "./words.js";

export function found(
  index: VectorIndex,
  { rows, many, explained, options }: Search,
  filter: Filter | undefined,
): Hit[] | BatchHits | Explanation {
  const all = { ...options, ...(filter !== undefined && { filter }) };
  if (many) return index.searchBatch(rows, all);
  return explained ? index.explain(rows, all) : index.search(rows, all);
}
