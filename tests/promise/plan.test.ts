// lastStats.plan says how the last search went.
import { Flat, Forest, Hnsw, Ivf, KdTree, Lsh, type SearchOptions, type SearchStats, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import { gaussians, integers } from "../support/data.js";
import { untimed } from "../support/untimed.js";

const D = 16;
const N = 2000;
/** Two clusters far apart: ids below N / 2, where the query is, and the others. */
const ROWS = gaussians(N, D, 1).map((row, i) => row.map((x) => x + (i < N / 2 ? 0 : 100)));
const QUERY = gaussians(1, D, 2)[0];
const FEW = [3, 700, 1500];
const options = { dimensions: D, metric: "l2" } as const;
const evenIds = ROWS.map((_, id) => id).filter((id) => id % 2 === 0);
const farIds = ROWS.map((_, id) => id).filter((id) => id >= N / 2);

interface Case {
  readonly name: string;
  readonly create: () => Promise<VectorIndex>;
  readonly searches: readonly (readonly [string, SearchOptions, SearchStats["plan"]])[];
}

const CASES: readonly Case[] = [
  {
    name: "Flat",
    create: () => Flat.create(options),
    searches: [
      ["all", {}, "scan"],
      ["a radius", { radius: 1 }, "scan"],
    ],
  },
  { name: "Flat with a prefilter", create: () => Flat.create({ ...options, prefilter: true }), searches: [["all", {}, "scan"]] },
  ...[false, true].map((fastScan) => ({
    name: fastScan ? "Hnsw with fastScan" : "Hnsw",
    create: async () => untimed(await Hnsw.create({ ...options, fastScan })),
    searches: [
      ["all", {}, "walk"],
      ["exact", { exact: true }, "scan"],
      ["three ids", { filter: FEW }, "scan"],
      ["every other id", { k: 1, ef: 2, filter: evenIds }, "walk"],
      ["ids that the walk does not meet", { ef: 10, filter: farIds }, "walk, then scan"],
    ] as const,
  })),
  {
    name: "Hnsw with fetchVectors",
    create: () => Hnsw.create({ ...options, codec: "sq8", rerank: { fetchVectors: (ids) => Array.from(ids, (id) => ROWS[id]) } }),
    searches: [["all", {}, "walk"]],
  },
  {
    name: "Ivf",
    create: () => Ivf.create({ ...options, nlist: 16, nprobe: 2, trainAt: N, coarse: "exact" }),
    searches: [
      ["all", {}, "lists"],
      ["more than there are", { nprobe: 100 }, "lists"],
      ["three ids", { filter: FEW }, "scan"],
      ["every other id", { filter: evenIds }, "more lists"],
      ["exact", { exact: true }, "scan"],
    ],
  },
  {
    name: "Ivf by a graph",
    create: () => Ivf.create({ ...options, nlist: 16, nprobe: 2, trainAt: N, coarse: "hnsw" }),
    searches: [
      ["all", {}, "lists"],
      ["three ids", { filter: FEW }, "scan"],
      ["every other id", { filter: evenIds }, "more lists"],
      ["exact", { exact: true }, "scan"],
    ],
  },
  {
    name: "Ivf that has not learned yet",
    create: () => Ivf.create({ ...options, nlist: 16, trainAt: N + 1 }),
    searches: [["all", {}, "scan"]],
  },
  ...(
    [
      [KdTree, { maxLeaves: 1 }],
      [Forest, { searchK: 1 }],
    ] as const
  ).map(([family, least]) => ({
    name: family.name,
    create: (): Promise<VectorIndex> => family.create(options),
    searches: [
      ["all", {}, "trees"],
      ["three ids", { filter: FEW }, "scan"],
      ["ids that lie elsewhere", { k: 1, ...least, filter: farIds.slice(0, 30) }, "trees, then scan"],
      ["exact", { exact: true }, "scan"],
    ] as const,
  })),
  {
    name: "Lsh",
    create: () => Lsh.create({ ...options, width: 20, bits: 8, tables: 8 }),
    searches: [
      ["all", {}, "buckets"],
      ["ids that no bucket has", { filter: farIds }, "buckets, then scan"],
      ["exact", { exact: true }, "scan"],
    ],
  },
];

describe.each(CASES)("$name", ({ create, searches }) => {
  it("says its plans", async () => {
    const index = await create();
    expect(index.lastStats.plan).toBeUndefined();
    index.search(QUERY);
    expect(index.lastStats.plan, "while it is empty").toBe("scan");
    index.add(ROWS);
    for (const [what, wanted, plan] of searches) {
      index.search(QUERY, wanted);
      expect(index.lastStats.plan, what).toBe(plan);
      if (wanted.radius !== undefined) continue;
      index.searchBatch([QUERY, ROWS[7]], wanted);
      expect(index.lastStats.plan, `${what}, in a batch`).toBe(plan);
    }
    index.close();
  });
});

it("a batch whose queries go different ways tells the first one's", async () => {
  const index = await Hnsw.create(options);
  index.add(ROWS);
  const wanted = { ef: 10, filter: farIds };
  index.searchBatch([QUERY, ROWS[N - 1]], wanted);
  expect(index.lastStats.plan).toBe("walk, then scan");
  index.searchBatch([ROWS[N - 1], QUERY], wanted);
  expect(index.lastStats.plan).toBe("walk");
});

// One scan serves a batch: what it answers must be what each query alone is answered, by whatever codes the lists have.
it.each(["pq", "rabitq"] as const)("an exact batch of an Ivf of %s answers as its queries alone", async (codec) => {
  const rows = integers(600, D, 3, -20, 20);
  for (const rerank of [false, true]) {
    const index = await Ivf.create({ ...options, codec, rerank, nlist: 8, trainAt: 600 });
    index.add(rows);
    const { ids, distances } = index.searchBatch(rows.slice(0, 5), { exact: true });
    rows.slice(0, 5).forEach((row, i) => {
      const alone = index.search(row, { exact: true });
      expect(Array.from(ids.subarray(i * 10, i * 10 + 10))).toEqual(alone.map(({ id }) => id));
      expect(Array.from(distances.subarray(i * 10, i * 10 + 10))).toEqual(alone.map(({ distance }) => Math.fround(distance)));
    });
  }
});
