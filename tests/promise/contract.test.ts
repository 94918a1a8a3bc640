// What every index promises, over every family x codec, of flat and hnsw every metric x rerank too. Plain search of an exact kind must be complete; of an
// approximate kind its answers must be true and in order, as many as there can be, and most of the nearest.
import { Flat, type Hit, load, type SearchOptions, type VectorIndex, VicinalError } from "vicinal";
import { beforeEach, describe, expect, it } from "vitest";
import { CODECS, KINDS, METRICS } from "../../src/words/kinds.js";
import {
  checkEstimates,
  checkExact,
  checkHits,
  checkKept,
  expectSameBytes,
  measured,
  nearest,
  numbered,
  type Rows,
} from "../support/answers.js";
import { type Case, create, EVERY_CASE, KINDS_AND_CODECS, open as openNew, QUICK } from "../support/cases.js";
import { exactData, flatten, integers, packed, shuffled } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";

const D = 20;
const N = 300;
const NONE = 4294967295;

const files = new Map<Case, Uint8Array>();
/** An empty index that has learned, from a file: learning takes a while. */
async function open(of: Case): Promise<VectorIndex> {
  if (!of.learns) return openNew(of, D);
  const file = files.get(of) ?? (await openNew(of, D)).toBytes();
  files.set(of, file);
  return load(file);
}

for (const of of EVERY_CASE) {
  describe(of.name, () => {
    const rows = exactData(of.metric, N, D, 1);
    const queries = [...exactData(of.metric, 12, D, 2), rows[7], rows[150]];
    const all: Rows = numbered(rows);
    let index: VectorIndex;

    /** `answer` for each query must be right among `among`: all of it, or most of it where the kind is approximate. */
    function ask(
      among: Rows,
      k: number,
      answer: (query: Float32Array, effort: SearchOptions) => Hit[],
      exact = of.exact,
      asked = index,
    ) {
      let recall = 0;
      for (const query of queries) {
        if (exact) checkExact(answer(query, {}), among, query, k, of, asked);
        else if (of.thorough) checkExact(answer(query, of.thorough), among, query, k, of, asked);
        recall += exact ? 1 : checkHits(answer(query, {}), among, query, k, of, asked);
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
      for (const id of one.ids()) expect(one.get(id)).toEqual(other.get(id));
      for (const query of queries) {
        expect(one.search(query, { k: N, exact: true })).toEqual(other.search(query, { k: N, exact: true }));
        if (of.exact || of.thorough) expect(one.search(query, of.thorough)).toEqual(other.search(query, of.thorough));
      }
    }

    beforeEach(async () => {
      index = await open(of);
      index.add(rows);
    });

    it("takes vectors in every form", async () => {
      const few = exactData(of.metric, 9, D, 3).map((row) => row.map(Math.abs));
      const forms: Record<string, ArrayLike<number> | ArrayLike<ArrayLike<number>>> = {
        "Float32Array[]": few,
        "number[][]": few.map((row) => [...row]),
        Float32Array: flatten(few),
        "number[]": [...flatten(few)],
        Float64Array: Float64Array.from(flatten(few)),
        "array-like": { ...few, length: 9 },
        mixed: few.map((row, i) => (i % 2 ? row : [...row])),
        ...(of.metric === "hamming"
          ? {
              "packed Uint8Array[]": few.map(packed),
              "packed Uint8Array": Uint8Array.from(few.flatMap((row) => [...packed(row)])),
            }
          : { Uint8Array: Uint8Array.from(flatten(few)), Int16Array: Int16Array.from(flatten(few)) }),
      };
      const expected = await open(of);
      expected.add(few);
      for (const [name, vectors] of Object.entries(forms)) {
        const other = await open(of);
        other.add(vectors);
        expectSameBytes(other.toBytes(), expected.toBytes(), name);
      }
      for (const query of [few[3], [...few[3]], ...(of.metric === "hamming" ? [packed(few[3])] : [])]) {
        expect(expected.search(query, { k: 3 })).toEqual(expected.search(few[3], { k: 3 }));
      }
    });

    it("adds nothing where there is nothing to add", () => {
      const before = index.toBytes();
      index.add([]);
      index.add(new Float32Array(0), []);
      expectSameBytes(index.toBytes(), before);
    });

    it("numbers vectors onwards from the largest id, and takes ids of any order", () => {
      expect([...index.ids()].sort((a, b) => a - b)).toEqual(rows.map((_, i) => i));
      const more = exactData(of.metric, 6, D, 4);
      index.add(more.slice(0, 2), [5000, 1000]);
      index.add(more.slice(2, 4));
      index.add(more.slice(4), new Uint32Array([0x80000000, 4000]));
      const among = new Map([...all, ...numbered(more, [5000, 1000, 5001, 5002, 0x80000000, 4000])]);
      expect(new Set(index.ids())).toEqual(new Set(among.keys()));
      ask(among, 10, (query, effort) => index.search(query, effort));
      for (const [id, row] of numbered(more, [5000, 1000, 5001, 5002, 0x80000000, 4000])) {
        expect(index.search(row, { k: 1, exact: true })[0].id).toBe(id);
      }
    });

    it.each([1, 10, 64, N, N + 5, 0xfffffffe])("search with k = %d", (k) => {
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
            if (hits[j].distance === hits[j - 1].distance) expect(hits[j].id).toBeGreaterThan(hits[j - 1].id);
          }
        }
      }
    });

    it("an empty index answers with nothing", async () => {
      const empty = await open(of);
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

    describe.each([0, 1 / N, 0.01, 0.05, 0.2, 0.5, 0.9, 1])("filter that passes %d", (share) => {
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
          "with ids that are not there": [...passing, ...passing, N, 0xffffffff, -1, 0.5, 2 ** 40],
          "longer bitset": Uint8Array.of(...bits, 255, 255),
        };
        for (const k of [1, 10, N]) {
          ask(among, k, (query, effort) => index.search(query, { k, filter: filters.Set, ...effort }));
          ask(among, k, (query) => index.search(query, { k, filter: bits, exact: true }), true);
          const expected = index.search(queries[1], { k, filter: filters.Set });
          for (const [name, filter] of Object.entries(filters)) {
            expect(index.search(queries[1], { k, filter }), name).toEqual(expected);
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
          if (of.thorough) expect(index.search(query, { radius, ...of.thorough })).toEqual(within);
          found += hits.length;
          expected += within.length;
          expect(index.search(query, { radius, exact: true })).toEqual(within);
          expect(index.search(query, { radius, k: 7, exact: true })).toEqual(within.slice(0, 7));
          if (of.exact) expect(hits).toEqual(within);
          expect(index.search(query, { radius, k: 7 }).length).toBeLessThanOrEqual(7);
          const filter = (id: number): boolean => id % 3 === 0;
          expect(index.search(query, { radius, filter, exact: true })).toEqual(within.filter(({ id }) => id % 3 === 0));
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
        for (const k of [1, 10, N]) expect(index.search(query, { k, exact: true })).toEqual(flat.search(query, { k }));
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

    it("has and get return what was added", () => {
      index.add(exactData(of.metric, 2, D, 8), [NONE - 1, 777]);
      const among = new Map([...all, ...numbered(exactData(of.metric, 2, D, 8), [NONE - 1, 777])]);
      for (const [id, row] of among) {
        expect(index.has(id)).toBe(true);
        checkKept(index.get(id)!, row, of);
      }
      if (of.estimates) {
        // Of the vectors that it has learned from, as much is lost as training said.
        const lost = rows.map((row, id) => {
          const scale = of.metric === "cosine" ? 1 / Math.hypot(...row) : 1;
          return (scale * METRICS.l2.exact(row, index.get(id)!)) ** 2;
        });
        const error = lost.reduce((sum, x) => sum + x) / N;
        // rabitq says it of its code space, here of 32 dimensions, of which get() sees those of the vectors.
        const share = of.codec === "rabitq" ? D / 32 : 1;
        expect(Math.abs(error / index.stats().error! / share - 1)).toBeLessThan(of.codec === "rabitq" ? 0.05 : 1e-3);
      }
      expect([index.has(N), index.get(N)]).toEqual([false, undefined]);
      const vector = index.get(0)!;
      const kept = vector.slice();
      index.add(
        rows,
        rows.map((_, i) => 1000 + i),
      );
      index.search(rows[9]);
      expect(vector).toEqual(kept);
    });

    it("removed vectors are found no more, and their ids may come again", () => {
      expect(index.remove(3)).toBe(1);
      expect(index.remove(3)).toBe(0);
      expect(index.remove([0, 1, 2, 3, 1, N, 0xfffffffe])).toBe(3);
      expect(index.remove(new Uint32Array([4]))).toBe(1);
      expect(index.remove([])).toBe(0);
      expect(index.size).toBe(N - 5);
      const left = new Map([...all].slice(5));
      for (const id of [0, 1, 2, 3, 4]) expect([index.has(id), index.get(id)]).toEqual([false, undefined]);
      expect(new Set(index.ids())).toEqual(new Set(left.keys()));
      ask(left, 10, (query, effort) => index.search(query, effort));
      ask(left, N, (query) => index.search(query, { k: N, exact: true }), true);
      index.add([rows[0], rows[1]], [1, 0]);
      checkKept(index.get(1)!, rows[0], of);
      checkKept(index.get(0)!, rows[1], of);
      const again = new Map([...left, [1, rows[0]], [0, rows[1]]]);
      ask(again, 10, (query, effort) => index.search(query, effort));
      expect(index.size).toBe(N - 3);
    });

    it("almost all may be removed, and all, and others added", () => {
      const ids = shuffled(all.keys(), 9);
      for (const id of ids.slice(0, N - 4)) index.remove(id);
      const left = new Map(ids.slice(N - 4).map((id) => [id, rows[id]]));
      ask(left, 10, (query, effort) => index.search(query, effort));
      index.remove(ids);
      expect([index.size, index.deleted]).toEqual([0, 0]);
      expect(index.search(queries[0])).toEqual([]);
      index.add(rows);
      ask(
        numbered(
          rows,
          Uint32Array.from(rows, (_, i) => N + i),
        ),
        10,
        (query, effort) => index.search(query, effort),
      );
    });

    it("ids after removals are found, however they were removed", async () => {
      // One by one leaves a graph half repaired; the adds that follow finish the repair and take the free places.
      index.add(exactData(of.metric, 700, D, 10));
      for (let id = 0; id < 203; id++) index.remove(id);
      const more = exactData(of.metric, 500, D, 11);
      index.add(more);
      const among = new Map([
        ...[...numbered([...rows, ...exactData(of.metric, 700, D, 10)])].slice(203),
        ...numbered(
          more,
          more.map((_, i) => 1000 + i),
        ),
      ]);
      expect(new Set(index.ids())).toEqual(new Set(among.keys()));
      for (const id of among.keys()) if (!index.has(id)) expect.fail(`id ${id} is lost`);
      ask(among, 10, (query) => index.search(query, { exact: true }), true);
      checkEstimates(index, among, queries[0], of);
      expect(index.remove([...among.keys()])).toBe(1297);
      expect(index.size).toBe(0);
    });

    it("size, bytes and stats tell the truth", () => {
      const { kind, metric, codec } = of;
      expect(index).toMatchObject({ kind, metric, codec, rerank: of.rerank, dimensions: D, size: N, deleted: 0 });
      expect(index.stats()).toMatchObject({ kind, metric, codec, dimensions: D, size: N, deleted: 0, variant: index.variant });
      expect(index.bytes % 65536).toBe(0);
      expect(index.stats().bytes).toBe(index.bytes);
      expect(index.stats().bytesPerVector).toBe(index.bytes / N);
      index.remove([1, 2]);
      expect(index.stats()).toMatchObject({ size: N - 2, deleted: of.lingers ? 2 : 0 });
      const { levels } = index.stats();
      if (levels) expect(levels.reduce((sum, n) => sum + n)).toBe(N);
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
      const again = of.rerank && of.kind !== "kdtree" ? 10 * CODECS[of.codec].rerankFactor : 0;
      if (of.exact || of.rerank) expect(one.reranked).toBe(again);
      index.searchBatch([queries[0], queries[0]]);
      expect(index.lastStats.reranked).toBe(2 * one.reranked);
      expect(index.lastStats.distances).toBeGreaterThan(0);
    });

    describe("addAll", () => {
      function* each<T>(items: Iterable<T>): Generator<T> {
        yield* items;
      }
      async function* eachLater<T>(items: Iterable<T>): AsyncGenerator<T> {
        for (const item of items) {
          await null;
          yield item;
        }
      }
      /** Chunks of 1, 2, 3 ... rows. */
      function chunks<T extends Float32Array | Uint8Array>(width: number, values: T): T[] {
        const out: T[] = [];
        for (let from = 0, n = 1; from < values.length; from += n++ * width) {
          out.push(values.subarray(from, from + n * width) as T);
        }
        return out;
      }
      const bytes = Uint8Array.from(rows.flatMap((row) => [...packed(row)]));
      const sources: Record<string, () => Parameters<VectorIndex["addAll"]>[0]> = {
        array: () => rows,
        "number[][]": () => rows.map((row) => [...row]),
        Float32Array: () => flatten(rows),
        Set: () => new Set(rows),
        generator: () => each(rows),
        "async generator": () => eachLater(rows),
        "chunks of several": () => each(chunks(D, flatten(rows))),
        "async chunks": () => eachLater(chunks(D, flatten(rows))),
        ...(of.metric === "hamming" && {
          "packed Uint8Array": () => bytes,
          "packed rows": () => each(rows.map(packed)),
          "packed chunks": () => each(chunks(3, bytes)),
        }),
      };

      it.each(Object.keys(sources))("from %s gives what add gives", async (form) => {
        const other = await open(of);
        await other.addAll(sources[form]());
        expect(other.size).toBe(N);
        expectSame(other, index);
      });

      it("takes ids from any iterable, one per vector", async () => {
        const ids = rows.map((_, i) => (i * 7) % 1009);
        const plain = await open(of);
        plain.add(rows, ids);
        for (const given of [ids, new Set(ids), each(ids), Uint32Array.from(ids)]) {
          const other = await open(of);
          await other.addAll(each(rows), { ids: given });
          expectSame(other, plain);
        }
      });

      it("says where ids are too few or too many, and keeps the slices before", async () => {
        for (const [ids, saying] of [
          [[1, 2, 3], "3"],
          [Array.from({ length: N + 1 }, (_, i) => i), `${N}`],
        ] as const) {
          const other = await open(of);
          await expectError(() => other.addAll(rows, { ids }), "BAD_ID", saying);
          expect(other.size).toBeLessThanOrEqual(ids.length);
          expect(other.search(queries[0], { k: N }).length).toBe(other.size);
        }
      });

      it("reports progress to the end", async () => {
        for (const [source, total] of [
          [rows, N],
          [each(rows), undefined],
        ] as const) {
          const seen: { done: number; total: number | undefined }[] = [];
          const other = await open(of);
          await other.addAll(source, { onProgress: (progress) => seen.push(progress) });
          expect(seen.at(-1)).toEqual({ done: N, total });
          expect(seen.map(({ done }) => done)).toEqual(seen.map(({ done }) => done).sort((a, b) => a - b));
        }
      });

      it("stops before it begins where the signal is aborted", async () => {
        const before = index.toBytes();
        const reason = new Error("enough");
        expect(await thrownBy(() => index.addAll(rows, { signal: AbortSignal.abort(reason) }))).toBe(reason);
        expect((await thrownBy(() => index.addAll(rows, { signal: AbortSignal.abort() }))) as Error).toMatchObject({
          name: "AbortError",
        });
        expectSameBytes(index.toBytes(), before);
      });

      it("stops between slices, closes its source and keeps what is in", async () => {
        const controller = new AbortController();
        let closed = false;
        async function* source(): AsyncGenerator<Float32Array> {
          try {
            for (let i = 0; ; i++) {
              if (i === 100) controller.abort();
              // Long enough that the slice is over.
              if (i === 100) for (const start = performance.now(); performance.now() - start < 9; );
              yield rows[i % N];
            }
          } finally {
            closed = true;
          }
        }
        const other = await open(of);
        expect(await thrownBy(() => other.addAll(source(), { signal: controller.signal }))).toMatchObject({ name: "AbortError" });
        expect(closed).toBe(true);
        expect(other.size).toBeGreaterThan(0);
        expect(other.size).toBeLessThan(N);
        const among = new Map([...all].slice(0, other.size));
        ask(among, 5, (query, effort) => other.search(query, { k: 5, ...effort }), of.exact, other);
        other.add(rows.slice(other.size));
        expectSame(other, index);
      });

      it("keeps the slices before an error of the source or of a vector", async () => {
        async function* failing(): AsyncGenerator<number[]> {
          for (const row of rows.slice(0, 50)) yield [...row];
          throw new RangeError("mine");
        }
        const other = await open(of);
        expect(await thrownBy(() => other.addAll(failing()))).toEqual(new RangeError("mine"));
        expect(other.size).toBeLessThanOrEqual(50);
        await expectError(() => other.addAll([...rows.slice(0, 60), rows[0].slice(1)]), "BAD_DIMENSION", `${D - 1}`);
        await expectError(() => other.addAll(each([...rows.slice(0, 60), [...rows[0]].fill(NaN)])), "NOT_FINITE", "NaN");
        expect(other.search(queries[0], { k: N, exact: true }).length).toBe(other.size);
      });

      it("lets searches run in between", async () => {
        const other = await open(of);
        let asked = 0;
        async function* source(): AsyncGenerator<Float32Array> {
          for (const [i, row] of rows.entries()) {
            if (i % 40 === 39) {
              asked++;
              checkExact(other.search(row, { k: 5, exact: true }), new Map([...all].slice(0, other.size)), row, 5, of, other);
              expect(other.search(row, { k: 5 }).length).toBe(Math.min(5, other.size));
            }
            yield row;
          }
        }
        await other.addAll(source());
        expect(asked).toBe(7);
        expectSame(other, index);
      });
    });

    describe("compact", () => {
      it("frees what was removed and answers as before", async () => {
        const gone = shuffled(all.keys(), 12).slice(0, 100);
        index.remove(gone);
        const left = new Map([...all].filter(([id]) => !gone.includes(id)));
        const exact = queries.map((query) => index.search(query, { k: N, exact: true }));
        const before = index.toBytes().length;
        await index.compact();
        expect([index.size, index.deleted]).toEqual([N - 100, 0]);
        expect(index.toBytes().length).toBeLessThan(before);
        expect(queries.map((query) => index.search(query, { k: N, exact: true }))).toEqual(exact);
        ask(left, 10, (query, effort) => index.search(query, effort));
        for (const id of all.keys()) expect(index.has(id)).toBe(left.has(id));
        expectSameBytes((await load(index.toBytes())).toBytes(), index.toBytes());
        index.add(rows.slice(0, 50));
        const grown = new Map([
          ...left,
          ...numbered(
            rows.slice(0, 50),
            Uint32Array.from({ length: 50 }, (_, i) => N + i),
          ),
        ]);
        ask(grown, 10, (query, effort) => index.search(query, effort));
        checkEstimates(index, grown, queries[0], of);
        index.remove([...left.keys()]);
        ask(new Map([...grown].filter(([id]) => id >= N)), 10, (query, effort) => index.search(query, effort));
      });

      it("changes no answer where nothing was removed", async () => {
        const before = queries.map((query) => index.search(query));
        const bytes = index.toBytes().length;
        await index.compact();
        expect(queries.map((query) => index.search(query))).toEqual(before);
        expect(index.toBytes().length).toBe(bytes);
      });

      it("of an index with all removed leaves an empty one", async () => {
        index.remove(index.ids());
        const { bytes } = index;
        await index.compact();
        expect(index.bytes).toBeLessThanOrEqual(bytes);
        expect(index.search(queries[0])).toEqual([]);
        index.add(rows.slice(0, 3), [9, 8, 7]);
        expect(index.search(rows[1], { k: 1 })[0].id).toBe(8);
      });

      it("bears other calls while it runs", async () => {
        index.remove(shuffled(all.keys(), 13).slice(0, 120));
        const first = index.compact();
        index.remove([...index.ids()].slice(0, 30));
        const second = index.compact().then(() => index.remove([...index.ids()].slice(0, 1)));
        index.add(
          rows.slice(0, 20),
          [...rows.slice(0, 20).keys()].map((i) => 10_000 + i),
        );
        await Promise.all([first, second]);
        expect(index.size).toBe(N - 120 - 30 + 20 - 1);
        const among = new Map([...index.ids()].map((id) => [id, rows[id % 10_000]]));
        ask(among, 10, (query, effort) => index.search(query, effort));
        await index.compact();
        ask(among, 10, (query, effort) => index.search(query, effort));
      }, 3_000);
    });

    it("a loaded index is equal in every way, also in what becomes of it", async () => {
      index.remove([...all.keys()].filter((id) => id % 6 === 0));
      index.add(
        exactData(of.metric, 20, D, 14),
        Uint32Array.from({ length: 20 }, (_, i) => 5000 - i),
      );
      const bytes = index.toBytes();
      const again = await load(bytes);
      expect(again.constructor).toBe(index.constructor);
      expectSameBytes(again.toBytes(), bytes);
      const { bytes: _, bytesPerVector: __, ...stats } = index.stats();
      expect(again.stats()).toMatchObject(stats);
      expect(again.rerank).toBe(index.rerank);
      const change = (of: VectorIndex): void => {
        of.add(exactData(of.metric, 60, D, 15));
        for (let id = 1; id < 90; id += 2) of.remove(id);
        of.add(
          exactData(of.metric, 30, D, 16),
          Uint32Array.from({ length: 30 }, (_, i) => 9000 + i),
        );
      };
      for (const query of queries) {
        expect(again.search(query)).toEqual(index.search(query));
        expect(again.search(query, { k: N, exact: true })).toEqual(index.search(query, { k: N, exact: true }));
      }
      change(index);
      change(again);
      expectSameBytes(again.toBytes(), index.toBytes());
      expect(again.search(queries[0])).toEqual(index.search(queries[0]));
    });

    it("same seed, same calls, same bytes; the cut into calls does not matter", async () => {
      for (const cut of [1, 7, 128, N]) {
        const other = await open(of);
        for (let from = 0; from < N; from += cut) other.add(rows.slice(from, from + cut));
        expectSame(other, index);
        const again = await open(of);
        for (let from = 0; from < N; from += cut) again.add(rows.slice(from, from + cut));
        expectSameBytes(again.toBytes(), other.toBytes());
      }
      const [one, other] = [await openNew(of, D, { seed: 1 }), await openNew(of, D, { seed: 2 ** 53 - 1 })];
      one.add(rows);
      other.add(rows);
      expect(Buffer.compare(one.toBytes(), other.toBytes())).not.toBe(0);
      ask(all, 10, (query, effort) => other.search(query, effort), of.exact, other);
    });

    it("close gives everything up, twice if need be", async () => {
      index.close();
      index.close();
      for (const use of [
        () => index.add(rows),
        () => index.addAll(rows),
        () => index.search(queries[0]),
        () => index.search(queries[0], { radius: 1 }),
        () => index.searchBatch(queries),
        () => index.has(1),
        () => index.get(1),
        () => index.ids(),
        () => index.remove(1),
        () => index.compact(),
        () => index.toBytes(),
        () => index.stats(),
        () => index.size,
        () => index.deleted,
        () => index.bytes,
      ]) {
        await expectError(use, "CLOSED", of.kind);
      }
      expect(index).toMatchObject({ kind: of.kind, metric: of.metric, codec: of.codec, dimensions: D });
    });

    it("close in the middle of addAll or compact ends it with CLOSED", async () => {
      async function* source(): AsyncGenerator<Float32Array> {
        yield* rows.slice(0, 20);
        index.close();
        yield* rows;
      }
      await expectError(() => index.addAll(source()), "CLOSED", of.kind);
      const other = await open(of);
      other.add(rows);
      other.remove([1, 2, 3]);
      const compacting = other.compact();
      other.close();
      await expectError(() => compacting, "CLOSED", of.kind);
    });
  });
}

for (const { kind, codec, metric } of KINDS_AND_CODECS)
  describe(`${kind} ${codec}`, () => {
    it("grows past a block and past the first memory page, and finds what it holds", async () => {
      const index = await create(kind, { dimensions: 8, metric, codec, ...QUICK[kind] });
      const rows = integers(9000, 8, 1, 0, 255);
      // 8 bits have 256 values: under hamming most of the rows are equal.
      index.add(rows.slice(0, 5000));
      index.add(
        rows.slice(5000),
        rows.slice(5000).map((_, i) => 100_000 - i),
      );
      const among = numbered(
        rows,
        rows.map((_, i) => (i < 5000 ? i : 105_000 - i)),
      );
      for (const query of rows.slice(0, 5)) {
        expect(index.search(query, { k: 30, exact: true })).toEqual(nearest(among, query, metric, 30));
      }
      index.remove([...among.keys()].filter((id) => id % 2));
      expect(index.size).toBe(4500);
      await index.compact();
      const left = new Map([...among].filter(([id]) => id % 2 === 0));
      for (const query of rows.slice(0, 5)) {
        expect(index.search(query, { k: 30, exact: true })).toEqual(nearest(left, query, metric, 30));
      }
      expect(index.stats().size).toBe(4500);
    });

    it("one dimension is enough", async () => {
      const index = await create(kind, { dimensions: 1, metric, codec });
      index.add([[3], [1], [-2]]);
      const among = numbered(codec === "binary" ? [[1], [1], [0]] : [[3], [1], [-2]]);
      expect(index.search([1], { k: 3 })).toEqual(nearest(among, [1], metric));
    });
  });

it("errors are VicinalError with name, code and a sentence", async () => {
  const error = (await thrownBy(() => create("flat", { dimensions: 0 }))) as VicinalError;
  expect(error).toBeInstanceOf(VicinalError);
  expect(error).toBeInstanceOf(Error);
  expect([error.name, error.code]).toEqual(["VicinalError", "BAD_OPTION"]);
  expect(error.message).toBe("dimensions is 0; it must be an integer from 1 to 65536");
});
