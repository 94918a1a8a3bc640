// What every index promises of its content, over every family x codec: what was added is there, what was removed is not, whatever was
// done before, in the file and after compact() too.
import { load, type VectorIndex, VicinalError } from "vicinal";
import { beforeEach, describe, expect, it } from "vitest";
import { METRICS } from "../../src/words/kinds.js";
import { checkEstimates, checkKept, expectSameBytes, nearest, numbered } from "../support/answers.js";
import { create, EVERY_CASE, KINDS_AND_CODECS, open as openNew, QUICK } from "../support/cases.js";
import { D, given, N, NONE } from "../support/contract.js";
import { exactData, flatten, integers, packed, shuffled } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";
import { thorough } from "../support/thorough.js";

for (const of of EVERY_CASE) {
  describe(of.name, () => {
    let index: VectorIndex;
    const { rows, queries, all, open, filled, ask, expectSame } = given(of, () => index);
    beforeEach(async () => {
      index = await filled();
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
      const expected = await open();
      expected.add(few);
      for (const [name, vectors] of Object.entries(forms)) {
        const other = await open();
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
      const [some, gone, then] = thorough([200, 103, 150], [700, 203, 500]);
      const others = exactData(of.metric, some, D, 10);
      index.add(others);
      for (let id = 0; id < gone; id++) index.remove(id);
      const more = exactData(of.metric, then, D, 11);
      index.add(more);
      const among = numbered([...rows, ...others, ...more]);
      for (let id = 0; id < gone; id++) among.delete(id);
      expect(new Set(index.ids())).toEqual(new Set(among.keys()));
      for (const id of among.keys()) if (!index.has(id)) expect.fail(`id ${id} is lost`);
      ask(among, 10, (query) => index.search(query, { exact: true }), true);
      checkEstimates(index, among, queries[0], of);
      expect(index.remove([...among.keys()])).toBe(N + some + then - gone);
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
        // Lists of an Ivf that were parted leave room.
        if (of.kind === "ivf") expect(index.toBytes().length).toBeLessThanOrEqual(bytes);
        else expect(index.toBytes().length).toBe(bytes);
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
      });
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
      for (const cut of thorough([7], [1, 128])) {
        const other = await open();
        for (let from = 0; from < N; from += cut) other.add(rows.slice(from, from + cut));
        // Where a longer row changes those before it and links wait for all of a call, the cut does matter.
        if (!of.name.endsWith("augment fastScan")) expectSame(other, index);
        const again = await open();
        for (let from = 0; from < N; from += cut) again.add(rows.slice(from, from + cut));
        expectSameBytes(again.toBytes(), other.toBytes());
      }
      const other = await openNew(of, D, { seed: 2 ** 53 - 1 });
      other.add(rows);
      expect(Buffer.compare(other.toBytes(), index.toBytes())).not.toBe(0);
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
      const other = await open();
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
