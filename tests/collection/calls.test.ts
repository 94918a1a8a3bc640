// What each call of a collection answers, and how it refuses what it cannot do: with the collection as it was.
import { VicinalError } from "vicinal";
import { Collection, type CollectionOptions, type CollectionSearchOptions, type DocumentHit } from "vicinal/collection";
import { memory } from "vicinal/storage";
import { afterEach, describe, expect, it } from "vitest";
import { expectError, thrownBy } from "../support/errors.js";

const DIMENSIONS = 2;
const idsOf = (hits: readonly DocumentHit[]) => hits.map(({ id }) => id);
const ORIGIN = [0, 0];

type Open = (options: CollectionOptions) => Promise<Collection>;

/** In a worker all answers are promises, which these tests wait for anyway. */
const WAYS: Record<string, Open> = {
  "in this thread": (options) => Collection.open(options),
  "in a worker": (options) => Collection.open({ ...options, worker: true }) as unknown as Promise<Collection>,
};

describe.each(Object.entries(WAYS))("%s", (way, openBy) => {
  const collections: Collection[] = [];
  afterEach(async () => void (await Promise.all(collections.splice(0).map((one) => one.close()))));

  async function open(options: CollectionOptions): Promise<Collection> {
    const collection = await openBy(options);
    collections.push(collection);
    return collection;
  }

  function opened(options: Partial<CollectionOptions> = {}): Promise<Collection> {
    return open({ storage: memory(), dimensions: DIMENSIONS, metric: "l2", ...options });
  }

  /** Documents on a line: document i at distance i from the origin. */
  async function line(n = 10, options: Partial<CollectionOptions> = {}): Promise<Collection> {
    const collection = await opened(options);
    await collection.upsert(
      Array.from({ length: n }, (_, i) => ({
        id: `d${i}`,
        vector: [i, 0],
        data: { i, even: i % 2 === 0, tags: [`t${i % 3}`, "all"], author: { name: `a${i % 2}` }, title: `title ${i}` },
      })),
    );
    return collection;
  }

  describe("scan", () => {
    it("lets the event loop go round, though all is in memory", async () => {
      const collection = await line(300);
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      for await (const _ of collection.scan()) {
        const start = performance.now();
        while (performance.now() - start < 0.1);
      }
      clearInterval(timer);
      expect(turns).toBeGreaterThan(1);
      await collection.close();
    });
  });

  describe("search", () => {
    it("finds the nearest, with all of their data, or what select names of it, or none", async () => {
      const collection = await line();
      const [first, second] = await collection.search(ORIGIN, { k: 2 });
      expect(first).toEqual({
        id: "d0",
        distance: 0,
        data: { i: 0, even: true, tags: ["t0", "all"], author: { name: "a0" }, title: "title 0" },
      });
      expect(second.distance).toBe(1);
      expect(await collection.search(ORIGIN, { k: 1, select: ["i", "author.name", "nothing"] })).toEqual([
        { id: "d0", distance: 0, data: { i: 0, author: { name: "a0" } } },
      ]);
      expect(await collection.search(ORIGIN, { k: 1, select: [] })).toEqual([{ id: "d0", distance: 0 }]);
      expect(await collection.search(ORIGIN)).toHaveLength(10);
    });

    it("heeds where, also together with radius", async () => {
      const collection = await line();
      expect(idsOf(await collection.search(ORIGIN, { where: { even: false }, k: 2 }))).toEqual(["d1", "d3"]);
      expect(idsOf(await collection.search(ORIGIN, { where: { i: { $gte: 3 }, tags: { $in: ["t1"] } } }))).toEqual(["d4", "d7"]);
      expect(idsOf(await collection.search(ORIGIN, { radius: 4, where: { "author.name": "a0" } }))).toEqual(["d0", "d2", "d4"]);
      expect(await collection.search(ORIGIN, { where: { i: 99 } })).toEqual([]);
    });

    it("finds the best of each group", async () => {
      const collection = await line();
      const hits = await collection.search([9, 0], { groupBy: "author.name", select: [] });
      expect(hits).toEqual([
        { id: "d9", distance: 0, group: "a1" },
        { id: "d8", distance: 1, group: "a0" },
      ]);
      expect(idsOf(await collection.search([9, 0], { groupBy: "tags", k: 3, where: { i: { $lt: 9 } } }))).toEqual([
        "d8",
        "d8",
        "d7",
      ]);
      await collection.upsert({ id: "none", vector: [9, 0], data: {} });
      expect(idsOf(await collection.search([9, 0], { groupBy: "i", k: 2 }))).toEqual(["d9", "d8"]);
      // As many fields as keep their columns, and one more.
      const where = Object.fromEntries(Array.from({ length: 64 }, (_, i) => [`none${i}`, { $exists: false }]));
      expect(idsOf(await collection.search([9, 0], { groupBy: "i", k: 1, where }))).toEqual(["d9"]);
    });

    it("goes on after a page, also among equal distances", async () => {
      const collection = await line(20);
      await collection.upsert(Array.from({ length: 9 }, (_, i) => ({ id: i, vector: [5, 0] })));
      const all = idsOf(await collection.search(ORIGIN, { k: 29 }));
      const paged: unknown[] = [];
      for (let after: DocumentHit | undefined; ; ) {
        const page = await collection.search(ORIGIN, { k: 4, ...(after && { after }) });
        paged.push(...idsOf(page));
        after = page.at(-1);
        if (page.length < 4) break;
      }
      expect(paged).toEqual(all);
    });

    it("has a second opinion", async () => {
      const collection = await line();
      const seen: number[] = [];
      const rescore = async (hits: DocumentHit[], query: unknown) => {
        expect(query).toBe(ORIGIN);
        seen.push(hits.length);
        return hits.map(({ data }) => data?.i as number);
      };
      const hits = await collection.search(ORIGIN, { k: 2, candidates: 5, rescore });
      expect(hits.map(({ id, score }) => [id, score])).toEqual([
        ["d4", 4],
        ["d3", 3],
      ]);
      await collection.search(ORIGIN, { k: 2, rescore });
      expect(seen).toEqual([5, 10]);
      await expectError(() => collection.search(ORIGIN, { rescore: () => [1] }), "BAD_OPTION", "of length 1 for 10 hits");
      await expectError(
        () => collection.search(ORIGIN, { rescore: (hits) => hits.map(() => Number.NaN) }),
        "BAD_OPTION",
        "a score is a number",
      );
      expect(await thrownBy(() => collection.search(ORIGIN, { rescore: () => Promise.reject(new Error("mine")) }))).toEqual(
        new Error("mine"),
      );
    });

    it("answers a batch as it answers each", async () => {
      const collection = await line();
      const queries = [ORIGIN, [4, 1], [9, 9]];
      const options = { k: 3, where: { even: true } };
      expect(await collection.searchBatch(new Float32Array(queries.flat()), options)).toEqual(
        await collection.searchBatch(queries, options),
      );
      expect(await collection.searchBatch(queries, options)).toEqual(
        await Promise.all(queries.map((query) => collection.search(query, options))),
      );
    });

    it("finds at once what has been changed, in either tier", async () => {
      const collection = await line();
      await collection.reindex({ kind: "hnsw", m: 4 });
      await collection.upsert({ id: "d3", vector: [100, 0], data: { i: 33 } });
      await collection.delete("d1");
      expect(idsOf(await collection.search(ORIGIN, { k: 4 }))).toEqual(["d0", "d2", "d4", "d5"]);
      expect(idsOf(await collection.search([101, 0], { k: 1, ef: 20 }))).toEqual(["d3"]);
      expect(idsOf(await collection.search([101, 0], { where: { i: 33 } }))).toEqual(["d3"]);
    });

    const BAD: [CollectionSearchOptions | object, string, RegExp][] = [
      [{ k: 0 }, "BAD_OPTION", /k is 0/],
      [{ limit: 3 }, "BAD_OPTION", /did you mean "k"/],
      [{ filter: { a: 1 } }, "BAD_OPTION", /no option "filter"/],
      [{ where: { a: { $near: 1 } } }, "BAD_WHERE", /where\.a.*\$near/],
      [{ where: 3 }, "BAD_WHERE", /where/],
      [{ groupBy: 3 }, "BAD_OPTION", /groupBy is 3/],
      [{ select: "title" }, "BAD_OPTION", /select is "title"/],
      [{ radius: "1" }, "BAD_OPTION", /radius is "1"/],
      [{ after: { id: "d1" } }, "BAD_OPTION", /after is/],
      [{ after: { id: 1.5, distance: 1 } }, "BAD_ID", /after\.id is 1\.5/],
      [{ after: { id: "d1", distance: 1 }, groupBy: "i" }, "BAD_OPTION", /not with groupBy/],
      [{ candidates: 5 }, "BAD_OPTION", /there is no rescore/],
      [{ rescore: 5 }, "BAD_OPTION", /rescore is 5/],
      [{ ef: 0 }, "BAD_OPTION", /ef is 0/],
      [{ signal: 1 }, "BAD_OPTION", /signal is 1/],
    ];
    it.each(BAD)("refuses %j", async (options, code, saying) => {
      const collection = await line(3);
      await expectError(() => collection.search(ORIGIN, options as CollectionSearchOptions), code as never, saying);
    });

    it("refuses bad queries", async () => {
      const collection = await line(3);
      await expectError(() => collection.search([1]), "BAD_DIMENSION", "query has 1 values");
      await expectError(() => collection.search([1, Number.NaN]), "NOT_FINITE", "query has NaN");
      await expectError(() => collection.search([1, 2, 3], { where: { i: 99 } }), "BAD_DIMENSION", "query has 3 values");
      await expectError(() => collection.search("text"), "BAD_OPTION", "opened without embed");
      await expectError(() => collection.search(undefined as never), "BAD_DIMENSION", "query is undefined");
      await expectError(() => collection.searchBatch(3 as never), "BAD_DIMENSION", "queries is 3");
      expect(await collection.searchBatch([])).toEqual([]);
    });

    it("stops where the signal says so", async () => {
      const collection = await line(3);
      const signal = AbortSignal.abort(new Error("enough"));
      expect(await thrownBy(() => collection.search(ORIGIN, { signal }))).toEqual(new Error("enough"));
      expect(await thrownBy(() => collection.upsert({ id: 1, vector: [1, 2] }, { signal }))).toEqual(new Error("enough"));
      expect(collection.size).toBe(3);
    });
  });

  describe("documents", () => {
    it("keeps ids apart, whatever they are", async () => {
      const collection = await opened();
      const ids = [
        "1",
        1,
        "",
        "\ud800",
        "\udc00",
        "\ufffd",
        "é",
        "e\u0301",
        "constructor",
        "__proto__",
        -0,
        2 ** 53 - 1,
        -(2 ** 53 - 1),
        "x".repeat(65535),
      ];
      await collection.upsert(ids.map((id, i) => ({ id, vector: [i, 0], data: { i } })));
      expect(collection.size).toBe(ids.length);
      for (const [i, id] of ids.entries()) {
        expect(await collection.has(id)).toBe(true);
        expect((await collection.get(id))?.data).toEqual({ i });
        expect(idsOf(await collection.search([i, 0], { k: 1 }))).toEqual([id === 0 ? 0 : id]);
      }
      expect(await collection.has("0")).toBe(false);
      for (const id of [1.5, 2 ** 53, Number.NaN, null, undefined, {}, 1n, true, "x".repeat(65536)]) {
        await expectError(() => collection.upsert({ id: id as never, vector: [1, 2] }), "BAD_ID", "documents[0].id");
        await expectError(() => collection.get(id as never), "BAD_ID", "an id is a string or a safe integer");
      }
      expect(collection.size).toBe(ids.length);
    });

    it("gives data back as it was given", async () => {
      const collection = await opened({ cacheBytes: 0 });
      const data = {
        "": 1,
        a: [1, [2], { b: null }],
        "é\u{1f600}": "\ud800",
        n: -1e-300,
        t: true,
        ["__proto__"]: { x: 1 },
        big: "x".repeat(100_000),
      };
      await collection.upsert({ id: 1, vector: [1, 2], data });
      expect((await collection.get(1))?.data).toEqual(data);
      await collection.upsert({ id: 1, vector: [1, 2], data: { at: new Date(0), gone: undefined } });
      expect((await collection.get(1))?.data).toEqual({ at: "1970-01-01T00:00:00.000Z" });
      await collection.upsert({ id: 1, vector: [1, 2] });
      expect(await collection.get(1, { vector: false })).toEqual({ id: 1, data: {} });
      expect(await collection.get(2)).toBeUndefined();
    });

    it("merges updates, of documents that are there", async () => {
      const collection = await line(3);
      expect(await collection.update("d1", { i: null, author: { age: 3 }, tags: ["new"], gone: undefined })).toBe(1);
      expect((await collection.get("d1"))?.data).toEqual({
        even: false,
        tags: ["new"],
        author: { name: "a1", age: 3 },
        title: "title 1",
      });
      expect(Array.from((await collection.get("d1"))?.vector ?? [])).toEqual([1, 0]);
      expect(await collection.update("nobody", { i: 1 })).toBe(0);
      expect(
        await collection.update([
          { id: "d0", data: { i: 7 } },
          { id: "d9", data: {} },
          { id: "d2", data: { i: 7 } },
        ]),
      ).toBe(2);
      expect(await collection.count({ where: { i: 7 } })).toBe(2);
      // One after the other, though nobody waits.
      await Promise.all([
        collection.update("d0", { a: 1 }),
        collection.update("d0", { b: { c: 1 } }),
        collection.update("d0", { b: { d: 1 } }),
      ]);
      expect((await collection.get("d0"))?.data).toMatchObject({ a: 1, b: { c: 1, d: 1 } });
    });

    it("deletes by id and by where", async () => {
      const collection = await line();
      expect(await collection.delete("d1")).toBe(1);
      expect(await collection.delete(["d1", "d2", "d2", "x"])).toBe(1);
      expect(await collection.delete({ where: { even: true, i: { $lt: 5 } } })).toBe(2);
      expect(collection.size).toBe(6);
      expect(await collection.delete([])).toBe(0);
      expect(await collection.delete({ where: {} })).toBe(6);
      expect(await collection.search(ORIGIN)).toEqual([]);
      await expectError(() => collection.delete({} as never), "BAD_OPTION", "{ where: {} }");
      await expectError(() => collection.delete({ were: {} } as never), "BAD_OPTION", 'no option "were"');
      await expectError(() => collection.delete(null as never), "BAD_ID", "id is null");
    });

    it("scans those that meet conditions", async () => {
      const collection = await line(200);
      const found = [];
      for await (const document of collection.scan({ where: { i: { $gte: 190 } }, select: ["i"], vectors: true }))
        found.push(document);
      expect(found.map(({ data }) => data.i).sort()).toEqual([190, 191, 192, 193, 194, 195, 196, 197, 198, 199]);
      expect(Array.from(found[0].vector ?? [])).toEqual([found[0].data.i, 0]);
      let seen = 0;
      for await (const { id } of collection.scan()) {
        if (seen++ === 0) await collection.delete({ where: { i: { $gte: 100 } } });
        expect(id).toMatch(/^d/);
      }
      expect(seen).toBeLessThan(200);
      expect(await collection.count()).toBe(100);
      await expectError(async () => collection.scan({ were: 1 } as never), "BAD_OPTION", "scan has no option");
    });

    it("makes vectors of texts", async () => {
      const asked: number[] = [];
      const progress: unknown[] = [];
      const embed = async (texts: string[]) => {
        asked.push(texts.length);
        return texts.map((text) => [text.length, 0]);
      };
      const collection = await opened({ embed });
      await collection.upsert(
        Array.from({ length: 40 }, (_, i) => (i === 3 ? { id: i, vector: [1000, 0] } : { id: i, text: "x".repeat(i) })),
        { onProgress: (done) => progress.push({ ...done }) },
      );
      expect(asked).toEqual([32, 7]);
      expect(progress).toEqual([
        { done: 32, total: 39 },
        { done: 39, total: 39 },
      ]);
      expect(idsOf(await collection.search("four", { k: 1 }))).toEqual([4]);
      expect((await collection.searchBatch(["a", [1000, 0]], { k: 1 })).map(idsOf)).toEqual([[1], [3]]);
      const wrong = await opened({ embed: async () => [[1, 2]] });
      await expectError(
        () =>
          wrong.upsert([
            { id: 1, text: "a" },
            { id: 2, text: "b" },
          ]),
        "BAD_DIMENSION",
        "2 texts and made 1 vectors",
      );
      expect(wrong.size).toBe(0);
    });

    const VECTOR = [1, 2];
    const BAD: [unknown, string, RegExp][] = [
      [
        [
          { id: 1, vector: VECTOR },
          { id: 1, vector: VECTOR },
        ],
        "DUPLICATE_ID",
        /documents\[1\]\.id is 1/,
      ],
      [
        [
          { id: 5, vector: VECTOR },
          { id: 1, vector: [1] },
        ],
        "BAD_DIMENSION",
        /vectors\[1\] has 1 values/,
      ],
      [[{ id: 1, vector: [1, Number.POSITIVE_INFINITY] }], "NOT_FINITE", /Infinity/],
      [[{ id: 1, vector: [1e30, 1e30] }], "TOO_LARGE", /2\^62/],
      [[{ id: 1 }], "BAD_OPTION", /neither a vector nor a text/],
      [[{ id: 1, vector: VECTOR, text: "a" }], "BAD_OPTION", /a vector and a text/],
      [[{ id: 1, text: "a" }], "BAD_OPTION", /opened without embed/],
      [[{ id: 1, vector: VECTOR, metadata: {} }], "BAD_OPTION", /no option "metadata"/],
      [[{ id: 1, vector: VECTOR, data: { a: { b: [1, Number.NaN] } } }], "BAD_FIELD", /documents\[0\]\.data\.a\.b\[1\] is NaN/],
      // What cannot be sent does not come as far as to be looked at.
      [
        [{ id: 1, vector: VECTOR, data: { a: () => 1 } }],
        ...(way === "in a worker" ? (["BAD_OPTION", /plain data/] as const) : (["BAD_FIELD", /data\.a/] as const)),
      ],
      [[{ id: 1, vector: VECTOR, data: [1] }], "BAD_FIELD", /data/],
      [[{ id: 1, vector: VECTOR, data: { year: "x" } }], "BAD_FIELD", /documents\[0\]\.data\.year is "x"/],
      [[3], "BAD_OPTION", /documents\[0\]/],
      [[null], "BAD_OPTION", /documents\[0\]/],
      [undefined, "BAD_OPTION", /documents/],
    ];
    it.each(BAD)("refuses %j", async (documents, code, saying) => {
      const collection = await opened({ fields: { year: "number" } });
      await expectError(() => collection.upsert(documents as never), code as never, saying);
      expect(collection.size).toBe(0);
      expect((await collection.health).state).toBe("ready");
    });

    it("takes a circle for what it is", async () => {
      const collection = await opened();
      const circle: Record<string, unknown> = {};
      circle.self = circle;
      await expectError(() => collection.upsert({ id: 1, vector: VECTOR, data: circle }), "BAD_FIELD", "deep");
    });

    it("copies what it is given at once", async () => {
      const collection = await opened();
      const vector = new Float32Array([1, 2]);
      const data = { a: 1 };
      const done = collection.upsert({ id: 1, vector, data });
      vector.fill(9);
      data.a = 2;
      await done;
      expect(await collection.get(1)).toEqual({ id: 1, data: { a: 1 }, vector: new Float32Array([1, 2]) });
    });
  });

  describe("open and close", () => {
    it("says what is wrong with its options", async () => {
      const storage = memory();
      await expectError(() => open({ storage }), "BAD_OPTION", "dimensions are needed");
      await expectError(() => open({ storage, dimensions: 0 }), "BAD_OPTION", "dimensions is 0");
      await expectError(() => open({ dimensions: 2 } as never), "BAD_OPTION", "storage is undefined");
      await expectError(() => open({ storage, dimensions: 2, durability: "never" as never }), "BAD_OPTION", "durability");
      await expectError(() => open({ storage, dimensions: 2, index: { kind: "tree" } as never }), "BAD_OPTION", "index.kind");
      await expectError(
        () => open({ storage, dimensions: 2, index: { kind: "hnsw", dimensions: 3 } as never }),
        "BAD_OPTION",
        "belongs beside it",
      );
      await expectError(() => open({ storage, dimensions: 2, fields: { a: "text" } as never }), "BAD_OPTION", "fields");
      await expectError(() => open({ storage, dims: 2 } as never), "BAD_OPTION", "dimensions");
      expect(await storage.list()).toEqual([]);
    });

    it("is one at a time, and the same when it comes back", async () => {
      const storage = memory();
      const first = await open({ storage, dimensions: 2, metric: "dot" });
      await expectError(() => open({ storage }), "LOCKED", "memory");
      await first.upsert({ id: 1, vector: [1, 2], data: { a: 1 } });
      await first.close();
      await expectError(() => open({ storage, dimensions: 3 }), "BAD_OPTION", "dimensions is 3, and 2 in the collection");
      await expectError(() => open({ storage, metric: "l2" }), "BAD_OPTION", "metric is l2, and dot");
      const second = await open({ storage });
      expect(await second.search([1, 1])).toEqual([{ id: 1, distance: -3, data: { a: 1 } }]);
      await second.close();
    });

    it("does nothing any more once it is closed", async () => {
      const collection = await line(3);
      const late = collection.upsert({ id: "late", vector: [1, 2] });
      await collection.close();
      await late;
      await collection.close();
      for (const call of [
        () => collection.upsert({ id: 1, vector: [1, 2] }),
        () => collection.search(ORIGIN),
        () => collection.get("d1"),
        () => collection.delete("d1"),
        () => collection.update("d1", {}),
        () => collection.count(),
        () => collection.snapshot(),
        () => collection.size,
        () => collection.health,
        () => collection.scan(),
      ]) {
        await expectError(call, "CLOSED", "the collection in memory is closed");
      }
    });

    it("refuses what was still waiting for its vectors", async () => {
      const storage = memory();
      let go = (): void => {};
      const wait = new Promise<void>((resolve) => {
        go = resolve;
      });
      const collection = await opened({ storage, embed: async (texts) => wait.then(() => texts.map(() => [1, 2])) });
      const late = collection.upsert({ id: 1, text: "late" });
      const early = collection.upsert({ id: 2, vector: [1, 2] });
      const closing = collection.close();
      go();
      await early;
      await expectError(() => late, "CLOSED", "the collection in memory is closed");
      await closing;
      const again = await open({ storage });
      expect([await again.has(1), await again.has(2)]).toEqual([false, true]);
      await again.close();
    });

    it("goes on with other fields", async () => {
      const storage = memory();
      const first = await open({ storage, dimensions: 2, fields: { a: "number" } });
      await first.upsert({ id: 1, vector: [1, 2], data: { a: 1, b: "x" } });
      await first.snapshot();
      await first.close();
      const second = await open({ storage, fields: { b: "keyword" } });
      expect(await second.count({ where: { a: 1, b: "x" } })).toBe(1);
      await second.close();
    });

    it.each(["hamming", "l1", "dot", "cosine", "l2"] as const)("has the metric %s", async (metric) => {
      const storage = memory();
      const bits = metric === "hamming";
      const vector = bits ? Uint8Array.of(0b1011) : [1, 1, 0, 1];
      const first = await open({ storage, dimensions: 4, metric });
      await first.upsert([
        { id: "a", vector },
        { id: "b", vector: bits ? Uint8Array.of(0b0100) : [0, 0, 1, 0] },
      ]);
      for (const index of [undefined, { kind: "hnsw", m: 4 }] as const) {
        if (index) await first.reindex(index);
        expect(idsOf(await first.search(vector, { k: 1 }))).toEqual(["a"]);
        expect(Array.from((await first.get("a"))?.vector ?? [], (x) => Math.round(x * 1e5) / 1e5)).toEqual(Array.from(vector));
      }
      await first.close();
      const second = await open({ storage });
      expect(idsOf(await second.search(vector, { k: 1 }))).toEqual(["a"]);
      await second.close();
    });
  });

  it("errors are VicinalErrors of the same class as the core's", async () => {
    expect(await thrownBy(() => open({} as never))).toBeInstanceOf(VicinalError);
  });
});
