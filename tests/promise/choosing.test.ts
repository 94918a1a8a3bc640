// Which index: createIndex chooses and says why, factory takes Faiss's words, `exact: true` is the truth of every index, and
// a graph over codes with exact rows beside them finds what a graph over vectors finds.
import {
  type CodecOption,
  type CreateIndexOptions,
  createIndex,
  type FactoryOptions,
  Flat,
  Forest,
  factory,
  Hnsw,
  Ivf,
  KdTree,
  Lsh,
  load,
  type SearchOptions,
  type VectorIndex,
} from "vicinal";
import { describe, expect, it, vi } from "vitest";
import { type Codec, codecsOf, combinations, KIND_NAMES, KINDS, type Kind, METRICS } from "../../src/words/kinds.js";
import { measured, nearest, numbered, recallOf, truthOf } from "../support/answers.js";
import { FAMILIES } from "../support/cases.js";
import { correlated, gaussians, integers } from "../support/data.js";
import { expectError } from "../support/errors.js";

/** Anything, past the compiler. */
// biome-ignore lint/suspicious/noExplicitAny: bad input has no type
const any = (value: unknown): any => value;

/** createIndex where a clock makes every scan take 50 ms: its threshold is then the least, 1,000. */
async function createSlowly(options: CreateIndexOptions): Promise<VectorIndex> {
  let clock = 0;
  const spy = vi.spyOn(performance, "now").mockImplementation(() => {
    clock += 1000;
    return clock;
  });
  try {
    return await createIndex(options);
  } finally {
    spy.mockRestore();
  }
}

describe("createIndex", () => {
  const D = 32;
  /** More than any machine scans in a millisecond: the most that the threshold can be. */
  const MANY = 200_001;

  it("few vectors: exact", async () => {
    const index = await createIndex({ dimensions: D, expected: 900 });
    expect(index).toBeInstanceOf(Flat);
    expect(index).toMatchObject({ kind: "flat", codec: "f32", metric: "cosine", rerank: false });
    expect(index.why).toMatch(/^Flat: 900 vectors are few: a scan looks at [\d,]+ vectors of 32 dimensions a millisecond here$/);
  });

  it("many vectors: a graph, with a beam as wide as the recall wants", async () => {
    const beams: unknown[] = [];
    for (const recall of [undefined, 0.9, 0.98, 0.99, 0.999]) {
      const index = await createIndex({ dimensions: D, metric: "l2", expected: MANY, recall });
      expect(index).toBeInstanceOf(Hnsw);
      expect(index.trained).toBe(true);
      expect(index.why).toMatch(
        /^Hnsw with fastScan, about [\d.]+ MiB: 200,001 vectors are too many to scan: a scan looks at .* a millisecond here$/,
      );
      expect(index.stats().options.fastScan).toBe(true);
      beams.push(index.stats().options.ef);
    }
    expect(beams).toEqual([64, 64, 128, 256, 512]);
  });

  it("the layout that fits: with the codes of neighbours, or without", async () => {
    const roomy = await createIndex({ dimensions: D, metric: "l2", expected: MANY, maxBytes: 160 * 2 ** 20 });
    expect(roomy.stats().options.fastScan, roomy.why).toBe(true);
    roomy.close();
    const tight = await createIndex({ dimensions: D, metric: "l2", expected: MANY, maxBytes: 100 * 2 ** 20 });
    expect(tight.stats().options.fastScan ?? false, tight.why).toBe(false);
    expect(tight).toMatchObject({ kind: "hnsw", codec: "f32" });
    expect(tight.why).toMatch(/^Hnsw: .*; with fastScan it would be [\d.]+ MiB, and maxBytes is 100.0 MiB$/);
    tight.close();
    // A limit alone is to be filled.
    const limited = await createIndex({ dimensions: D, metric: "l2", maxBytes: 100 * 2 ** 20 });
    expect(limited.stats().options.fastScan ?? false).toBe(false);
    expect(limited.why).toMatch(/^Hnsw, exact at first/);
  });

  it("fastScan takes the bytes that were counted", async () => {
    const n = 3000;
    const bytes = async (fastScan: boolean): Promise<number> => {
      const index = await Hnsw.create({ dimensions: 160, metric: "l2", fastScan });
      index.add(gaussians(n, 160, 1));
      return (await load(index.toBytes())).bytes; // without what building took
    };
    const each = ((await bytes(true)) - (await bytes(false))) / n;
    // 32 codes of 160 bits and two factors, and a sixteenth for the layers above.
    expect(measured("bytes of codes per vector", each)).toBeLessThan(1.15 * 952);
  });

  it("a recall of 1: exact, however many", async () => {
    for (const expected of [undefined, MANY]) {
      const index = await createIndex({ dimensions: D, expected, recall: 1 });
      expect(index.kind).toBe("flat");
      expect(index.why).toBe("Flat: a recall of 1 takes exact search");
    }
  });

  it("nothing known: exact at first, and a graph from the threshold on", async () => {
    const slow = await createSlowly({ dimensions: 9, metric: "l2" });
    expect(slow.why).toMatch(
      /^Hnsw with fastScan, exact at first and a graph from 1,000 vectors on: a scan looks at [\d,]+ vectors of 9 dim/,
    );
    const index = await createIndex({ dimensions: 2048, metric: "l2" });
    const { trainAt } = index.stats().options as { trainAt: number };
    expect(index.why).toContain(`a graph from ${trainAt.toLocaleString("en-US")} vectors on`);
    expect(trainAt).toBeGreaterThanOrEqual(1000);
    expect(trainAt).toBeLessThanOrEqual(200_000);
    expect(index).toMatchObject({ kind: "hnsw", trained: false });
  });

  it("becomes a graph in the background, and nothing is lost on the way", async () => {
    const trainAt = 1000;
    const index = await createSlowly({ dimensions: 10, metric: "l2" });
    expect(index.stats().options).toMatchObject({ m: 16, efConstruction: 200, ef: 64, trainAt });
    const rows = gaussians(trainAt + 150, 10, 1);
    index.add(rows.slice(0, trainAt - 1));
    expect(index.trained).toBe(false);
    index.search(rows[0]);
    expect(index.lastStats.distances).toBe(trainAt - 1);
    index.add(rows.slice(trainAt - 1, trainAt + 50));
    expect(index.trained).toBe(false); // add() does not wait
    index.remove([3, 4]);
    index.add(rows.slice(trainAt + 50, trainAt + 100));
    const exact = (): unknown => rows.slice(0, 5).map((query) => index.search(query, { exact: true }));
    const answers = exact();
    await index.train(); // after what is under way
    expect(index).toMatchObject({ trained: true, size: trainAt + 98 });
    expect(index.has(3)).toBe(false);
    expect(index.stats().levels!.length).toBeGreaterThan(1);
    expect(exact()).toEqual(answers);
    index.add(rows.slice(trainAt + 100));
    expect(index.search(rows[trainAt + 149], { k: 1 })).toEqual([{ id: trainAt + 149, distance: 0 }]);
    expect((await load(index.toBytes())).search(rows[9])).toEqual(index.search(rows[9]));
  });

  it.each([
    [24, "ivf"],
    [8, "ivf"],
    [5, "ivf"],
  ] as const)("%d MiB for 200,001 vectors: inverted lists of codes that fit", async (mebibytes, kind) => {
    const index = await createIndex({ dimensions: D, metric: "l2", expected: MANY, maxBytes: mebibytes * 2 ** 20 });
    expect(index.kind).toBe(kind);
    expect(["pq", "rabitq"]).toContain(index.codec);
    expect(index.why).toMatch(/^Ivf of [\d,]+ lists, (rabitq|pq) of .* about .* MiB: 200,001 vectors are too many to scan/);
    expect(index.why).toMatch(new RegExp(`with rows of f32 it would be [\\d.]+ MiB, and maxBytes is ${mebibytes}.0 MiB$`));
  });

  it("what was chosen for maxBytes holds what was expected", async () => {
    const cases: [kind: Kind, dimensions: number, expected: number, mebibytes: number, least: number][] = [
      ["flat", 64, 900, 0.5, 0.98], // measured .997
      ["flat", 1024, 900, 2, 0.98], // .993
      ["ivf", 40, 6000, 1, 0.96], // .977
      ["ivf", 64, 12_000, 2, 0.97], // .983
      ["ivf", 256, 4000, 1.5, 0.96], // .977
    ];
    for (const [kind, dimensions, expected, mebibytes, least] of cases) {
      const index = await createSlowly({ dimensions, metric: "cosine", expected, maxBytes: mebibytes * 2 ** 20 });
      expect(index.kind, index.why).toBe(kind);
      const rows = correlated(expected, dimensions, 12, 3);
      for (let from = 0; from < expected; from += 500) index.add(rows.slice(from, from + 500));
      expect(index, index.why).toMatchObject({ size: expected, trained: true });
      expect(index.bytes).toBeLessThanOrEqual(mebibytes * 2 ** 20);
      const truth = await truthOf("cosine", numbered(rows), rows.slice(0, 30));
      expect(measured(`${mebibytes} MiB, ${index.why}`, recallOf(index, rows.slice(0, 30), truth))).toBeGreaterThanOrEqual(least);
      index.close();
    }
  });

  it("few vectors in little memory: a scan of codes", async () => {
    const index = await createIndex({ dimensions: 1024, metric: "l2", expected: 900, maxBytes: 2 ** 21 });
    expect(index.kind).toBe("flat");
    expect(["pq", "rabitq"]).toContain(index.codec);
    expect(index.why).toMatch(/^Flat, .*900 vectors are few.*maxBytes is 2.0 MiB$/);
    await expectError(
      () => createIndex({ dimensions: 1024, expected: MANY, maxBytes: 2 ** 20 }),
      "BAD_OPTION",
      /maxBytes is 1048576; 200,001 vectors of 1024 dimensions take [\d,]+ bytes at least/,
    );
    await expectError(
      () => createIndex({ dimensions: 4096, metric: "hamming", expected: MANY, maxBytes: 2 ** 20 }),
      "BAD_OPTION",
      "take",
    );
  });

  it("under hamming: bits", async () => {
    expect(await createIndex({ dimensions: 256, metric: "hamming", expected: 10 })).toMatchObject({
      kind: "flat",
      codec: "binary",
    });
    expect(await createIndex({ dimensions: 64, metric: "hamming" })).toMatchObject({ kind: "hnsw", codec: "binary" });
  });

  it.each([
    ["l1", undefined, 64, "hnsw", "f32", /^Hnsw: 200,001 vectors/],
    ["l1", 900, 64, "flat", "f32", /^Flat: 900 vectors/],
    ["l1", MANY, 48, "hnsw", "f16", /^Hnsw, rows of f16, about/],
    ["l1", MANY, 41, "hnsw", "sq8", /^Hnsw, rows of sq8, about/],
    ["l1", MANY, 14, "flat", "sq8", /^Flat, rows of sq8, about/],
    ["hamming", MANY, 8, "flat", "binary", /^Flat, rows of binary, about/],
  ] as const)("under %s, which has no lists: %s vectors in %d MiB", async (metric, expected, mebibytes, kind, codec, why) => {
    const index = await createIndex({
      ...{ dimensions: D, metric, expected: expected ?? MANY },
      ...(expected && { maxBytes: mebibytes * 2 ** 20 }),
    });
    expect(index, index.why).toMatchObject({ kind, codec });
    expect(index.why).toMatch(why);
    index.close();
  });

  it("refuses what it does not know, by name", async () => {
    const bad: [object, string | RegExp][] = [
      [{ dimensions: 0 }, "dimensions is 0"],
      [{ dimensions: 8, metric: "euclid" }, 'metric is "euclid"'],
      [{ dimensions: 8, expected: 0 }, "expected is 0"],
      [{ dimensions: 8, expected: 1.5 }, "expected is 1.5"],
      [{ dimensions: 8, recall: 0 }, "recall is 0"],
      [{ dimensions: 8, recall: 1.1 }, "recall is 1.1"],
      [{ dimensions: 8, recall: "high" }, 'recall is "high"'],
      [{ dimensions: 8, maxBytes: 5 }, "maxBytes is 5"],
      [{ dimensions: 8, codec: "sq8" }, '"codec"'],
      [{ dimensions: 8, expect: 5 }, /"expect".*expected/],
    ];
    for (const [options, saying] of bad) await expectError(() => createIndex(any(options)), "BAD_OPTION", saying);
    await expectError(() => createIndex(any(undefined)), "BAD_OPTION", /undefined/);
  });
});

// ---- factory --------------------------------------------------------------------------------------------------------

describe("factory", () => {
  const D = 48;
  const good: [description: string, kind: Kind, codec: CodecOption, options: object, rerank?: string][] = [
    ["Flat", "flat", "f32", {}],
    ["SQ8", "flat", "sq8", {}],
    ["SQfp16", "flat", "f16", {}],
    ["SQbf16", "flat", "bf16", {}],
    ["PQ12", "flat", { type: "pq", m: 12, bits: 8, rotate: "none", symmetric: false }, {}],
    ["PQ12x8", "flat", { type: "pq", m: 12, bits: 8, rotate: "none", symmetric: false }, {}],
    ["PQ12x4", "flat", { type: "pq", m: 12, bits: 4, rotate: "none", symmetric: false }, {}],
    ["PQ12x4fs", "flat", { type: "pq", m: 12, bits: 4, rotate: "none", symmetric: false }, {}],
    ["RaBitQ", "flat", { type: "rabitq", bits: 1 }, {}],
    ["RaBitQ4", "flat", { type: "rabitq", bits: 4 }, {}],
    ["SQ8,RFlat", "flat", "sq8", { rerankFactor: 4 }, "f32"],
    [
      "PQ12,Refine(SQfp16)",
      "flat",
      { type: "pq", m: 12, bits: 8, rotate: "none", symmetric: false },
      { rerankFactor: 10 },
      "f16",
    ],
    ["RaBitQ,Refine(SQ8)", "flat", { type: "rabitq", bits: 1 }, {}, "sq8"],
    ["RaBitQ,Refine(Flat)", "flat", { type: "rabitq", bits: 1 }, {}, "f32"],
    ["IDMap,Flat", "flat", "f32", {}],
    ["IDMap2,SQ8", "flat", "sq8", {}],
    ["OPQ12,PQ12", "flat", { type: "pq", m: 12, bits: 8, rotate: "opq", symmetric: false }, {}],
    ["OPQ12_48,PQ12x4fs", "flat", { type: "pq", m: 12, bits: 4, rotate: "opq", symmetric: false }, {}],
    ["RR,PQ12x4", "flat", { type: "pq", m: 12, bits: 4, rotate: "random", symmetric: false }, {}],
    ["RR,RaBitQ", "flat", { type: "rabitq", bits: 1 }, {}],
    ["IVF64,Flat", "ivf", "f32", { nlist: 64, coarse: "auto" }],
    ["IVF,SQ8", "ivf", "sq8", { nlist: "auto" }],
    ["IVF64_HNSW32,Flat", "ivf", "f32", { nlist: 64, coarse: "hnsw" }],
    [
      "IVF1024,PQ12x4,RFlat",
      "ivf",
      { type: "pq", m: 12, bits: 4, rotate: "none", symmetric: false, residual: false },
      { nlist: 1024 },
      "f32",
    ],
    ["IVF64,PQ12x4fsr", "ivf", { type: "pq", m: 12, bits: 4, rotate: "none", symmetric: false, residual: true }, {}],
    ["OPQ12,IVF64,PQ12", "ivf", { type: "pq", m: 12, bits: 8, rotate: "opq", symmetric: false, residual: true }, {}],
    ["IVF64,RaBitQ2,RFlat", "ivf", { type: "rabitq", bits: 2 }, {}, "f32"],
    ["HNSW32,Flat", "hnsw", "f32", { m: 32 }],
    ["HNSW", "hnsw", "f32", { m: 16 }],
    ["HNSW24,SQ8", "hnsw", "sq8", { m: 24 }],
    ["HNSW16_PQ12", "hnsw", { type: "pq", m: 12, bits: 8, rotate: "none", symmetric: false }, { m: 16 }],
    ["HNSW16,PQ12x4,Refine(SQ8)", "hnsw", { type: "pq", m: 12, bits: 4, rotate: "none", symmetric: false }, {}, "sq8"],
    ["KDTree", "kdtree", "f32", { leafSize: 16 }],
    ["KDTree40,SQ8", "kdtree", "sq8", { leafSize: 40 }],
    ["Forest20", "forest", "f32", { trees: 20 }],
    ["Forest,RaBitQ,RFlat", "forest", { type: "rabitq", bits: 1 }, { trees: 16 }, "f32"],
    ["LSH", "lsh", "f32", { tables: 16, bits: 12 }],
    ["LSH8x10,SQfp16", "lsh", "f16", { tables: 8, bits: 10 }],
  ];
  it.each(good)("%s", async (description, kind, codec, options, rerank) => {
    const index = await factory(description, { dimensions: D, metric: "l2" });
    expect(index).toBeInstanceOf(FAMILIES[kind]);
    const stats = index.stats();
    expect(stats.codecOptions ?? stats.codec).toEqual(codec);
    expect(stats.options).toMatchObject(options);
    expect(stats.options.rerank).toBe(rerank);
    // What it calls itself makes the same again.
    const { factory: words, ...facts } = (await factory(stats.factory, { dimensions: D, metric: "l2" })).stats();
    expect(words).toBe(stats.factory);
    const residual = description.endsWith("fsr"); // its own words leave that to the default
    if (!residual) expect(facts).toEqual({ ...facts, ...(({ factory: _, ...rest }) => rest)(stats) });
  });

  it("options say what the description leaves open", async () => {
    const options: FactoryOptions = { dimensions: D, metric: "l2", nprobe: 5, seed: 9, rerank: 20, trainAt: 3000 };
    const index = await factory("IVF64,PQ12,RFlat", options);
    expect(index.stats().options).toMatchObject({
      nlist: 64,
      nprobe: 5,
      seed: 9,
      rerank: "f32",
      rerankFactor: 20,
      trainAt: 3000,
    });
    const adaptive = await factory("RaBitQ,Refine(SQ8)", { dimensions: D, rerank: { factor: "adaptive" } });
    expect(adaptive.stats().options).toMatchObject({ rerank: "sq8", rerankFactor: "adaptive" });
    expect(await factory("Flat", { dimensions: D, metric: "hamming" })).toMatchObject({ codec: "binary", metric: "hamming" });
    expect(await factory("HNSW16,Flat", { dimensions: D, metric: "hamming" })).toMatchObject({ codec: "binary", kind: "hnsw" });
    expect(await factory("L2norm,Binary", { dimensions: D })).toMatchObject({ codec: "binary", metric: "cosine" });
    expect(await factory(" IVF64 , SQ8 ", { dimensions: D })).toMatchObject({ kind: "ivf", codec: "sq8" });
  });

  const bad: [description: unknown, saying: string | RegExp][] = [
    ["", /"" is no word/],
    ["Flatt", /"Flatt" is no word of an index description; there are .*IVF<nlist>/],
    ["IVF64,Flat,", /"" is no word/],
    ["IVF64;Flat", /"IVF64;Flat" is no word/],
    ["IVFx,Flat", /"IVFx" is no word/],
    ["PQ", /"PQ" is no word/],
    ["PQ12x5", /"PQ12x5" is no word/],
    ["SQ4", /"SQ4" is no word/],
    ["RaBitQ12", /"RaBitQ12" is no word/],
    ["Refine(PQ4)", /"Refine\(PQ4\)" is no word/],
    ["LSH8", /"LSH8" is no word/],
    ["PCA64,Flat", /"PCA64" is no word/],
    ["Flat,IVF64", /"IVF64" is misplaced/],
    ["IVF64,HNSW32", /"HNSW32" is misplaced/],
    ["Flat,SQ8", /"SQ8" is misplaced/],
    ["RFlat", /"RFlat" is misplaced/],
    ["IVF64,RFlat", /"RFlat" is misplaced/],
    ["SQ8,RFlat,RFlat", /"RFlat" is misplaced/],
    ["SQ8,RFlat,PQ8", /"PQ8" is misplaced/],
    ["HNSW16_PQ12,Flat", /"Flat" is misplaced/],
    ["OPQ12,OPQ12,PQ12", /"OPQ12" is misplaced/],
    ["PQ12,OPQ12", /"OPQ12" is misplaced/],
    ["OPQ12,Flat", /OPQ is for PQ, and there is none/],
    ["OPQ12", /OPQ is for PQ, and there is none/],
    ["RR,SQ8", /RR is for PQ, and there is none/],
    ["OPQ12_32,PQ12", /OPQ12_32: vicinal keeps all 48 dimensions/],
    ["OPQ8,PQ12", /OPQ8 and PQ12/],
    ["PQ12x8fs", /PQ12fs: fast-scan is for 4 bits/],
    ["PQ12x4fsr", /PQ12x4fsr: residuals are for IVF/],
    ["PQ49", /m is 49/],
    ["IVF0,Flat", /nlist is 0/],
    ["IVF99999,Flat", /nlist is 99999/],
    ["HNSW1,Flat", /m is 1/],
    ["RaBitQ0", /bits is 0/],
    ["RaBitQ9", /bits is 9/],
    ["Forest0", /trees is 0/],
    ["LSH0x5", /tables is 0/],
    ["LSH5x33", /bits is 33/],
    ["KDTree1", /leafSize is 1/],
    ["KDTree,PQ12", /codec "pq" does not go with metric "cosine" in kdtree; f32, f16, bf16 or sq8 do/],
    ["SQfp16,Refine(SQ8)", /rerank codec "sq8" keeps no more than codec "f16" does/],
    [undefined, /undefined/],
    [5, /not 5/],
    [["Flat"], /description is a string/],
  ];
  it.each(bad)("%s is refused", async (description, saying) => {
    await expectError(() => factory(any(description), { dimensions: D }), "BAD_OPTION", saying);
  });

  it("wrong options are refused by name", async () => {
    await expectError(() => factory("Flat", any(undefined)), "BAD_OPTION", /undefined/);
    await expectError(() => factory("Flat", any({})), "BAD_OPTION", "dimensions is undefined");
    await expectError(() => factory("Flat", any({ dimensions: 8, codec: "sq8" })), "BAD_OPTION", '"codec"');
    await expectError(() => factory("Flat", { dimensions: 8, nprobe: 4 }), "BAD_OPTION", '"nprobe"');
    await expectError(() => factory("L2norm,Flat", { dimensions: 8, metric: "dot" }), "BAD_OPTION", "L2norm makes unit vectors");
    await expectError(
      () => factory("KDTree", { dimensions: 8, metric: "hamming" }),
      "BAD_OPTION",
      /KdTree does not have metric "hamming"/,
    );
    for (const word of ["KDTree", "IVF8", "LSH", "PQ4", "RaBitQ"]) {
      await expectError(
        () => factory(word, { dimensions: 8, metric: "l1" }),
        "BAD_OPTION",
        /does not (have|go with) metric "l1"/,
      );
    }
    await expectError(() => factory("Binary", { dimensions: 8, metric: "l2" }), "BAD_OPTION", /codec "binary"/);
  });
});

// ---- every family x codec -------------------------------------------------------------------------------------------

describe("exact: true", () => {
  const N = 400;
  const D = 16;
  /** A codec by its name, learnable from N vectors. */
  const small = (codec: Codec): CodecOption =>
    codec === "pq" ? { type: "pq", m: 4, bits: 4 } : codec === "rabitq" ? { type: "rabitq" } : codec;

  it.each(combinations())(
    "$kind $metric $codec: with exact rows, it is what brute force finds",
    async ({ kind, metric, codec }) => {
      const rows = metric === "hamming" ? integers(N, D, 1, 0, 1) : correlated(N, D, 6, 1);
      const queries = metric === "hamming" ? integers(8, D, 2, 0, 1) : correlated(8, D, 6, 2);
      const options = { dimensions: D, metric, codec: small(codec), rerank: true, ...(kind === "ivf" && { nlist: 8 }) };
      const index: VectorIndex = await FAMILIES[kind].create(options);
      const current = numbered(rows);
      if (index.trained) index.add(rows);
      else {
        index.add(rows.slice(0, 100));
        await index.train(rows);
        expect(index.trained).toBe(true);
        index.add(rows.slice(100));
      }
      const gone = Array.from({ length: 50 }, (_, i) => 7 * i);
      index.remove(gone);
      for (const id of gone) current.delete(id);
      const filter = [...current.keys()].filter((id) => id % 3 === 1);
      const check = (of: VectorIndex): void => {
        for (const query of queries) {
          for (const passing of [undefined, filter]) {
            const among = passing ? new Map(passing.map((id) => [id, current.get(id)!])) : current;
            const expected = nearest(among, query, metric, 10);
            const hits = of.search(query, { exact: true, ...(passing && { filter: passing }) });
            expect(hits.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
            hits.forEach(({ distance }, i) => {
              expect(distance).toBeCloseTo(expected[i].distance, 3);
            });
            if (metric === "hamming") continue;
            const radius = (expected[5].distance + expected[6].distance) / 2;
            expect(of.search(query, { exact: true, radius, ...(passing && { filter: passing }) })).toEqual(hits.slice(0, 6));
          }
        }
      };
      check(index);
      check(await load(index.toBytes()));
      await index.compact();
      check(index);
    },
  );
});

describe("effort options", () => {
  const EFFORTS = ["ef", "nprobe", "maxLeaves", "searchK", "probes"] as const;

  it.each(KIND_NAMES)("%s takes its own and names it where another is given", async (kind) => {
    const metric = codecsOf(kind, "l2").length ? "l2" : "cosine";
    const index = await FAMILIES[kind].create({ dimensions: 4, metric });
    index.add(gaussians(20, 4, 1));
    const { family, effort } = KINDS[kind];
    for (const name of EFFORTS) {
      const search = (value: unknown): unknown => index.search([1, 2, 3, 4], { [name]: value } as SearchOptions);
      if (effort && name !== effort) {
        await expectError(() => search(5), "BAD_OPTION", new RegExp(`${family} search.*"${name}".*k, ${effort}, filter`));
        continue;
      }
      expect(search(5)).toHaveLength(10);
      for (const bad of [0, -1, 1.5, NaN, "5", null]) await expectError(() => search(bad), "BAD_OPTION", `${name} is `);
      if (name === "maxLeaves") expect(search(Infinity)).toHaveLength(10);
      else await expectError(() => search(Infinity), "BAD_OPTION", `${name} is Infinity`);
    }
  });

  it("create keeps what it was given as the default", async () => {
    const made: [VectorIndex, object][] = [
      [await Hnsw.create({ dimensions: 4, ef: 33 }), { ef: 33 }],
      [await Ivf.create({ dimensions: 4, nprobe: 3 }), { nprobe: 3 }],
      [await KdTree.create({ dimensions: 4, maxLeaves: 7 }), { maxLeaves: 7 }],
      [await KdTree.create({ dimensions: 4 }), { maxLeaves: Infinity }],
      [await Forest.create({ dimensions: 4, searchK: 50 }), { searchK: 50 }],
      [await Lsh.create({ dimensions: 4, probes: 2 }), { probes: 2 }],
    ];
    for (const [index, options] of made) {
      expect(index.stats().options).toMatchObject(options);
      expect((await load(index.toBytes())).stats().options).toEqual(index.stats().options);
    }
  });
});

describe("a quantised walk need not be fragile", () => {
  const D = 64;
  const all = correlated(4100, D, 16, 61);
  const rows = all.slice(0, 4000);
  const queries = all.slice(4000);
  const graph = { dimensions: D, m: 16, efConstruction: 80 } as const;
  const codecs: CodecOption[] = [
    { type: "pq", m: 32, bits: 4 },
    { type: "pq", m: 16, bits: 8 },
    { type: "rabitq", bits: 1 },
    { type: "rabitq", bits: 4 },
    "sq8",
  ];

  it.each(["l2", "cosine", "dot"] as const)(
    "%s: Hnsw over codes with rerank finds what Hnsw over f32 finds, less .02",
    async (metric) => {
      const truth = await truthOf(metric, numbered(rows), queries);
      const plain = await Hnsw.create({ ...graph, metric });
      plain.add(rows);
      const best = measured(`hnsw ${metric} f32`, recallOf(plain, queries, truth, { ef: 64 }));
      expect(best).toBeGreaterThanOrEqual(0.97);
      for (const codec of codecs) {
        const index = await Hnsw.create({ ...graph, metric, codec, rerank: { factor: 10 } });
        if (!index.trained) await index.train(rows);
        index.add(rows);
        const name = `hnsw ${metric} ${JSON.stringify(codec)}`;
        expect(measured(name, recallOf(index, queries, truth, { ef: 100 })), name).toBeGreaterThanOrEqual(best - 0.02);
        expect(METRICS[metric].exact(queries[0], rows[index.search(queries[0])[0].id])).toBeCloseTo(
          index.search(queries[0])[0].distance,
          3,
        );
        index.close();
      }
    },
  );
});
