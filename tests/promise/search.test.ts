// What every index promises of its answers, over every family x codec, of flat and hnsw every metric x rerank too. Plain search of an
// exact kind must be complete; of an approximate kind its answers must be true and in order, as many as there can be, and most of the
// nearest.
import { Flat, load, type VectorIndex } from "vicinal";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { CODECS, KINDS } from "../../src/words/kinds.js";
import { checkEstimates, checkExact, expectSameBytes, expectSameHits } from "../support/answers.js";
import { EVERY_CASE } from "../support/cases.js";
import { D, given, N, NONE } from "../support/contract.js";
import { exactData, flatten, shuffled } from "../support/data.js";
import { thorough } from "../support/thorough.js";

for (const of of EVERY_CASE) {
  describe(of.name, () => {
    /** One for many tests: who changes it changes its size, and the next has a new one. */
    let index: VectorIndex;
    const { rows, queries, all, open, filled, ask } = given(of, () => index);
    beforeEach(async () => {
      if (index?.size !== N) index = await filled();
    });
    afterAll(() => index.close());

    it.each(thorough([1, 10, 0xfffffffe], [1, 10, 64, N, N + 5, 0xfffffffe]))("search with k = %d", (k) => {
      ask(all, k, (query, effort) => index.search(query, { k, ...effort }));
    });

    it("k defaults to 10", () => {
      expect(index.search(queries[0])).toEqual(index.search(queries[0], { k: 10 }));
    });

    it("equal distances come by id", () => {
      // Ten copies of four rows under ids in no order: the cut falls within a tie.
      const ids = shuffled(
        Array.from({ length: 40 }, (_, i) => 1000 + i),
        5,
      );
      index.add(
        ids.map((_, i) => rows[i % 4]),
        ids,
      );
      for (let i = 0; i < 4; i++) {
        const same = [i, ...ids.filter((_, j) => j % 4 === i)].sort((a, b) => a - b);
        for (const k of [1, 5, 11]) {
          const hits = index.search(rows[i], { k, ...of.thorough });
          // An estimate may place another row before them.
          if (!of.estimates) expect(hits.map(({ id }) => id)).toEqual(same.slice(0, k));
          expect(hits).toEqual(index.search(rows[i], { k, exact: true }));
        }
      }
    });

    it("distances that are shown as equal come by id", () => {
      // Multiples of one direction: under cosine their distances round to a hair above and below 0.
      const direction = [...exactData(of.metric, 1, D, 6)[0]];
      const ids = Array.from({ length: 40 }, (_, i) => 1000 + ((i * 17) % 40));
      index.add(
        ids.map((_, i) => direction.map((x) => (x * (i + 1)) / 7)),
        ids,
      );
      for (let i = 1; i < 30; i++) {
        const query = direction.map((x) => (x * i) / 13);
        for (const exact of [false, true]) {
          const hits = index.search(query, { k: 40, exact });
          for (let j = 1; j < hits.length; j++) {
            const [one, next] = [hits[j - 1], hits[j]];
            if (next.distance === one.distance && !(next.id > one.id)) expect.fail(`id ${next.id} stands after ${one.id}`);
          }
        }
      }
    });

    it("an empty index answers with nothing", async () => {
      const empty = await open();
      for (const options of [{}, { exact: true }, { radius: 1e9 }, { filter: [1, 2] }, { filter: () => true }]) {
        expect(empty.search(queries[0], options)).toEqual([]);
      }
      expect(empty.searchBatch(queries, { k: 2 }).ids).toEqual(new Uint32Array(2 * queries.length).fill(NONE));
      expect([empty.size, empty.deleted, empty.ids().length, empty.remove([1])]).toEqual([0, 0, 0, 0]);
      expect([empty.has(0), empty.get(0)]).toEqual([false, undefined]);
      expectSameBytes((await load(empty.toBytes())).toBytes(), empty.toBytes());
      await empty.compact();
      empty.add(rows.slice(0, 5));
      expect(empty.search(rows[3], { k: 1 })[0].id).toBe(3);
    });

    describe.each(thorough([0, 0.01, 0.2, 0.9], [0, 1 / N, 0.01, 0.05, 0.2, 0.5, 0.9, 1]))("filter that passes %d", (share) => {
      const passing = shuffled(all.keys(), 7).slice(0, Math.round(share * N));
      const among = new Map(passing.map((id) => [id, rows[id]]));
      const bits = new Uint8Array(Math.ceil(N / 8));
      for (const id of passing) bits[id >> 3] |= 1 << (id & 7);

      it("as a set, array, Uint32Array, bitset or function", () => {
        const filters = {
          Set: new Set(passing),
          array: passing,
          Uint32Array: Uint32Array.from(passing),
          bitset: bits,
          function: (id: number) => among.has(id),
          "with ids that are not there": [...passing, ...passing, N, 0xfffffffe],
          "longer bitset": Uint8Array.of(...bits, 255, 255),
        };
        for (const k of [1, 10, N]) {
          ask(among, k, (query, effort) => index.search(query, { k, filter: filters.Set, ...effort }));
          ask(among, k, (query) => index.search(query, { k, filter: bits, exact: true }), true);
          const expected = index.search(queries[1], { k, filter: filters.Set });
          for (const [name, filter] of Object.entries(filters)) {
            expectSameHits(index.search(queries[1], { k, filter }), expected, name);
          }
        }
      });

      it("with many removed", () => {
        const gone = passing.filter((_, i) => i % 3 === 0);
        index.remove(gone);
        const left = new Map([...among].filter(([id]) => !gone.includes(id)));
        ask(left, 10, (query, effort) => index.search(query, { filter: passing, ...effort }));
        ask(left, 10, (query, effort) => index.search(query, { filter: bits, ...effort }));
        ask(left, N, (query, effort) => index.search(query, { k: N, filter: (id) => among.has(id), ...effort }));
      });
    });

    it("a predicate is asked once for every id in the index, and its error passes through", () => {
      index.remove([4, 5]);
      const asked: number[] = [];
      index.search(queries[0], { filter: (id) => asked.push(id) > 0 });
      expect(asked.sort((a, b) => a - b)).toEqual([...index.ids()].sort((a, b) => a - b));
      const before = index.search(queries[0]);
      const filter = (): boolean => {
        throw new RangeError("mine");
      };
      expect(() => index.search(queries[0], { filter })).toThrow(new RangeError("mine"));
      expect(index.search(queries[0])).toEqual(before);
    });

    it("a short bitset lets nothing pass beyond its end", () => {
      ask(new Map([...all].slice(0, 16)), 20, (query, effort) =>
        index.search(query, { k: 20, filter: Uint8Array.of(255, 255), ...effort }),
      );
      expect(index.search(queries[0], { filter: new Uint8Array(0) })).toEqual([]);
    });

    it("radius: all within it, or the k nearest of them", () => {
      for (const count of [0, 1, 10, 100, N]) {
        let found = 0;
        let expected = 0;
        for (const query of queries) {
          // A little more than halfway between two neighbours of different distance, as far as codes can tell.
          const exact = index.search(query, { k: N, exact: true });
          const edge = exact[count - 1]?.distance ?? exact[0].distance - 2;
          const radius = edge + 1e-3;
          const within = exact.filter((hit) => hit.distance <= radius);
          const hits = index.search(query, { radius });
          expect(hits.every((hit) => hit.distance <= radius)).toBe(true);
          if (of.thorough) expectSameHits(index.search(query, { radius, ...of.thorough }), within);
          found += hits.length;
          expected += within.length;
          expectSameHits(index.search(query, { radius, exact: true }), within);
          expectSameHits(index.search(query, { radius, k: 7, exact: true }), within.slice(0, 7));
          if (of.exact) expectSameHits(hits, within);
          expect(index.search(query, { radius, k: 7 }).length).toBeLessThanOrEqual(7);
          const filter = (id: number): boolean => id % 3 === 0;
          expectSameHits(
            index.search(query, { radius, filter, exact: true }),
            within.filter(({ id }) => id % 3 === 0),
          );
        }
        expect(found).toBeLessThanOrEqual(expected);
        if (expected) expect(found / expected).toBeGreaterThanOrEqual(of.recall);
      }
      expect(index.search(queries[0], { radius: Infinity }).length).toBe(N);
      expect(index.search(queries[0], { radius: -Infinity })).toEqual([]);
    });

    it("a hit's own distance as radius finds it", () => {
      for (const query of queries) {
        for (const { id, distance } of index.search(query, { k: 5, exact: true })) {
          for (const exact of [true, false]) {
            const hits = index.search(query, { radius: distance, exact });
            if (exact || of.exact) expect(hits.map((hit) => hit.id)).toContain(id);
            expect(hits.every((hit) => hit.distance <= distance)).toBe(true);
          }
        }
      }
    });

    it("exact: true answers as Flat does", async () => {
      // Where codes estimate, nobody else's estimates are the same.
      if (of.estimates) {
        for (const query of queries) {
          checkEstimates(index, all, query, of);
          for (const k of [1, 10, N]) checkExact(index.search(query, { k, exact: true }), all, query, k, of, index);
        }
        return;
      }
      const codec = of.rerank && of.codec !== "sq8" ? "f32" : of.holds;
      const flat = await Flat.create({ dimensions: D, metric: of.metric, codec, rerank: of.rerank });
      flat.add(rows);
      for (const query of queries) {
        for (const k of [1, 10, N]) expectSameHits(index.search(query, { k, exact: true }), flat.search(query, { k }));
      }
      expect(index.searchBatch(queries, { k: 9, exact: true })).toEqual(flat.searchBatch(queries, { k: 9 }));
    });

    it("searchBatch finds what search finds, padded with id 4294967295 at Infinity", () => {
      for (const options of [
        { k: 1 },
        {},
        { k: N + 3 },
        { k: 9, [KINDS[of.kind].effort ?? "ef"]: 200 },
        { k: 8, filter: [3, 1, 4, 15, 92, 65] },
        { k: 8, filter: [] },
        { k: 8, filter: (id: number) => id % 2 === 0, exact: true },
      ]) {
        const batch = index.searchBatch(queries, options);
        expect(batch.k).toBe(options.k ?? 10);
        const expected = queries.flatMap((query) => {
          const hits = index.search(query, options).map(({ id, distance }) => [id, Math.fround(distance)]);
          return [...hits, ...new Array(batch.k - hits.length).fill([NONE, Infinity])];
        });
        expect([...batch.ids]).toEqual(expected.map(([id]) => id));
        expect([...batch.distances]).toEqual(expected.map(([, distance]) => distance));
      }
      expect(index.searchBatch([], { k: 3 })).toEqual({ ids: new Uint32Array(), distances: new Float32Array(), k: 3 });
      expect(index.searchBatch(flatten(queries), { k: 3 })).toEqual(index.searchBatch(queries, { k: 3 }));
    });

    it("lastStats counts the work of the last search", () => {
      if (of.options.prefilter) {
        // Codes first, then the rows that they do not exclude; a few rows alone are read at once.
        index.search(queries[0], { k: 10 });
        expect(index.lastStats).toEqual({ distances: N, visited: N, reranked: expect.any(Number), plan: "scan" });
        expect(index.lastStats.reranked).toBeGreaterThanOrEqual(10);
        index.search(queries[0], { filter: [1, 2, 3] });
        expect(index.lastStats).toEqual({ distances: 0, visited: 3, reranked: 3, plan: "scan" });
        return;
      }
      // An exact search scans exact rows where they are kept: nothing is left to re-score.
      // Codes that lists have their own tables for are scanned list by list.
      index.search(queries[0], { exact: true });
      const visited = of.kind === "ivf" && of.estimates ? expect.any(Number) : N;
      expect(index.lastStats).toEqual({ distances: N, visited, reranked: 0, plan: "scan" });
      index.search(queries[0], { exact: true, filter: [1, 2, 3] });
      expect(index.lastStats).toMatchObject({ distances: 3, reranked: 0 });
      if (visited === N) expect(index.lastStats.visited).toBe(3);
      index.search(queries[0]);
      const one = index.lastStats;
      expect(one.visited).toBeGreaterThanOrEqual(of.kind === "ivf" && of.learns ? 4 : 10);
      expect(one.distances).toBeLessThanOrEqual(N + 16);
      // Walks may nominate by something coarser than the codec, and then re-score too.
      // The leaves of a k-d tree are scored by exact rows at once.
      // A graph of so few is scanned, by exact rows, where that costs less than a walk.
      const byRows = of.kind === "kdtree" || (of.kind === "hnsw" && one.plan === "scan");
      const again = of.rerank && !byRows ? 10 * CODECS[of.codec].rerankFactor : 0;
      if (of.exact || of.rerank) expect(one.reranked).toBe(again);
      index.searchBatch([queries[0], queries[0]]);
      expect(index.lastStats.reranked).toBe(2 * one.reranked);
      expect(index.lastStats.distances).toBeGreaterThan(0);
    });
  });
}
