// What the suites of the contract (promise/search, change, add-all) stand on: the vectors of a case, and answers held against them.
import type { Hit, SearchOptions, VectorIndex } from "vicinal";
import { expect } from "vitest";
import { checkExact, checkHits, expectSameBytes, expectSameHits, measured, numbered, type Rows, toldBy } from "./answers.js";
import { type Case, open } from "./cases.js";
import { exactData } from "./data.js";

export const D = 20;
export const N = 300;
export const NONE = 4294967295;

/** N vectors and some queries of a case; `current` is the index that is asked where no other is named. */
export function given(of: Case, current: () => VectorIndex) {
  const rows = exactData(of.metric, N, D, 1);
  const queries = [...exactData(of.metric, 12, D, 2), rows[7], rows[150]];
  const all: Rows = numbered(rows);

  async function filled(): Promise<VectorIndex> {
    const index = await open(of, D);
    index.add(rows);
    return index;
  }

  /** `answer` for each query must be right among `among`: all of it, or most of it where the kind is approximate. */
  function ask(
    among: Rows,
    k: number,
    answer: (query: Float32Array, effort: SearchOptions) => Hit[],
    exact = of.exact,
    asked = current(),
  ): void {
    let recall = 0;
    for (const query of queries) {
      const told = toldBy(asked, among, query, of);
      if (exact) checkExact(answer(query, {}), among, query, k, of, asked, told);
      else if (of.thorough) checkExact(answer(query, of.thorough), among, query, k, of, asked, told);
      recall += exact ? 1 : checkHits(answer(query, {}), among, query, k, of, asked, told);
    }
    expect(measured(`${of.name} recall`, recall / queries.length)).toBeGreaterThanOrEqual(of.recall);
  }

  /** Two that were given the same, in the same order; in calls that may have been cut in different places. */
  function expectSame(one: VectorIndex, other: VectorIndex): void {
    if (of.cutsAlike) {
      expectSameBytes(one.toBytes(), other.toBytes());
      return;
    }
    expect(new Set(one.ids())).toEqual(new Set(other.ids()));
    for (const id of one.ids()) expectSameBytes(bytesOf(one.get(id)!), bytesOf(other.get(id)!), `vector ${id}`);
    for (const query of queries) {
      expectSameHits(one.search(query, { k: N, exact: true }), other.search(query, { k: N, exact: true }));
      if (of.exact || of.thorough) expectSameHits(one.search(query, of.thorough), other.search(query, of.thorough));
    }
  }

  return { rows, queries, all, open: () => open(of, D), filled, ask, expectSame };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
