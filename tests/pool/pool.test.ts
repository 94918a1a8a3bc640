// A pool answers as the index does that it was made of, however that is laid out among its workers; what is changed is found, by each
// of them, once the change is answered; and workers that die are replaced.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import threads, { type Worker } from "node:worker_threads";
import { createIndex, Flat, type Hit, Hnsw, load, type VectorIndex, VicinalError } from "vicinal";
import { Pool, type PoolOptions, remote } from "vicinal/pool";
import { afterEach, describe, expect, it } from "vitest";
import type { KIND_NAMES } from "../../src/words/kinds.js";
import { byDistanceThenId } from "../support/answers.js";
import { type AnyOptions, create } from "../support/cases.js";
import { filled, gauss, random } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";
import { often } from "../support/thorough.js";

const D = 12;
const N = 1500;
const next = random(7);
const ROWS = filled(N, D, () => gauss(next));
const QUERIES = filled(20, D, () => gauss(next));

/** The workers of the pools that a test opens, in the order in which they were made: to be killed. */
const made: Worker[] = [];
const NodeWorker = threads.Worker;
threads.Worker = class extends NodeWorker {
  constructor(...of: ConstructorParameters<typeof NodeWorker>) {
    super(...of);
    made.push(this);
  }
};

const open: Pool[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close()));
  made.length = 0;
});

async function opened(source: Parameters<typeof Pool.open>[0], options?: PoolOptions): Promise<Pool> {
  const pool = await Pool.open(source, options);
  open.push(pool);
  return pool;
}

const LAYOUTS: readonly [name: Pool["layout"], options: PoolOptions][] = [
  ["shared", { threads: 3 }],
  ["replicas", { threads: 2, replicas: true }],
  ["replicas", { threads: 1 }],
  ["shards", { threads: 3, shards: true }],
];

/** Flat and what is exact answers alike in any layout; parts of other indices find other vectors than the whole. */
const INDICES: readonly [name: string, kind: (typeof KIND_NAMES)[number], options: Partial<AnyOptions>][] = [
  ["flat", "flat", {}],
  ["flat, prefilter", "flat", { prefilter: true }],
  ["flat, sq8, rerank", "flat", { codec: "sq8", rerank: true }],
  ["flat, pq, rerank", "flat", { codec: { type: "pq", m: 6, bits: 4 }, rerank: true, trainAt: 256 }],
  ["flat, hamming", "flat", { metric: "hamming" }],
  ["hnsw", "hnsw", {}],
  ["hnsw, fastScan", "hnsw", { fastScan: true, metric: "l2" }],
  ["hnsw, f16", "hnsw", { codec: "f16" }],
  ["hnsw, augment", "hnsw", { metric: "dot", mips: "augment" }],
  ["hnsw, rabitq, rerank", "hnsw", { codec: "rabitq", rerank: true, trainAt: 256 }],
  ["ivf", "ivf", { nlist: 16 }],
  ["ivf, rabitq, rerank", "ivf", { nlist: 16, codec: "rabitq", rerank: true }],
  ["kdtree", "kdtree", { metric: "l2" }],
  ["forest", "forest", { metric: "l2" }],
  ["lsh", "lsh", {}],
  ["lsh, l2", "lsh", { metric: "l2", trainAt: 256 }],
];

describe("all kinds of index in one memory", () => {
  it.each(INDICES)("%s", async (_, kind, options) => {
    const index = await create(kind, { dimensions: D, metric: "cosine", ...options });
    index.add(ROWS);
    const pool = await opened(index, { threads: 3 });
    expect(pool.layout).toBe("shared");
    expect([pool.size, pool.dimensions]).toEqual([N, D]);
    const ids = Array.from({ length: N / 3 }, (_, i) => 3 * i);
    const filter = await pool.prepareFilter(ids);
    const prepared = index.prepareFilter(ids);
    expect(filter.size).toBe(ids.length);
    // Many at once, so that all workers get some.
    const both = async (how: (index: VectorIndex | Pool, query: Float32Array, filter: never) => unknown): Promise<void> => {
      const found = await Promise.all(QUERIES.map((query) => how(pool, query, filter as never)));
      expect(found).toEqual(QUERIES.map((query) => how(index, query, prepared as never)));
    };
    await both((of, query) => of.search(query, { k: 7 }));
    await both((of, query) => of.search(query, { k: 7, exact: true, filter: ids }));
    await both((of, query, filter) => of.search(query, { k: 300, exact: true, filter }));
    await both((of, query) => of.search(query, { radius: 0.5, exact: true }));
    expect(await pool.searchBatch(QUERIES, { k: 5 })).toEqual(index.searchBatch(QUERIES, { k: 5 }));
    const { plan, distances } = await pool.explain(QUERIES[0]);
    expect([typeof plan, distances > 0]).toEqual(["string", true]);
    // What is found of it is one of those that are asked for next.
    await pool.remove(ids);
    index.remove(ids);
    await both((of, query) => of.search(query, { k: 7, exact: true }));
    await pool.compact();
    await both((of, query) => of.search(query, { k: 7, exact: true }));
    expect(await pool.search(QUERIES[0], { filter })).toEqual([]);
  });
});

describe.each(LAYOUTS)("%s %j", (layout, options) => {
  it("answers as its index", async () => {
    const index = await Flat.create({ dimensions: D, metric: "l2" });
    index.add(ROWS);
    const pool = await opened(index, options);
    expect(pool.layout).toBe(layout);
    for (const query of QUERIES) expect(await pool.search(query, { k: 9 })).toEqual(index.search(query, { k: 9 }));
    expect(await pool.searchBatch(QUERIES, { k: 4, filter: [1, 2, 3] })).toEqual(
      index.searchBatch(QUERIES, { k: 4, filter: [1, 2, 3] }),
    );
    expect(await pool.search(QUERIES[0], { radius: 3 })).toEqual(index.search(QUERIES[0], { radius: 3 }));
    const some = [0, 5, 77, 400];
    const filter = await pool.prepareFilter(new Set(some));
    expect(await pool.search(QUERIES[0], { filter })).toEqual(index.search(QUERIES[0], { filter: some }));
    expect(await pool.add(ROWS.slice(0, 3))).toEqual(Uint32Array.of(N, N + 1, N + 2));
    expect(await pool.upsert([ROWS[9]], 5)).toBe(1);
    expect(await pool.remove([0, 77, 9999])).toBe(2);
    index.add(ROWS.slice(0, 3));
    index.upsert([ROWS[9]], 5);
    index.remove([0, 77]);
    expect([pool.size, (await pool.stats()).size]).toEqual([index.size, index.size]);
    expect(await pool.search(QUERIES[0], { filter })).toEqual(index.search(QUERIES[0], { filter: some }));
    expect(await pool.get(5)).toEqual(index.get(5));
    expect([await pool.has(0), await pool.has(1)]).toEqual([false, true]);
    expect((await pool.ids()).sort()).toEqual(index.ids().sort());
    for (const query of QUERIES) expect(await pool.search(query)).toEqual(index.search(query));
    if (layout !== "shards") {
      const copy = await load(await pool.toBytes());
      expect(copy.search(QUERIES[1])).toEqual(index.search(QUERIES[1]));
    } else await expectError(() => pool.toBytes(), "BAD_OPTION", "shards");
    await filter.close();
    await filter.close();
    await expectError(() => pool.search(QUERIES[0], { filter }), "CLOSED", "filter");
    // Without the queue's order to go by.
    expect(await Promise.all(QUERIES.map((query) => pool.search(query)))).toEqual(QUERIES.map((query) => index.search(query)));
  });

  it("adds what comes, in pieces, and says what is wrong with it", async () => {
    const pool = await opened({ factory: "Flat", dimensions: D, metric: "l2" }, options);
    const seen: unknown[] = [];
    await pool.addAll(ROWS, { ids: ROWS.map((_, i) => 2 * i), onProgress: (progress) => seen.push(progress) });
    expect(pool.size).toBe(N);
    expect(seen.at(-1)).toEqual({ done: N, total: N });
    await pool.addAll(
      (async function* () {
        for (const row of ROWS.slice(0, 100)) yield row;
      })(),
    );
    expect(pool.size).toBe(N + 100);
    expect((await pool.search(ROWS[4], { k: 2 })).map(({ id }) => id)).toEqual([8, 2 * (N - 1) + 1 + 4]);
    await expectError(() => pool.addAll([[1, 2]]), "BAD_DIMENSION", "source[0] has 2 values");
    await expectError(() => pool.addAll(7 as never), "BAD_OPTION", "neither an array nor an iterable");
    await expectError(() => pool.addAll(ROWS, { ids: [90_001] }), "BAD_ID", "ids ends after 1 values");
    await expectError(() => pool.addAll(ROWS.slice(0, 1), { ids: [90_002, 90_003] }), "BAD_ID", "more values");
    const broken = function* (): Generator<Float32Array> {
      yield ROWS[0];
      throw new RangeError("the source is broken");
    };
    expect(await thrownBy(() => pool.addAll(broken()))).toBeInstanceOf(RangeError);
    const abort = new AbortController();
    const stuck = pool.addAll(new ReadableStream() as unknown as AsyncIterable<never>, { signal: abort.signal });
    abort.abort(new Error("enough"));
    expect(await thrownBy(() => stuck)).toEqual(new Error("enough"));
    expect(await pool.search(ROWS[4], { k: 1 })).toEqual([{ id: 8, distance: 0 }]);
  });

  it("refuses what an index refuses, and is what it was", async () => {
    const pool = await opened({ dimensions: D, metric: "l2" }, options);
    await pool.add(ROWS.slice(0, 50));
    const bad = ROWS[0].slice();
    bad[3] = Number.NaN;
    await expectError(() => pool.search([1]), "BAD_DIMENSION", "query has 1 values");
    await expectError(() => pool.search(bad), "NOT_FINITE", "position 3");
    await expectError(() => pool.search(ROWS[0], { topK: 3 } as never), "BAD_OPTION", 'did you mean "k"');
    await expectError(() => pool.search(ROWS[0], { k: 0 }), "BAD_OPTION", "k is 0");
    await expectError(() => pool.search(ROWS[0], { filter: (() => true) as never }), "BAD_OPTION", "give ids or a bitset");
    await expectError(() => pool.prepareFilter((() => true) as never), "BAD_OPTION", "give ids or a bitset");
    await expectError(() => pool.search(ROWS[0], { filter: [1.5] }), "BAD_ID", "1.5");
    await expectError(() => pool.add([ROWS[0], bad]), "NOT_FINITE", "position 3");
    await expectError(() => pool.add(ROWS.slice(0, 4), [100, 101, 102, 3]), "DUPLICATE_ID", "3");
    await expectError(() => pool.upsert([ROWS[0]], -1), "BAD_ID", "-1");
    await expectError(() => pool.remove(0.5), "BAD_ID", "0.5");
    expect([pool.size, (await pool.ids()).length, await pool.has(100)]).toEqual([50, 50, false]);
    expect(await pool.search(ROWS[7], { k: 1 })).toEqual([{ id: 7, distance: 0 }]);
    expect(await pool.search(ROWS[7], { k: 100 })).toHaveLength(50);
    expect((await pool.searchBatch([], { k: 3 })).ids).toHaveLength(0);
  });

  it("ends with CLOSED whatever waits when it is closed", async () => {
    const pool = await opened({ dimensions: D }, options);
    await pool.addAll(ROWS);
    const waiting = [pool.search(ROWS[0]), pool.addAll(ROWS), pool.searchBatch(ROWS), pool.compact()].map(thrownBy2);
    await pool.close();
    await pool.close();
    for (const error of await Promise.all(waiting)) {
      if (error !== undefined) expect(error).toMatchObject({ code: "CLOSED" });
    }
    await expectError(() => pool.search(ROWS[0]), "CLOSED", "the pool is closed");
    await expectError(() => pool.add(ROWS), "CLOSED", "the pool is closed");
  });
});

const thrownBy2 = (promise: Promise<unknown>): Promise<unknown> => thrownBy(() => promise);

describe("a memory that is changed while it is searched", () => {
  /** Every answer must be that of one of the states that there were between question and answer: none of a half. */
  it.each([
    ["flat", {}],
    ["flat", { prefilter: true, metric: "l2" }],
    ["kdtree", {}],
  ] as const)("%s %j: answers are of whole states", async (kind, options) => {
    const pool = await opened(await create(kind, { dimensions: 3, metric: "l2", ...options }), { threads: 3 });
    const next = random(11);
    const row = (): Float32Array => Float32Array.from({ length: 3 }, () => Math.round(20 * next()));
    const model = new Map<number, Float32Array>();
    const query = [10, 10, 10];
    const answer = (): Hit[] => {
      const hits = Array.from(model, ([id, row]) => ({ id, distance: row.reduce((sum, x, i) => sum + (x - query[i]) ** 2, 0) }));
      return hits.sort(byDistanceThenId).slice(0, 5);
    };
    const states = [answer().map(({ id }) => id)];
    let [whole, over, asked] = [0, false, 0];
    const asking = Array.from({ length: 6 }, async () => {
      while (!over) {
        const first = whole;
        const found = (await pool.search(query, { k: 5 })).map(({ id }) => id);
        asked++;
        // What is not answered yet may be there or not.
        const seen = states.slice(first);
        if (!seen.some((state) => state.join() === found.join())) expect(seen, "states").toContainEqual(found);
      }
    });
    const change = async (expected: () => void, work: Promise<unknown>): Promise<void> => {
      expected();
      states.push(answer().map(({ id }) => id));
      await work;
      whole = states.length - 1;
    };
    for (let i = 0; i < often(120, 600); i++) {
      const ids = [...model.keys()];
      const some = ids.filter(() => next() < 0.2);
      const draw = next();
      if (draw < 0.45 || ids.length < 20) {
        const rows = Array.from({ length: 1 + Math.floor(40 * next()) }, row);
        const first = i * 100;
        const added = rows.map((_, j) => first + j);
        await change(() => rows.forEach((one, j) => void model.set(first + j, one)), pool.add(rows, added));
      } else if (draw < 0.7) {
        await change(() => some.forEach((id) => void model.delete(id)), pool.remove(some));
      } else if (draw < 0.9) {
        const rows = some.map(row);
        await change(() => some.forEach((id, j) => void model.set(id, rows[j])), pool.upsert(rows, some));
      } else await change(() => {}, pool.compact());
    }
    over = true;
    await Promise.all(asking);
    expect(asked).toBeGreaterThan(100);
    expect((await pool.search(query, { k: 5 })).map(({ id }) => id)).toEqual(states.at(-1));
  });

  it("searches by a graph whatever is linked meanwhile, and finds what was there", async () => {
    const pool = await opened({ factory: "HNSW16", dimensions: D, metric: "l2", fastScan: true } as never, { threads: 3 });
    await pool.addAll(ROWS.slice(0, 700));
    let over = false;
    const asking = Array.from({ length: 4 }, async (_, i) => {
      for (let j = i; !over; j = (j + 7) % 700) {
        const [hit] = await pool.search(ROWS[j], { k: 1, ef: 64 });
        expect(hit).toEqual({ id: j, distance: 0 });
      }
    });
    for (let round = 0; round < often(3, 12); round++) {
      await pool.addAll(ROWS.slice(700), { ids: ROWS.slice(700).map((_, i) => 10_000 * (round + 1) + i) });
      await pool.remove(ROWS.slice(700).map((_, i) => 10_000 * (round + 1) + i));
      if (round % 3 === 2) await pool.compact();
    }
    over = true;
    await Promise.all(asking);
    expect((await pool.stats()).unreachable).toBe(0);
  });

  it("learns while it is searched, and moves to another memory", async () => {
    const pool = await opened({ factory: "IVF16,PQ6x4,RFlat", dimensions: D, metric: "l2", trainAt: 700 } as never, {
      threads: 3,
    });
    let over = false;
    const asking = Array.from({ length: 3 }, async () => {
      while (!over) {
        const [hit] = await pool.search(ROWS[3], { k: 1, nprobe: 16 });
        if (hit) expect(hit).toEqual({ id: 3, distance: 0 });
      }
    });
    await pool.addAll(ROWS);
    await pool.train();
    over = true;
    await Promise.all(asking);
    expect((await pool.stats()).trained).toBe(true);
    const [hit] = await pool.search(ROWS[1400], { k: 1, nprobe: 16 });
    expect(hit).toEqual({ id: 1400, distance: 0 });
  });

  it("gives searches more memory that need it", async () => {
    const index = await Hnsw.create({ dimensions: D, metric: "l2" });
    const many = filled(often(6000, 30_000), D, () => gauss(next));
    index.add(many);
    const pool = await opened(index, { threads: 2 });
    const found = await Promise.all(
      Array.from({ length: 8 }, () => pool.search(QUERIES[0], { k: many.length, ef: many.length })),
    );
    for (const hits of found) expect(hits).toHaveLength(many.length);
  });

  it("is full as an index is", async () => {
    const pool = await opened({ factory: "Flat", dimensions: 256, maxBytes: 2 ** 21 } as never, { threads: 2 });
    const rows = new Float32Array(256 * 100).map(() => gauss(next));
    const full = async (): Promise<void> => {
      for (;;) await pool.add(rows);
    };
    await expectError(full, "OUT_OF_MEMORY", "limit 2097152");
    const { size } = pool;
    expect((await pool.ids()).length).toBe(size);
    for (let i = 0; i < 6; i++) expect(await pool.search(rows.subarray(0, 256), { k: 1 })).toHaveLength(1);
    await pool.remove(0);
    await pool.add(rows.subarray(0, 256));
    expect(pool.size).toBe(size);
  });

  it("uses no more than a region each besides", async () => {
    const index = await Hnsw.create({ dimensions: 128, metric: "l2", fastScan: true });
    index.add(filled(often(4000, 20_000), 128, () => gauss(next)));
    const [one, two] = await Promise.all([opened(index, { threads: 1 }), opened(index, { threads: 2 })]);
    const bytes = await Promise.all([one, two].map(async (pool) => (await pool.stats()).bytes));
    // A region has scratch for a batch, whatever the size.
    expect(bytes[1]).toBeLessThan(1.05 * bytes[0] + 2 ** 20);
  });
});

describe("what others do meanwhile", () => {
  it("is found by filters that are ready, by every worker at once", async () => {
    const index = await Hnsw.create({ dimensions: D, metric: "l2", fastScan: true });
    index.add(filled(4000, D, () => gauss(next)));
    const pool = await opened(index, { threads: 3 });
    const filter = await pool.prepareFilter(Array.from({ length: 6000 }, (_, i) => i).filter((i) => i % 8 === 0));
    for (let i = 0; i < 40; i++) await pool.search(QUERIES[i % 20], { k: 5, filter });
    for (let id = 4000; id < 4200; id += 8) {
      const row = new Float32Array(D).fill(id);
      await pool.add([row], [id]);
      for (const hits of await Promise.all([1, 2, 3, 4, 5, 6].map(() => pool.search(row, { k: 1, filter })))) {
        expect(hits).toEqual([{ id, distance: 0 }]);
      }
    }
  });

  it("does not change what a search was asked with", async () => {
    const pool = await opened({ factory: "Flat", dimensions: D, metric: "l2" }, { threads: 2 });
    await pool.add(ROWS);
    for (let round = 0; round < 10; round++) {
      const [first, second] = [await pool.prepareFilter([1, 2, 3]), pool.prepareFilter([7, 8])];
      const searches = Array.from({ length: 60 }, () => pool.search(ROWS[0], { filter: first }));
      await first.close();
      const other = await second;
      for (const hits of await Promise.all(searches)) expect(hits.map(({ id }) => id).sort()).toEqual([1, 2, 3]);
      await other.close();
    }
    const ids = [1, 2, 3];
    const searches = Array.from({ length: 40 }, () => pool.search(ROWS[0], { filter: ids }));
    ids.splice(0, 3, 7);
    for (const hits of await Promise.all(searches)) expect(hits).toHaveLength(3);
    await expectError(() => pool.search(ROWS[0], { filter: 0 as never }), "BAD_OPTION", "filter is 0");
  });

  it("is seen where an index moves by itself", async () => {
    const pool = await opened({ factory: "IVF16", dimensions: D, metric: "l2", trainAt: 700 } as never, { threads: 3 });
    await pool.upsert(ROWS, Array.from(ROWS.keys()));
    const filter = await pool.prepareFilter([3, 4]);
    for (;;) {
      const plans = await Promise.all([1, 2, 3, 4, 5, 6].map(async () => (await pool.explain(ROWS[0])).plan));
      if (plans.every((plan) => plan === "lists")) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(await pool.search(ROWS[3], { filter, nprobe: 16 })).toHaveLength(2);
    await filter.close();
  });

  it("leaves readers what they can have where memory is short", async () => {
    const rows = filled(12_000, 32, () => gauss(next));
    const index = await Flat.create({ dimensions: 32, metric: "l2" });
    index.add(rows);
    const maxBytes = index.bytes + (1 << 20);
    const pool = await opened(index.toBytes(), { threads: 9, maxBytes });
    await thrownBy(async () => {
      for (;;) await pool.add(rows.slice(0, 500));
    });
    await pool.remove(Uint32Array.from({ length: 1000 }, (_, i) => i));
    await pool.compact();
    await pool.upsert([rows[0].map((x) => x + 9)], 77_777);
    const found = await Promise.all(
      Array.from({ length: 40 }, () =>
        pool.search(
          rows[0].map((x) => x + 9),
          { k: 1 },
        ),
      ),
    );
    for (const [hit] of found) expect(hit.id).toBe(77_777);
    expect((await load(await pool.toBytes())).size).toBe(pool.size);
  });

  it("gives a region as far as it must grow, once", async () => {
    const index = await Flat.create({ dimensions: 4, metric: "l2" });
    index.add(filled(40_000, 4, () => gauss(next)));
    const pool = await opened(index, { threads: 2 });
    const before = (await pool.stats()).bytes;
    const found = await Promise.all(Array.from({ length: 30 }, () => pool.search([0, 0, 0, 0], { k: 40_000 })));
    for (const hits of found) expect(hits).toHaveLength(40_000);
    expect((await pool.stats()).bytes - before).toBeLessThan(8 << 20);
  });
});

describe("changes that end early", () => {
  it.each(LAYOUTS)("%s %j: are told at once, and leave all workers alike", async (_, options) => {
    const pool = await opened({ factory: "Flat", dimensions: D, metric: "l2" }, options);
    await pool.add([ROWS[0]], [500]);
    const hanging = async function* (): AsyncGenerator<Float32Array> {
      for (let i = 0; i < 600; i++) yield ROWS[i];
      await new Promise(() => {});
    };
    // The ids of the second come to one that is taken; nothing more comes of the source then.
    const ids = Array.from({ length: 601 }, (_, i) => i);
    await expectError(() => pool.addAll(hanging(), { ids }), "DUPLICATE_ID", "500");
    for (let round = 0; round < 3; round++) {
      const abort = new AbortController();
      const first = 10_000 * (round + 1);
      const adding = thrownBy(() =>
        pool.addAll(ROWS, {
          ids: ROWS.map((_, i) => first + i),
          signal: abort.signal,
          onProgress: () => abort.abort(new Error("enough")),
        }),
      );
      await adding;
    }
    await expectError(
      () =>
        pool.addAll(ROWS, {
          ids: ROWS.map((_, i) => 100_000 + i),
          onProgress() {
            throw new VicinalError("BAD_OPTION", "mine");
          },
        }),
      "BAD_OPTION",
      "mine",
    );
    const sizes = await Promise.all(Array.from({ length: 12 }, () => pool.search(ROWS[0], { k: 10_000 })));
    expect(new Set(sizes.map(({ length }) => length))).toEqual(new Set([pool.size]));
    expect(await pool.add([ROWS[0]])).toHaveLength(1);
  });

  it("names vectors by the place that the caller gave them", async () => {
    const pool = await opened({ factory: "Flat", dimensions: D, metric: "l2" }, { threads: 2 });
    const bad = ROWS.slice(0, 900).map((row) => row.slice());
    bad[777][2] = Number.NaN;
    await expectError(() => pool.searchBatch(bad), "NOT_FINITE", "queries[777] has NaN at position 2");
    await expectError(() => pool.addAll(bad), "NOT_FINITE", "source[777] has NaN at position 2");
    await expectError(() => pool.searchBatch([], { nonsense: 1 } as never), "BAD_OPTION", "nonsense");
    await expectError(() => pool.search(ROWS[0], null as never), "BAD_OPTION", "null");
  });
});

describe("shards", () => {
  it("count ids as an index does", async () => {
    const pool = await opened({ factory: "Flat", dimensions: D, metric: "l2" }, { threads: 3, shards: true });
    expect(await pool.upsert([ROWS[0]], 0)).toBe(0);
    expect(await pool.add([ROWS[1]])).toEqual(Uint32Array.of(1));
    await expectError(() => pool.add(ROWS.slice(0, 2), [7]), "BAD_ID", "2 vectors and 1 ids");
    await expectError(() => pool.upsert(ROWS.slice(0, 1), [7, 8]), "BAD_ID", "1 vectors and 2 ids");
    await expectError(() => pool.add(ROWS.slice(0, 2), [7, 7]), "DUPLICATE_ID", "7 twice");
    await expectError(() => pool.add([ROWS[2].map(() => Number.NaN)], [4_294_967_294]), "NOT_FINITE", "NaN");
    await pool.addAll([ROWS[3]]);
    expect((await pool.ids()).sort()).toEqual(Uint32Array.of(0, 1, 2));
    await pool.add([ROWS[4]], [4_294_967_294]);
    await expectError(() => pool.add([ROWS[5]]), "BAD_ID", "no ids are left");
  });
});

describe("workers that die", () => {
  const die = async (worker: Worker): Promise<void> => void (await worker.terminate());

  it.each(LAYOUTS.slice(0, 2))("%s %j: is replaced, and nobody notices", async (_, options) => {
    const index = await Flat.create({ dimensions: D, metric: "l2" });
    index.add(ROWS);
    const pool = await opened(index, options);
    const filter = await pool.prepareFilter([4, 5]);
    const expected = index.search(ROWS[0], { k: 3 });
    let over = false;
    const asking = Array.from({ length: 8 }, async () => {
      while (!over) expect(await pool.search(ROWS[0], { k: 3 })).toEqual(expected);
    });
    for (let round = 0; round < often(4, 20); round++) {
      // The owner of a shared memory among them, now and then.
      const alive = made.filter(({ threadId }) => threadId >= 0);
      await die(alive[round % alive.length]);
      expect(await pool.search(ROWS[4], { filter })).toHaveLength(2);
      await pool.add([ROWS[0].map((x) => x + 100)]);
    }
    over = true;
    await Promise.all(asking);
    expect(pool.size).toBe(N + often(4, 20));
    expect(await pool.search(ROWS[0], { k: 3 })).toEqual(expected);
  });

  it("ends all that waits where first a reader dies, then the owner in the midst of a change", async () => {
    const pool = await opened({ factory: "HNSW32", dimensions: D } as never, { threads: 2 });
    const adding = thrownBy(() => pool.add(filled(20_000, D, () => gauss(next))));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await die(made[1]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await die(made[0]);
    expect(await adding).toMatchObject({ code: "BAD_RUNTIME" });
    await thrownBy(() => pool.search(ROWS[0]));
    await thrownBy(() => pool.stats());
    await pool.close();
  });

  it("does not hold up an addAll of the others", async () => {
    const pool = await opened({ factory: "Flat", dimensions: D, metric: "l2" }, { threads: 3, replicas: true });
    let given = 0;
    const source = async function* (): AsyncGenerator<Float32Array> {
      for (const row of ROWS) {
        if (++given === 400) await die(made[1]);
        if (given % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        yield row;
      }
    };
    await pool.addAll(source());
    expect(pool.size).toBe(N);
    await pool.add([ROWS[0]]);
    const sizes = await Promise.all(Array.from({ length: 9 }, () => pool.search(ROWS[0], { k: 2 * N })));
    expect(new Set(sizes.map(({ length }) => length))).toEqual(new Set([N + 1]));
  });

  it("says so where the index died with it", async () => {
    const pool = await opened({ dimensions: D }, { threads: 1 });
    await pool.add(ROWS);
    const waiting = thrownBy(() => pool.searchBatch(ROWS, { k: 500 }));
    await die(made[0]);
    await waiting;
    await expectError(() => pool.search(ROWS[0]), "BAD_RUNTIME", "Open the pool again");
    await expectError(() => pool.add(ROWS), "BAD_RUNTIME", "Open the pool again");
  });

  it("says so where it died while it changed what all search", async () => {
    const pool = await opened({ factory: "HNSW32", dimensions: D } as never, { threads: 2 });
    const adding = thrownBy(() => pool.add(filled(20_000, D, () => gauss(next))));
    await new Promise((resolve) => setTimeout(resolve, 150));
    await die(made[0]);
    expect(await adding).toMatchObject({ code: "BAD_RUNTIME" });
    const error = await thrownBy(() => pool.search(ROWS[0]));
    if (error !== undefined) expect(error).toMatchObject({ code: "BAD_RUNTIME" });
  });
});

describe("a queue", () => {
  it("takes so many searches, and no more", async () => {
    const pool = await opened({ dimensions: D }, { threads: 1, queue: 3 });
    await pool.add(ROWS);
    const first = [1, 2, 3].map(() => pool.search(ROWS[0]));
    await expectError(() => pool.search(ROWS[0]), "BUSY", "queue is 3");
    await Promise.all(first);
    expect(await pool.search(ROWS[0], { k: 1 })).toHaveLength(1);
  });

  it("counts a batch once", async () => {
    const pool = await opened({ dimensions: D }, { threads: 1, queue: 2 });
    await pool.add(ROWS);
    expect((await pool.searchBatch(ROWS, { k: 1 })).ids).toHaveLength(N);
  });

  it("forgets what is aborted", async () => {
    const pool = await opened({ dimensions: D }, { threads: 1 });
    await pool.add(ROWS);
    const abort = new AbortController();
    const waiting = Array.from({ length: 50 }, () => thrownBy(() => pool.search(ROWS[0], { signal: abort.signal })));
    const other = pool.search(ROWS[0], { k: 1 });
    abort.abort(new Error("not any more"));
    for (const error of await Promise.all(waiting)) expect(error).toEqual(new Error("not any more"));
    expect(await other).toHaveLength(1);
    expect(await thrownBy(() => pool.search(ROWS[0], { signal: abort.signal }))).toEqual(new Error("not any more"));
  });
});

describe("what a pool is made of", () => {
  it("is an index, bytes, a Blob, a path or the options of a new one", async () => {
    const folder = mkdtempSync(join(tmpdir(), "vicinal-"));
    try {
      const index = await createIndex({ dimensions: D, metric: "l2" });
      index.add(ROWS);
      const bytes = index.toBytes();
      const path = join(folder, "some.vic");
      writeFileSync(path, bytes);
      const expected = index.search(QUERIES[0]);
      for (const source of [index, bytes, bytes.buffer, new Blob([bytes]), path, pathToFileURL(path)]) {
        const pool = await opened(source as Uint8Array, { threads: 2 });
        expect(await pool.search(QUERIES[0])).toEqual(expected);
      }
      expect(bytes.length).toBeGreaterThan(0); // still the caller's
      const alone = await remote(path);
      open.push(alone);
      expect([alone.threads, alone.layout]).toEqual([1, "replicas"]);
      expect(await alone.search(QUERIES[0])).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("must be one", async () => {
    await expectError(() => Pool.open(7 as never), "BAD_OPTION", "source is 7");
    await expectError(() => Pool.open({ dimensions: -1 }), "BAD_OPTION", "dimensions is -1");
    await expectError(() => Pool.open(new Uint8Array(10)), "BAD_FILE", "not a whole .vic file");
    await expectError(() => Pool.open({ dimensions: 4 }, { threads: 0 }), "BAD_OPTION", "threads is 0");
    await expectError(() => Pool.open({ dimensions: 4 }, { replicas: true, shards: true }), "BAD_OPTION", "both true");
    await expectError(() => Pool.open({ dimensions: 4 }, { thread: 2 } as never), "BAD_OPTION", 'did you mean "threads"');
    await expectError(() => remote({ dimensions: 4 }, { threads: 2 } as never), "BAD_OPTION", "threads");
  });

  it("does not keep a process that has nothing more to do", async () => {
    const code = `
      import { Pool } from ${JSON.stringify(pathToFileURL(join(process.cwd(), "dist/pool.js")).href)};
      const pool = await Pool.open({ dimensions: 2 }, { threads: 2 });
      await pool.add([[1, 2]]);
      console.log((await pool.search([1, 2])).length);
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", code], { timeout: 60_000 });
    expect(stdout).toBe("1\n");
  });
});
