// tune(): what it chooses finds what it says, on queries that it has not seen; what was tuned is the default, is saved, and may be asked by recall.
import { Flat, Forest, Hnsw, Ivf, KdTree, Lsh, load, type VectorIndex } from "vicinal";
import { Collection } from "vicinal/collection";
import { type TuneOptions, tune, tuned } from "vicinal/guide";
import { Pool } from "vicinal/pool";
import { memory } from "vicinal/storage";
import { describe, expect, it } from "vitest";
import { promised } from "../../src/guide/curve.js";
import { recallOf } from "../../src/guide/recall.js";
import { correlated, random } from "../support/data.js";
import { expectError } from "../support/errors.js";

const D = 32;
const N = 2000;
const ALL = correlated(N + 800, D, 24, 3);
const ROWS = ALL.slice(0, N);
const QUERIES = ALL.slice(N, N + 400);
const OTHERS = ALL.slice(N + 400);

async function filled<T extends VectorIndex>(made: Promise<T>): Promise<T> {
  const index = await made;
  index.add(ROWS);
  if (!index.trained) await index.train();
  return index;
}

const hnsw = () => filled(Hnsw.create({ dimensions: D, metric: "l2", m: 8, efConstruction: 60 }));

function recallNow(index: VectorIndex, k: number, options: object = {}): number {
  let found = 0;
  for (const query of OTHERS) {
    const right = new Set(index.search(query, { k, ...options, exact: true }).map(({ id }) => id));
    found += index.search(query, { k, ...options }).filter(({ id }) => right.has(id)).length;
  }
  return found / (k * OTHERS.length);
}

describe("an interval of recall", () => {
  it("covers the mean of as many other queries 95 times of 100, also where hits go together and near 1", () => {
    const next = random(5);
    for (const spread of [0.02, 0.1, 0.3]) {
      // A query's recall: some are hard, the others find all.
      const drawn = () => Array.from({ length: 300 }, () => (next() < spread ? Math.floor(next() * 10) / 10 : 1));
      let covered = 0;
      for (let i = 0; i < 1000; i++) {
        const { low, high } = recallOf(drawn());
        const other = recallOf(drawn()).recall;
        if (other >= low && other <= high) covered++;
      }
      expect(covered).toBeGreaterThan(925);
      expect(covered).toBeLessThan(985);
    }
  });

  it("is no point where all is found", () => {
    const { recall, error, low, high } = recallOf(new Array(200).fill(1));
    expect([recall, error, high]).toEqual([1, 0, 1]);
    expect(low).toBeGreaterThan(0.9);
    expect(low).toBeLessThan(1);
  });
});

describe("what is chosen", () => {
  const KINDS: readonly [name: string, make: () => Promise<VectorIndex>, knob: string][] = [
    ["Hnsw", hnsw, "ef"],
    ["Hnsw, fastScan", () => filled(Hnsw.create({ dimensions: D, metric: "cosine", fastScan: true })), "ef"],
    ["Ivf", () => filled(Ivf.create({ dimensions: D, metric: "l2", nlist: 64 })), "nprobe"],
    [
      "Ivf, pq, rerank",
      () => filled(Ivf.create({ dimensions: D, nlist: 64, codec: { type: "pq", bits: 4 }, rerank: true })),
      "nprobe",
    ],
    ["KdTree", () => filled(KdTree.create({ dimensions: D, metric: "l2" })), "maxLeaves"],
    ["Forest", () => filled(Forest.create({ dimensions: D, metric: "l2" })), "searchK"],
    ["Lsh", () => filled(Lsh.create({ dimensions: D })), "probes"],
  ];

  it.each(KINDS)("%s", async (_, make, knob) => {
    const index = await make();
    for (const target of [0.8, 0.95]) {
      const { choice, curves, cost } = await tune(index, { recall: target, queries: QUERIES });
      expect(choice.reached).toBe(true);
      expect(index.stats().options[knob]).toBe(choice.effort);
      expect(promised(choice, target)).toBeGreaterThanOrEqual(target);
      expect(recallNow(index, 10)).toBeGreaterThan(target - 0.015);
      const below = curves[0].points.filter(({ effort }) => Number(effort) < Number(choice.effort)).at(-1);
      if (below) expect(promised(below, target)).toBeLessThan(target);
      if (below && Number(choice.effort) - Number(below.effort) > 1) {
        expect(Number(choice.effort) / Number(below.effort)).toBeLessThan(1.05);
      }
      expect(cost).toMatchObject({ queries: 400, from: "given", truth: "vectors" });
    }
    const loaded = await load(index.toBytes());
    expect(loaded.stats().options[knob]).toBe(index.stats().options[knob]);
    loaded.close();
    index.close();
  });

  it("of own queries leaves themselves out", async () => {
    const index = await hnsw();
    const { choice, cost, curves } = await tune(index, { recall: 0.9, sample: 300, k: 1 });
    expect(cost).toMatchObject({ queries: 300, from: "own" });
    expect(curves[0].points[0].recall).toBeLessThan(1); // themselves alone they would all find
    expect(choice.recall).toBeGreaterThanOrEqual(0.9);
    index.close();
  });

  it("Flat has nothing to turn", async () => {
    const index = await filled(Flat.create({ dimensions: D }));
    const { choice, curves } = await tune(index, { queries: QUERIES });
    expect(choice).toMatchObject({ effort: undefined, recall: 1, reached: true });
    expect(curves[0].points).toHaveLength(1);
    index.close();
  });

  it("says so where nothing reaches it, and leaves the default", async () => {
    const index = await filled(Ivf.create({ dimensions: D, metric: "l2", nlist: 16, nprobe: 3, codec: { type: "pq", m: 4 } }));
    const exact = await filled(Flat.create({ dimensions: D, metric: "l2" }));
    const truth = QUERIES.map((query) => exact.search(query, { k: 10 }).map(({ id }) => id));
    const lost = await tune(index, { queries: QUERIES, truth });
    expect(lost.choice.reached).toBe(false);
    expect(lost.choice.recall).toBeLessThan(0.9);
    expect(lost.cost.truth).toBe("given");
    expect(index.stats().options.nprobe).toBe(3);
    // Against its own codes it finds all, and says what that is.
    const own = await tune(index, { queries: QUERIES });
    expect(own.cost.truth).toBe("codes");
    expect(own.choice.reached).toBe(true);
    index.close();
    exact.close();
  });
});

describe("several k and filters", () => {
  it("each has its curve, and searches ask by recall", async () => {
    const index = await hnsw();
    const even = index.prepareFilter((id) => id % 2 === 0);
    const found = await tune(index, { recall: 0.9, k: [10, 50], filters: [1, 0.3, even], queries: QUERIES });
    expect(found.curves.map(({ k, share }) => [k, Number(share.toFixed(1))])).toEqual([
      [10, 1],
      [50, 1],
      [10, 0.3],
      [50, 0.3],
      [10, 0.5],
      [50, 0.5],
    ]);
    expect(index.stats().options.ef).toBe(found.choice.effort);
    const [low, high] = [found.effort({ recall: 0.8 }), found.effort({ recall: 0.97 })];
    expect(Number(high.ef)).toBeGreaterThan(Number(low.ef));
    expect(recallNow(index, 10, high)).toBeGreaterThan(0.955);
    const hits = found.search(QUERIES[0], { k: 20, recall: 0.97 });
    expect(hits).toEqual(index.search(QUERIES[0], { k: 20, ...found.effort({ k: 20, recall: 0.97 }) }));
    expect(found.search(QUERIES[0], { filter: even }).every(({ id }) => id % 2 === 0)).toBe(true);
    expect(found.search(QUERIES[0], { filter: (id) => id % 2 === 0 })).toHaveLength(10);
    await expectError(() => found.search(QUERIES[0], { k: 100 }), "BAD_OPTION", "k up to 50 was tuned for");
    const short = await tune(index, { recall: 0.2, queries: QUERIES.slice(0, 50), filters: [0.5] });
    const [{ points }] = short.curves;
    const most = Math.max(...points.map((point) => promised(point, 1)));
    if (most < 1) await expectError(() => short.effort({ recall: 1 }), "BAD_OPTION", "beyond what was measured");

    const again = await tuned(index, JSON.parse(JSON.stringify(found)));
    expect(again.effort({ recall: 0.93, share: 0.3 })).toEqual(found.effort({ recall: 0.93, share: 0.3 }));
    const other = await Flat.create({ dimensions: D });
    await expectError(() => tuned(other, found.toJSON()), "BAD_OPTION", "tuned for hnsw of 32 dimensions");
    other.close();
    index.close();
  });

  it("apply: false leaves the default; the same calls choose the same", async () => {
    const index = await hnsw();
    const [one, other] = [await tune(index, { apply: false }), await tune(index, { apply: false })];
    expect(index.stats().options.ef).toBe(64);
    expect(one.choice.effort).toBe(other.choice.effort);
    index.close();
  });
});

describe("beside indices", () => {
  it("a pool", async () => {
    const index = await hnsw();
    const pool = await Pool.open(index, { threads: 2 });
    const [ours, theirs] = [
      await tune(index, { queries: QUERIES, k: 5 }),
      await tune(pool, { queries: QUERIES, k: 5, filters: [1, 0.2] }),
    ];
    expect(theirs.choice.effort).toBe(ours.choice.effort);
    expect(await theirs.search(QUERIES[0], { k: 5, recall: 0.8 })).toHaveLength(5);
    await pool.close();
    index.close();
  });

  it("a collection, by conditions", async () => {
    const docs = await Collection.open({ storage: memory(), dimensions: D, metric: "l2", index: { kind: "hnsw", m: 8 } });
    await docs.upsert(ROWS.map((vector, i) => ({ id: `d${i}`, vector, data: { even: i % 2 === 0 } })));
    await docs.reindex({ kind: "hnsw", m: 8 });
    const found = await tune(docs, { sample: 100, filters: [1, { even: true }] });
    expect(found.curves.map(({ share }) => share)).toEqual([1, 0.5]);
    expect(found.choice.reached).toBe(true);
    const hits = await found.search(QUERIES[0], { k: 5, recall: 0.9, where: { even: true } });
    expect(hits.every(({ id }) => Number(String(id).slice(1)) % 2 === 0)).toBe(true);
    await expectError(() => tune(docs, { filters: [0.5] }), "BAD_OPTION", "a collection filters by conditions");
    await docs.close();
  });

  it("an index whose rows the caller has", async () => {
    const fetchVectors = async (ids: Uint32Array) => Array.from(ids, (id) => ROWS[id]);
    const index = await filled(
      Ivf.create({ dimensions: D, metric: "l2", nlist: 32, codec: { type: "pq", bits: 4 }, rerank: { fetchVectors } }),
    );
    const { choice } = await tune(index, { recall: 0.8, queries: QUERIES.slice(0, 60) });
    expect(choice.reached).toBe(true);
    index.close();
  });
});

describe("refuses", () => {
  const WRONG: readonly [options: TuneOptions, sentence: string][] = [
    [{ recall: 1.5 }, "recall is 1.5"],
    [{ k: 0 }, "k is 0"],
    [{ k: [] }, "at least one k"],
    [{ filters: [0] }, "a share of filters is 0"],
    [{ filters: 0.5 } as unknown as TuneOptions, "filters is 0.5; it must be an array"],
    [{ filters: [[]] }, "nothing passes one of the filters"],
    [{ queries: [] }, "2000 vectors and 0 queries"],
    [{ truth: [[1]] }, "give both"],
    [{ queries: QUERIES.slice(0, 2), truth: [[1]] }, "truth has 1 rows for 2 queries"],
    [{ queries: QUERIES.slice(0, 1), truth: [[1]] }, "has 1 ids; k is 10"],
    [{ ef: 3 } as unknown as TuneOptions, 'tune has no option "ef"'],
  ];

  it("what it cannot do", async () => {
    const index = await hnsw();
    for (const [options, sentence] of WRONG) await expectError(() => tune(index, options), "BAD_OPTION", sentence);
    const nothing = { kind: "hnsw", dimensions: D, curves: [] } as unknown as Parameters<typeof tuned>[1];
    await expectError(() => tuned(index, nothing), "BAD_OPTION", "give what JSON.stringify has made of it");
    await expectError(() => tune({} as VectorIndex), "BAD_OPTION", "is no index, pool, collection or set of shards");
    index.close();
  });

  it("to go on when it is aborted", async () => {
    const index = await hnsw();
    const end = new AbortController();
    const seen: number[] = [];
    const running = tune(index, {
      signal: end.signal,
      onProgress: ({ effort }) => {
        seen.push(Number(effort));
        end.abort();
      },
    });
    await expect(running).rejects.toThrow("abort");
    expect(seen).toEqual([10]);
    expect(index.stats().options.ef).toBe(64);
    index.close();
  });
});
