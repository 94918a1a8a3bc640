// Gates on the quality of approximate search: recall@10 and distances per query, both on seeded data, so that a change
// shows as a change of the figure beside its gate. Figures differ a little between variants: relaxed ones round otherwise.
import { type HnswOptions, load, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import { METRICS, type Metric } from "../../src/words/kinds.js";
import { nearest, numbered, type Rows } from "../support/answers.js";
import { create } from "../support/cases.js";
import { clustered, gauss, random, shuffled } from "../support/data.js";
import { haveData, vecs } from "../support/data-sets.js";

const K = 10;

/** The ids nearest to each query, in f64. */
function truth(rows: Rows, queries: readonly ArrayLike<number>[], metric: Metric): Set<number>[] {
  return queries.map((query) => new Set(nearest(rows, query, metric, K).map(({ id }) => id)));
}

interface Measured {
  recall: number;
  /** Distances on the codec walked, per query. */
  distances: number;
}

function measure(index: VectorIndex, queries: readonly Float32Array[], expected: readonly Set<number>[], ef: number): Measured {
  const { ids } = index.searchBatch(queries, { k: K, ef });
  let found = 0;
  for (let i = 0; i < ids.length; i++) if (expected[Math.floor(i / K)].has(ids[i])) found++;
  return { recall: found / ids.length, distances: index.lastStats.distances / queries.length };
}

/** Prints what was measured where VICINAL_MEASURE is set, to write figures beside gates. */
function gate(name: string, { recall, distances }: Measured, least: number, most: number): void {
  if (process.env.VICINAL_MEASURE) console.log(`${name}: recall ${recall.toFixed(4)}, distances ${distances.toFixed(0)}`);
  expect(recall).toBeGreaterThanOrEqual(least);
  expect(distances).toBeLessThanOrEqual(most);
}

/** Vectors that no walk can reach, as a share of all. */
function shareUnreachable(index: VectorIndex): number {
  return (index.stats().unreachable ?? Number.NaN) / index.size;
}

describe("Hnsw, m 16, efConstruction 100, 5,000 vectors of 32 dimensions around 50 centres", () => {
  const D = 32;
  const all = clustered(5200, D, 1);
  const rows = all.slice(0, 5000);
  const queries = all.slice(5000);
  const among = numbered(rows);
  const expected = new Map<Metric, Set<number>[]>();
  const gates: [options: Partial<HnswOptions>, ef: number, recall: number, distances: number][] = [
    [{ metric: "l2" }, 20, 0.99, 188], // measured 0.9995, 174
    [{ metric: "l2" }, 100, 0.9995, 358], // 1.0000, 332
    [{ metric: "l2", codec: "sq8" }, 20, 0.98, 189], // 0.9910, 175
    [{ metric: "l2", codec: "sq8", rerank: true }, 20, 0.99, 189], // 1.0000, 175
    [{ metric: "cosine" }, 20, 0.99, 201], // 0.9995, 186
    [{ metric: "cosine", codec: "sq8" }, 20, 0.97, 203], // 0.9815, 188
    [{ metric: "cosine", codec: "sq8", rerank: true }, 20, 0.99, 203], // 1.0000, 188
    [{ metric: "dot", mips: "augment" }, 20, 0.99, 200], // 1.0000, 185
    [{ metric: "dot", mips: "native" }, 20, 0.99, 204], // 0.9990, 189
    [{ metric: "dot", mips: "native", codec: "sq8", rerank: true }, 20, 0.99, 204], // 0.9990, 189
    [{ metric: "hamming" }, 40, 0.99, 375], // 1.0000, 347
    [{ metric: "l1" }, 20, 0.99, 214], // 0.9990, 198
    [{ metric: "l1", codec: "sq8" }, 20, 0.98, 215], // 0.9905, 199
    [{ metric: "l1", codec: "sq8", rerank: true }, 20, 0.99, 215], // 0.9990, 199
    [{ metric: "l1", codec: "f16" }, 20, 0.99, 215], // 0.9980, 199
  ];
  it.each(gates)("%o, ef %d: recall at least %d with at most %d distances", async (own, ef, recall, distances) => {
    const metric = own.metric!;
    if (!expected.has(metric)) expected.set(metric, truth(among, queries, metric));
    const index = await create("hnsw", { dimensions: D, m: 16, efConstruction: 100, ...own });
    index.add(rows);
    const name = `${Object.values(own).join(" ")} ef ${ef}`;
    const wanted = expected.get(metric)!;
    if (metric !== "hamming") return gate(name, measure(index, queries, wanted, ef), recall, distances);
    // Many ties at the cut: a hit counts if it is as near as the tenth.
    const { exact } = METRICS.hamming;
    const { distances: found } = index.searchBatch(queries, { k: K, ef });
    const tenth = queries.map((query, i) => Math.max(...[...wanted[i]].map((id) => exact(query, rows[id]))));
    const hits = found.filter((distance, i) => distance <= tenth[Math.floor(i / K)]).length;
    gate(name, { recall: hits / found.length, distances: index.lastStats.distances / queries.length }, recall, distances);
  });

  it("more ef finds more and costs more", async () => {
    const index = await create("hnsw", { dimensions: D, metric: "l2", m: 8, efConstruction: 40 });
    index.add(rows);
    const wanted = truth(among, queries, "l2");
    const curve = [10, 20, 40, 80, 160].map((ef) => measure(index, queries, wanted, ef));
    for (let i = 1; i < curve.length; i++) {
      expect(curve[i].recall).toBeGreaterThanOrEqual(curve[i - 1].recall);
      expect(curve[i].distances).toBeGreaterThan(curve[i - 1].distances);
    }
    expect(shareUnreachable(index)).toBe(0);
  });

  it("filters keep their recall at every selectivity", async () => {
    const index = await create("hnsw", { dimensions: D, metric: "l2", m: 16, efConstruction: 100 });
    index.add(rows);
    const gates: [share: number, recall: number, distances: number][] = [
      [0.01, 1, 50], // measured 1, 50: scanned
      [0.1, 1, 693], // 1, 642: a look around, then scanned
      [0.3, 0.99, 625], // 1.0000, 578
      [0.6, 0.99, 270], // 1.0000, 249
      [0.95, 0.99, 230], // 1.0000, 213
    ];
    for (const [share, recall, distances] of gates) {
      const passing = shuffled(among.keys(), 3).slice(0, share * rows.length);
      const wanted = truth(new Map(passing.map((id) => [id, rows[id]])), queries, "l2");
      const { ids } = index.searchBatch(queries, { k: K, ef: 40, filter: passing });
      const found = ids.filter((id, i) => wanted[Math.floor(i / K)].has(id)).length;
      const measured = { recall: found / ids.length, distances: index.lastStats.distances / queries.length };
      gate(`filter ${share}`, measured, recall, distances);
    }
  });
});

describe("Hnsw after much change finds as much as a graph built at once from what is left", () => {
  const D = 24;
  const N = 3000;
  const EF = 20;
  const options = { dimensions: D, metric: "l2", m: 12, efConstruction: 80 } as const;
  const all = clustered(4 * N + 200, D, 5, 30);
  const queries = all.slice(4 * N);

  /** Recall may be lower than the fresh graph's by `less`, distances higher by a quarter; and so it stays when compacted. */
  async function compare(name: string, index: VectorIndex, less: number, asking = queries): Promise<void> {
    const ids = [...index.ids()];
    const rows = new Map(ids.map((id) => [id, index.get(id)!]));
    const fresh = await create("hnsw", options);
    fresh.add([...rows.values()], ids);
    const wanted = truth(rows, asking, "l2");
    const best = measure(fresh, asking, wanted, EF);
    gate(`${name}, fresh`, best, 0, Infinity);
    gate(name, measure(index, asking, wanted, EF), best.recall - less, best.distances * 1.35);
    expect(shareUnreachable(fresh)).toBe(0);
    expect(shareUnreachable(index)).toBeLessThanOrEqual(0.005);
    await index.compact();
    expect(shareUnreachable(index)).toBeLessThanOrEqual(0.005);
    const compacted = measure(index, asking, wanted, EF);
    gate(`${name}, compacted`, compacted, best.recall - less, best.distances * 1.35);
    expect(measure(await load(index.toBytes()), asking, wanted, EF)).toEqual(compacted);
  }

  async function grown(): Promise<VectorIndex> {
    const index = await create("hnsw", options);
    index.add(all.slice(0, N));
    return index;
  }

  it("30 % removed", async () => {
    const index = await grown();
    index.remove(shuffled(index.ids(), 6).slice(0, 0.3 * N));
    await compare("30 % removed", index, 0.01); // measured 1.0000, fresh 1.0000
  });

  it("30 % removed and others added", async () => {
    const index = await grown();
    index.remove(shuffled(index.ids(), 6).slice(0, 0.3 * N));
    index.add(all.slice(N, 1.3 * N));
    await compare("30 % replaced", index, 0.01); // measured 0.9970, fresh 0.9975
  });

  it("the clusters between two others removed", async () => {
    const index = await create("hnsw", options);
    const next = random(8);
    const near = (cluster: number): Float32Array => Float32Array.from({ length: D }, () => gauss(next) + 8 * cluster);
    index.add(Array.from({ length: N }, (_, i) => near(i % 5)));
    index.remove([...index.ids()].filter((id) => id % 5 > 0 && id % 5 < 4));
    const asking = Array.from({ length: 100 }, (_, i) => near(i % 2 ? 0 : 4));
    await compare("clusters removed", index, 0.03, asking); // measured 0.9640, fresh 0.9650
  });

  it("every vector replaced three times, a few at a time, the oldest first", async () => {
    const index = await grown();
    for (let next = N; next < 4 * N; next += 30) {
      index.remove(Array.from({ length: 30 }, (_, i) => next - N + i));
      index.add(all.slice(next, next + 30));
    }
    expect(index.size).toBe(N);
    await compare("replaced in order", index, 0.03); // measured 0.9875, fresh 0.9965
  });

  it("every vector replaced three times, at random, one by one", async () => {
    const index = await grown();
    const order = shuffled(Array(N).keys(), 7);
    for (let next = N; next < 4 * N; next++) {
      index.remove(order[next % N]);
      index.add([all[next]], [order[next % N]]);
    }
    expect(index.size).toBe(N);
    await compare("replaced at random", index, 0.06); // measured 0.9555, compacted 0.9655, fresh 1.0000
  });

  it("grown from a handful that is left, twice", async () => {
    const index = await create("hnsw", options);
    for (let round = 0; round < 3; round++) {
      index.add(all.slice(round * N, (round + 1) * N));
      if (round < 2) for (const id of shuffled(index.ids(), round).slice(5)) index.remove(id);
    }
    await compare("grown again", index, 0.01); // measured 0.9990, fresh 1.0000
  });
});

describe("real vectors, by the published ids", () => {
  const SETS = {
    "siftsmall-128": { metric: "l2", base: "base.bvecs", query: "query.bvecs", truth: "gt_l2.ivecs" },
    "minilm-mix-384": { metric: "cosine", base: "base.fvecs.gz", query: "query.fvecs", truth: "gt_cos.ivecs" },
  } as const;
  const gates: [
    set: keyof typeof SETS,
    own: Partial<HnswOptions>,
    ef: number,
    recall: number,
    distances: number,
    exact: number,
  ][] = [
    ["siftsmall-128", {}, 20, 0.97, 325, 1], // measured 0.9810, 303, 1
    ["siftsmall-128", { codec: "sq8" }, 20, 0.97, 325, 1], // 0.9810, 303, 1: integers lose nothing
    ["minilm-mix-384", {}, 40, 0.98, 620, 1], // 0.9885, 574, 1
    ["minilm-mix-384", { codec: "sq8" }, 40, 0.975, 620, 0.99], // 0.9848, 573, 0.9970
    ["minilm-mix-384", { codec: "sq8", rerank: true }, 40, 0.98, 620, 1], // 0.9885, 573, 1
  ];
  it.for(gates)("%s %o, ef %d", ([set, own, ef, recall, distances, exact], { skip }) => {
    if (!haveData(set)) skip(`there is no folder ${set}`);
    return real(set, own, ef, recall, distances, exact);
  });

  async function real(
    set: keyof typeof SETS,
    own: Partial<HnswOptions>,
    ef: number,
    recall: number,
    distances: number,
    exact: number,
  ) {
    const { metric, base, query, truth } = SETS[set];
    const rows = vecs(set, base);
    const queries = vecs(set, query);
    const wanted = vecs(set, truth).map((ids) => new Set(ids.subarray(0, K)));
    const index = await create("hnsw", { dimensions: rows[0].length, metric, m: 16, efConstruction: 100, ...own });
    index.add(rows);
    const name = `${set} ${Object.values(own).join(" ")}`;
    gate(name, measure(index, queries, wanted, ef), recall, distances);
    // What the codec alone costs.
    const few = queries.slice(0, 100);
    const { ids } = index.searchBatch(few, { k: K, exact: true });
    const found = [...ids].filter((id, i) => wanted[Math.floor(i / K)].has(id)).length;
    gate(`${name} exact`, { recall: found / ids.length, distances: rows.length }, exact, rows.length);
  }
});

describe("vectors that 8 significant bits cannot tell apart are told apart", () => {
  // One vector in seven lies in a tight cluster; before walks noticed, recall there was .19 to .92.
  it.each([
    ["l2", 0.003],
    ["l2", 0.01],
    ["cosine", 0.01],
    ["cosine", 0.03],
  ] as const)("%s, a cluster %d wide among Gaussian vectors", async (metric, spread) => {
    const d = 16;
    const next = random(31);
    const normal = (): Float32Array => Float32Array.from({ length: d }, () => gauss(next));
    const centre = normal();
    const near = (): Float32Array => centre.map((x) => x + spread * gauss(next));
    const index = await create("hnsw", { dimensions: d, metric, efConstruction: 100 });
    index.add([...Array.from({ length: 3000 }, normal), ...Array.from({ length: 500 }, near)]);
    let found = 0;
    for (let i = 0; i < 60; i++) {
      const query = near();
      const farthest = index.search(query, { exact: true })[9].distance;
      for (const { distance } of index.search(query, { ef: 64 })) if (distance <= farthest) found++;
    }
    expect(found / 600).toBeGreaterThanOrEqual(0.98); // measured 1.000
  });

  it("efConstruction below m, with removals around a point, stays in its memory", async () => {
    for (const [m, efConstruction] of [
      [16, 1],
      [32, 4],
      [64, 1],
    ]) {
      const next = random(5);
      const rows = (n: number): Float32Array[] =>
        Array.from({ length: n }, () => Float32Array.from({ length: 4 }, () => gauss(next)));
      const index = await create("hnsw", { dimensions: 4, metric: "l2", m, efConstruction });
      index.add(rows(400));
      for (let round = 0; round < 8; round++) {
        const [centre] = rows(1);
        index.remove(index.search(centre, { k: 40, exact: true }).map(({ id }) => id));
        index.add(Array.from({ length: 40 }, () => centre.map((x) => x + 0.01 * gauss(next))));
        expect(index.search(centre, { k: 400 })).toHaveLength(400);
      }
    }
  });
});
