// What is published is found again, over ranges, as it was: against the index or the collection that it was made of.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Flat, Hnsw, Ivf, type Metric, type VectorIndex } from "vicinal";
import { Collection, type Where } from "vicinal/collection";
import { publish, type RangeHit, RangeIndex } from "vicinal/range";
import { memory } from "vicinal/storage";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "../support/errors.js";
import { golden } from "./golden/golden.mjs";
import { hosted } from "./support/host.js";
import { DIMENSIONS, fetching, flatOf, partsOf, URL_OF, vectorsOf } from "./support/made.js";

const open: RangeIndex[] = [];
afterEach(() => {
  for (const index of open.splice(0)) index.close();
});

async function opened(files: ReadonlyMap<string, Uint8Array>, options = {}): Promise<RangeIndex> {
  const index = await RangeIndex.open(URL_OF, { fetch: fetching(files).fetch, ...options });
  open.push(index);
  return index;
}

/** The same documents with the same data; f32 sums differ in their order. */
function expectSame(hits: readonly { id: unknown; distance: number; data?: unknown }[], truth: typeof hits): void {
  const apart = ({ distance: _, ...rest }: (typeof hits)[number]): object => rest;
  expect(hits.map(apart)).toEqual(truth.map(apart));
  for (const [i, { distance }] of hits.entries()) expect(distance).toBeCloseTo(truth[i].distance, 4);
}
const idsOf = (hits: readonly { id: unknown }[]): unknown[] => hits.map(({ id }) => id);

function recallOf(found: readonly RangeHit[][], flat: VectorIndex, queries: readonly Float32Array[]): number {
  let hits = 0;
  found.forEach((each, i) => {
    const truth = new Set(flat.search(queries[i], { k: 10, exact: true }).map(({ id }) => id));
    for (const { id } of each) hits += truth.has(id as number) ? 1 : 0;
  });
  return hits / (10 * queries.length);
}

describe.each(["l2", "cosine", "dot"] as const)("%s", (metric: Metric) => {
  it("exact searches find what the index does, f32 rows at the same distance", async () => {
    const vectors = vectorsOf(700);
    const flat = await flatOf(
      vectors,
      metric,
      vectors.map((_, i) => 3 * i + 5),
    );
    const { files } = await publish(flat, { rows: "f32", pageKib: 4 });
    const index = await opened(files);
    expect([index.size, index.dimensions]).toEqual([700, DIMENSIONS]);
    for (const query of vectorsOf(20, 2)) {
      const hits = await index.search(query, { k: 12, exact: true });
      const truth = flat.search(query, { k: 12 });
      expectSame(hits, truth);
    }
  });

  it("usual searches find most of it, in two rounds and few requests", async () => {
    const flat = await flatOf(vectorsOf(6000), metric);
    const published = await publish(flat, { pageKib: 4 });
    expect(published.recall).toBeGreaterThanOrEqual(0.96);
    const queries = vectorsOf(40, 3);
    const found: RangeHit[][] = [];
    for (const query of queries) {
      const { fetch, answers } = fetching(published.files);
      const index = await opened(published.files, { fetch });
      found.push(await index.search(query));
      const { rounds, requests, bytes } = index.lastStats;
      expect(rounds).toBe(2);
      expect(requests).toBeLessThanOrEqual(20);
      expect([requests, bytes]).toEqual([answers.length - 1, answers.slice(1).reduce((sum, one) => sum + one)]);
      expect(bytes).toBeLessThan(published.dataBytes / 2);
      expect(index.stats()).toMatchObject({ requests: requests + 1, fetchedBytes: bytes + published.headBytes });
    }
    // Measured .97 to .99.
    expect(recallOf(found, flat, queries)).toBeGreaterThan(0.94);
  });
});

it("an answer is the same whatever has been fetched before, and what has is not fetched again", async () => {
  const { files } = await publish(await flatOf(vectorsOf(3000)), { pageKib: 4 });
  const queries = vectorsOf(30, 4);
  const warm = await opened(files);
  const first: RangeHit[][] = [];
  for (const query of queries) first.push(await warm.search(query, { k: 5 }));
  const requests = warm.stats().requests;
  for (const [i, query] of queries.entries()) {
    const cold = await opened(files, { cacheBytes: 0 });
    expect(await cold.search(query, { k: 5 })).toEqual(first[i]);
    cold.close();
    expect(await warm.search(query, { k: 5 })).toEqual(first[i]);
  }
  expect(warm.stats().requests).toBe(requests);
  const together = await opened(files);
  expect(await Promise.all(queries.map((query) => together.search(query, { k: 5 })))).toEqual(first);
  expect(await together.searchBatch(queries, { k: 5 })).toEqual(first);
});

it("any family can be published, with what its codec kept", async () => {
  const vectors = vectorsOf(400);
  const made = [
    await Hnsw.create({ dimensions: DIMENSIONS, metric: "l2" }),
    await Ivf.create({ dimensions: DIMENSIONS, metric: "l2", nlist: 4, trainAt: 200 }),
    await Flat.create({ dimensions: DIMENSIONS, metric: "l2", codec: "sq8" }),
  ];
  for (const source of made) {
    source.add(vectors);
    source.remove([7, 8]);
    const index = await opened((await publish(source, { rows: "f32" })).files);
    expect(index.size).toBe(398);
    const [nearest] = await index.search(vectors[9], { k: 1, exact: true });
    expect(nearest.id).toBe(9);
  }
});

it("says the same of the same, byte for byte", async () => {
  const vectors = vectorsOf(500);
  const [one, other] = [await publish(await flatOf(vectors)), await publish(await flatOf(vectors))];
  expect([...one.files]).toEqual([...other.files]);
});

describe("few vectors", () => {
  it.each([1, 2, 11, 33])("%i", async (n) => {
    const flat = await flatOf(vectorsOf(n));
    const index = await opened((await publish(flat, { rows: "f32" })).files);
    const [query] = vectorsOf(1, 9);
    expect(idsOf(await index.search(query, { k: 100 }))).toEqual(idsOf(flat.search(query, { k: 100 })));
  });

  it("equal ones", async () => {
    const index = await opened(
      (await publish(await flatOf(Array.from({ length: 300 }, () => new Float32Array(DIMENSIONS).fill(2))))).files,
    );
    const hits = await index.search(new Float32Array(DIMENSIONS).fill(2), { k: 300 });
    expect(new Set(idsOf(hits)).size).toBe(300);
    expect(hits.every(({ distance }) => distance === 0)).toBe(true);
  });

  it("none", async () => {
    const empty = await Flat.create({ dimensions: 3 });
    await expectError(() => publish(empty), "BAD_OPTION", "there is nothing to publish");
  });
});

describe("a collection", () => {
  const vectors = vectorsOf(900);
  const documents = vectors.map((vector, i) => ({
    id: i % 3 ? `d/${i} \u{1f600}` : i,
    vector,
    data: {
      lang: ["en", "de", "fr"][i % 3],
      year: 1900 + (i % 120),
      n: i,
      tags: [`t${i % 7}`, "all"],
      title: `A title of document ${i}`.repeat(3),
      nested: { a: i % 2 },
    },
  }));

  async function collected(options: object = {}): Promise<Collection> {
    const docs = await Collection.open({ storage: memory(), dimensions: DIMENSIONS, metric: "l2", ...options });
    await docs.upsert(documents);
    return docs;
  }

  it("keeps ids and data, and select spares a round", async () => {
    const docs = await collected();
    const published = await publish(docs, { rows: "f32", pageKib: 4 });
    expect(published.fields).toEqual(["lang", "year", "n", "tags", "nested"]);
    const index = await opened(published.files);
    for (const query of vectorsOf(10, 5)) {
      const truth = await docs.search(query, { k: 7, exact: true });
      expectSame(await index.search(query, { k: 7, exact: true }), truth);
    }
    const cold = await opened(published.files);
    expect((await cold.search(vectors[1], { k: 1 }))[0]).toEqual({ id: documents[1].id, distance: 0, data: documents[1].data });
    expect(cold.lastStats.rounds).toBe(3);
    expect((await cold.search(vectors[1], { k: 1, select: ["nested.a", "lang"] }))[0].data).toEqual({
      nested: { a: 1 },
      lang: "de",
    });
    const bare = await opened(published.files);
    expect(await bare.search(vectors[1], { k: 1, select: [] })).toEqual([{ id: documents[1].id, distance: 0 }]);
    expect(bare.lastStats.rounds).toBe(2);
    await docs.close();
  });

  it("conditions mean what they mean there, and lists without documents that meet them are not fetched", async () => {
    const docs = await collected({ fields: { lang: "keyword", year: "number", tags: "keyword[]", title: "stored" } });
    const published = await publish(docs, { rows: "f32", pageKib: 4, fields: ["lang", "year", "n", "tags", "nested"] });
    const index = await opened(published.files);
    const wheres: Where[] = [
      { lang: "en" },
      { lang: "en", year: { $gte: 1950, $lt: 1960 } },
      { $or: [{ n: 17 }, { n: { $in: [18, 19] } }] },
      { "nested.a": 1, tags: "t3" },
      { $nor: [{ lang: "en" }, { lang: "de" }], n: { $lt: 100 } },
      { nothing: 1 },
      { tags: { $ne: "t1" } },
      { year: { $exists: false } },
    ];
    for (const where of wheres) {
      if ("nothing" in where) {
        await expectError(
          () => index.search(vectors[0], { where }),
          "BAD_WHERE",
          /asks for nothing, .* published with lang, year, n, tags, nested$/,
        );
        continue;
      }
      for (const query of vectorsOf(3, 6)) {
        const truth = await docs.search(query, { k: 20, exact: true, where });
        expectSame(await index.search(query, { k: 20, exact: true, where }), truth);
        const usual = await index.search(query, { k: 20, where });
        expect(usual).toHaveLength(truth.length);
      }
    }
    const one = await opened(published.files);
    expect(idsOf(await one.search(vectors[0], { where: { n: 17 }, select: [] }))).toEqual([documents[17].id]);
    expect(one.lastStats.lists).toBe(1);
    await expectError(() => index.search(vectors[0], { where: { title: "x" } }), "BAD_WHERE", "asks for title");
    await expectError(() => index.search(vectors[0], { where: { year: "x" } }), "BAD_WHERE", "year is declared as number");
    await docs.close();
  });

  it("a condition that few meet takes few rounds", async () => {
    const docs = await collected();
    const { files } = await publish(docs, { pageKib: 4 });
    const rare: Where[] = [{ year: 1950 }, { n: { $lt: 12 } }, { n: { $gte: 890 } }, { tags: "t5", year: { $lt: 1910 } }];
    for (const where of rare) {
      const index = await opened(files);
      const truth = await docs.search(vectors[0], { k: 10, exact: true, where });
      expect(await index.search(vectors[0], { k: 10, where, select: [] })).toHaveLength(truth.length);
      // What may pass, at most six looks, and rows.
      expect(index.lastStats.rounds).toBeLessThanOrEqual(8);
    }
    await docs.close();
  });
});

it("an empty condition is none, also of what was published without fields", async () => {
  const { files } = await publish(await flatOf(vectorsOf(300)), { pageKib: 4 });
  const host = await hosted(files);
  const index = await RangeIndex.open(host.url);
  const [query] = vectorsOf(1, 5);
  expect(await index.search(query, { where: {} })).toEqual(await index.search(query));
  expect(await index.search(query, { where: { $or: [{}] } })).toEqual(await index.search(query));
  index.close();
});

it("parts of another size are other files", async () => {
  const whole = await publish(await flatOf(vectorsOf(3000, 2)), { pageKib: 4, rows: "f32" });
  const parts = await publish(await flatOf(vectorsOf(3000, 2)), { pageKib: 4, rows: "f32", partMib: 1 });
  const names = [...whole.files.keys()].filter((name) => name !== "head.bin");
  for (const name of parts.files.keys()) expect(names).not.toContain(name);
});

it("a radius brings all within it", async () => {
  const vectors = vectorsOf(800);
  const flat = await flatOf(vectors);
  const index = await opened((await publish(flat, { rows: "f32", pageKib: 4 })).files);
  for (const radius of [0, 0.5, 2, 3]) {
    const truth = flat.search(vectors[3], { radius });
    expect(idsOf(await index.search(vectors[3], { radius, exact: true }))).toEqual(idsOf(truth));
    const hits = await index.search(vectors[3], { radius, k: 5 });
    expect(idsOf(hits)).toEqual(idsOf(truth.slice(0, 5)));
  }
});

describe("options", () => {
  it("are refused where they make no sense", async () => {
    const flat = await flatOf(vectorsOf(100));
    const { files } = await publish(flat);
    const index = await opened(files);
    const [query] = vectorsOf(1);
    const bad = (options: object) => () => index.search(query, options);
    await expectError(bad({ k: 0 }), "BAD_OPTION", "k is 0");
    await expectError(bad({ nprobes: 3 }), "BAD_OPTION", 'did you mean "nprobe"?');
    await expectError(bad({ candidates: 0 }), "BAD_OPTION", "candidates is 0");
    await expectError(bad({ select: "x" }), "BAD_OPTION", "select is");
    await expectError(bad({ radius: Number.NaN }), "BAD_OPTION", "radius is NaN");
    await expectError(bad({ where: { a: 1 } }), "BAD_WHERE", "published without fields");
    await expectError(() => index.search([1, 2]), "BAD_DIMENSION", "has 2 values");
    await expectError(() => index.search(query.map(() => Number.NaN)), "NOT_FINITE", "query");
    await expectError(() => publish(flat, { pageKib: 1 }), "BAD_OPTION", "pageKib is 1");
    await expectError(() => publish(flat, { rows: "f16" as never }), "BAD_OPTION", "rows is");
    await expectError(() => publish(flat, { queries: [[1, 2]] }), "BAD_DIMENSION", "queries");
    await expectError(() => publish(flat, { queries: [] }), "BAD_OPTION", "queries is empty");
    await expectError(() => publish(flat, { fields: ["a"] }), "BAD_OPTION", "an index has none");
    await expectError(() => publish({} as never), "BAD_OPTION", "it must be an index or a collection");
    const hamming = await Flat.create({ dimensions: 8, metric: "hamming" });
    await expectError(() => publish(hamming), "BAD_OPTION", 'with metric "hamming" cannot be published');
    await expectError(() => RangeIndex.open("docs/"), "BAD_OPTION", "outside of a page it must be whole");
    await expectError(
      () => RangeIndex.open(URL_OF, { cacheStorage: "x", ...fetching(files) } as object),
      "BAD_OPTION",
      "no option",
    );
    await expectError(
      () => RangeIndex.open(URL_OF, { cacheStorage: "x", fetch: fetching(files).fetch }),
      "NO_STORAGE",
      "no Cache Storage",
    );
  });

  it("a signal ends a search, and the next goes on", async () => {
    const { files } = await publish(await flatOf(vectorsOf(2000)), { pageKib: 4 });
    const host = await hosted(files);
    const index = await RangeIndex.open(host.url);
    const [query] = vectorsOf(1, 8);
    const stop = new AbortController();
    let waiting = 0;
    host.misbehave = () => {
      if (++waiting === 1) setTimeout(() => stop.abort(new Error("enough")), 5);
      return true; // never answers
    };
    await expect(index.search(query, { signal: stop.signal })).rejects.toThrow("enough");
    await expect(index.search(query, { signal: stop.signal })).rejects.toThrow("enough");
    host.misbehave = undefined;
    expect(await index.search(query)).toHaveLength(10);
    index.close();
    index.close();
    await expectError(() => index.search(query), "CLOSED", `the index of ${host.url} is closed`);
  });

  it("an index that is closed while it is searched says so", async () => {
    const { files } = await publish(await flatOf(vectorsOf(2000)), { pageKib: 4 });
    const host = await hosted(files);
    const index = await RangeIndex.open(host.url);
    const search = index.search(vectorsOf(1, 8)[0]);
    index.close();
    await expectError(() => search, "CLOSED", "closed");
    await expectError(() => index.stats(), "CLOSED", "closed");
  });

  it("progress is told, and a signal ends it", async () => {
    const flat = await flatOf(vectorsOf(3000));
    const steps = new Set<string>();
    await publish(flat, { onProgress: ({ step, done, total }) => void (done <= total && steps.add(step)) });
    expect([...steps]).toEqual(["reading", "learning", "writing", "measuring"]);
    await expect(publish(flat, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});

it("what was published once is read for ever", async () => {
  const folder = fileURLToPath(new URL("golden", import.meta.url));
  const read = (name: string): Uint8Array => readFileSync(`${folder}/v1/${name}`);
  const { data, answers } = JSON.parse(readFileSync(`${folder}/v1.json`, "utf8"));
  const index = await opened(new Map([data, "head.bin"].map((name) => [name, read(name)])));
  expect(JSON.parse(JSON.stringify(await golden(index)))).toEqual(answers);
});

it("data in parts answers as in one", async () => {
  const flat = await flatOf(vectorsOf(6000, 1, 64));
  const one = await publish(flat, { rows: "f32", pageKib: 16 });
  const parts = await publish(flat, { rows: "f32", pageKib: 16, partMib: 1 });
  expect(parts.files.size).toBeGreaterThan(2);
  expect([...parts.files.values()].slice(0, -1).reduce((sum, { length }) => sum + length, 0)).toBe(one.dataBytes);
  const [whole, cut] = [await opened(one.files), await opened(parts.files)];
  for (const query of vectorsOf(20, 2, 64)) expect(await cut.search(query)).toEqual(await whole.search(query));
  const all = await cut.search(vectorsOf(1, 2, 64)[0], { k: 6000, exact: true });
  expect(new Set(idsOf(all)).size).toBe(6000);
  const [, second] = parts.files.keys();
  const index = await opened(new Map([...parts.files].filter(([name]) => name !== second)));
  await expectError(() => index.search(vectorsOf(1, 2, 64)[0], { exact: true }), "MISSING", `${second} is not there`);
});

it("its files are what the layout says", async () => {
  const { head, data, name } = partsOf(await publish(await flatOf(vectorsOf(50))));
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  expect(new TextDecoder().decode(head.subarray(0, 8))).toBe("VICRANGE");
  expect([view.getUint32(8, true), view.getUint32(16, true)]).toEqual([1, head.length]);
  const about = JSON.parse(new TextDecoder().decode(head.subarray(32, 32 + view.getUint32(20, true))));
  expect(about).toMatchObject({ dataBytes: data.length, documents: 50, rows: "sq8", payloads: false, fields: {} });
  expect(about.data).toMatch(/^[0-9a-f]{16}$/);
  expect(name).toBe(`${about.data}-0.bin`);
});
