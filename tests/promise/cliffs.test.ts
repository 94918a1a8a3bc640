// No search falls off a cliff: what it costs, in lastStats' counts, grows smoothly with k and with what passes a filter.
import { Flat, Forest, Hnsw, Ivf, KdTree, Lsh, type SearchStats, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import { measured } from "../support/answers.js";
import { gaussians, random } from "../support/data.js";
import { untimed } from "../support/untimed.js";

const D = 16;
const N = 20_000;
const SHARES = [100, 50, 20, 10, 5, 2, 1, 0.1];
const KS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
/** One step may cost so many times what the work asked for grows by. */
const MOST = 3;

const rows = gaussians(N, D, 1);
const queries = gaussians(10, D, 2);
const next = random(3);
/** An id passes at every share above its own. */
const shareOf = Float64Array.from({ length: N }, () => 100 * next());
/** Those near one point pass first. */
const along = rows.map((row, id) => ({ id, x: row[0] })).sort((a, b) => a.x - b.x);
const shareAlong = new Float64Array(N);
along.forEach(({ id }, i) => {
  shareAlong[id] = (100 * i) / N;
});

const options = { dimensions: D, metric: "l2", seed: 7 } as const;
const trained = { ...options, trainAt: N / 2 };
const FAMILIES: readonly (readonly [string, () => Promise<VectorIndex>])[] = [
  ["Flat", () => Flat.create(options)],
  ["Flat of sq8, re-scored", () => Flat.create({ ...options, codec: "sq8", rerank: true })],
  ["Hnsw", async () => untimed(await Hnsw.create(options))],
  ["Hnsw of sq8, re-scored", async () => untimed(await Hnsw.create({ ...options, codec: "sq8", rerank: true }))],
  ["Ivf", () => Ivf.create(trained)],
  ["Ivf by a graph", () => Ivf.create({ ...trained, coarse: "hnsw" })],
  ["Ivf of pq", () => Ivf.create({ ...trained, codec: "pq" })],
  ["KdTree", () => KdTree.create(options)],
  ["KdTree of few leaves", () => KdTree.create({ ...options, maxLeaves: 100 })],
  ["Forest", () => Forest.create(options)],
  ["Lsh", () => Lsh.create(options)],
];

/** What a scan scores it has visited too: that is once the work. */
const costOf = ({ distances, visited, reranked }: SearchStats): number => Math.max(distances, visited) + reranked;

/** A bitset of the ids that pass, or nothing where all do, and how many pass. */
function passing(shares: Float64Array, share: number): { filter?: Uint8Array; count: number } {
  if (share === 100) return { count: N };
  const filter = new Uint8Array(N / 8);
  let count = 0;
  shares.forEach((own, id) => {
    if (own >= share) return;
    filter[id >> 3] |= 1 << (id & 7);
    count++;
  });
  return { filter, count };
}

describe.each(FAMILIES)("%s", (_, create) => {
  it.each([
    ["any ids", shareOf],
    ["ids that lie together", shareAlong],
  ])("with a filter of %s", async (_, shares) => {
    const index = await create();
    index.add(rows);
    const steps = SHARES.map((share) => {
      const { filter, count } = passing(shares, share);
      const costs = KS.map((k) => {
        const { ids } = index.searchBatch(queries, { k, filter });
        expect(
          ids.filter((id) => id !== 0xffffffff),
          `${share} %, k ${k}`,
        ).toHaveLength(queries.length * Math.min(k, count));
        return costOf(index.lastStats);
      });
      return { share, count, costs };
    });
    const check = (what: string, cost: number, before: number, growth: number): void => {
      if (!(cost <= MOST * growth * before)) expect.fail(`${what}: ${before / 10} to ${cost / 10} a query`);
    };
    steps.forEach(({ share, count, costs }, i) => {
      KS.forEach((k, j) => {
        if (j > 0) check(`${share} %, k ${KS[j - 1]} to ${k}`, costs[j], costs[j - 1], k / KS[j - 1]);
        if (j > 0) check(`${share} %, k ${k} to ${KS[j - 1]}`, costs[j - 1], costs[j], 1);
        if (i === 0) return;
        const wider = steps[i - 1];
        check(`k ${k}, ${wider.share} to ${share} %`, costs[j], wider.costs[j], 1);
        check(`k ${k}, ${share} to ${wider.share} %`, wider.costs[j], costs[j], wider.count / count);
      });
    });
    index.close();
  });
});

it("a beam twice as wide costs twice as much at most, however few there are to scan", async () => {
  const index = await Hnsw.create(options);
  for (const n of [400, 800, 1500, 3000, 6000, 12_000]) {
    index.add(rows.slice(index.size, n));
    let before = Number.POSITIVE_INFINITY;
    for (let ef = 8; ef <= 1024; ef *= 2) {
      index.searchBatch(queries, { k: 1, ef });
      const cost = costOf(index.lastStats);
      expect(cost, `${n} vectors, ef ${ef}`).toBeLessThanOrEqual(2 * before);
      before = cost;
    }
    expect(before, `${n} vectors`).toBeLessThanOrEqual(queries.length * n);
  }
  index.close();
});

describe("copies", () => {
  const queriesOf = gaussians(300, D, 5);
  const half = rows.slice(0, N / 2);
  const zeros = new Array<Float32Array>(N / 2).fill(new Float32Array(D));
  const crowds = gaussians(100, D, 4).flatMap((row) => new Array<Float32Array>(100).fill(row));

  /** Recall by distance, and cost, of a search for ten. */
  async function measure(create: () => Promise<VectorIndex>, base: Float32Array[]): Promise<{ recall: number; cost: number }> {
    const [index, flat] = [await create(), await Flat.create(options)];
    for (let from = 0; from < base.length; from += 4000) index.add(base.slice(from, from + 4000));
    flat.add(base);
    let found = 0;
    let cost = 0;
    for (const query of queriesOf) {
      const farthest = flat.search(query)[9].distance;
      found += index.search(query).filter(({ distance }) => distance <= farthest).length;
      cost += costOf(index.lastStats);
    }
    // k copies are k answers, at one distance or a few.
    const last = base[base.length - 1];
    expect(index.search(last, { k: 300 })).toHaveLength(300);
    expect(index.lastStats.distances).toBeLessThan(N / 4);
    const among = Uint32Array.from({ length: base.length / 2 }, (_, i) => 2 * i);
    expect(index.search(last, { k: 300, filter: among })).toHaveLength(300);
    for (const one of [index, flat]) one.close();
    return { recall: found / (10 * queriesOf.length), cost: cost / queriesOf.length };
  }

  const families: readonly (readonly [string, () => Promise<VectorIndex>, number])[] = [
    ["Forest", () => Forest.create(options), 0.015], // .940 alone, .927 to .948
    ["KdTree", () => KdTree.create({ ...options, maxLeaves: 200 }), 0.03], // .953, .926 to .955
    ["Lsh", () => Lsh.create({ ...options, width: 6 }), 0.01], // .623, .623 to .640
  ];
  it.each(families)("take no effort from a %s", async (name, create, lost) => {
    for (const [what, some] of Object.entries({ zeros, crowds })) {
      const alone = await measure(create, [...half, ...new Set(some)]);
      measured(`${name}, without copies`, alone.recall);
      const together = [...half, ...some];
      const orders = { last: together, first: [...some, ...half], among: together.map((_, i) => together[(i * 7919) % N]) };
      for (const [order, base] of Object.entries(orders)) {
        const { recall, cost } = await measure(create, base);
        expect(measured(`${name}, ${what} ${order}`, recall)).toBeGreaterThanOrEqual(alone.recall - lost);
        expect(measured(`its cost against ${alone.cost}`, cost)).toBeLessThanOrEqual(1.1 * alone.cost);
      }
    }
  });
});
