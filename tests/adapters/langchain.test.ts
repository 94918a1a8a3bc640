// The store of vicinal/langchain under what LangChain asks of a vector store: the cases of its standard tests, which are published for
// Python alone (langchain_tests, VectorStoreIntegrationTests), its own retrievers, its indexing, its mmr.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Document, type DocumentInterface } from "@langchain/core/documents";
import { index, RecordManager } from "@langchain/core/indexing";
import { maximalMarginalRelevance } from "@langchain/core/utils/math";
import { SyntheticEmbeddings } from "@langchain/core/utils/testing";
import { Collection, type Where } from "vicinal/collection";
import { type StoreOpenOptions, VicinalStore } from "vicinal/langchain";
import { memory } from "vicinal/storage";
import { folder } from "vicinal/storage/node";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { expectError } from "../support/errors.js";
import { judge } from "../support/where.js";

const D = 6;
const embeddings = new SyntheticEmbeddings({ vectorSize: D });
const directory = mkdtempSync(join(tmpdir(), "vicinal-langchain-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let folders = 0;
const freshFolder = (): string => join(directory, String(folders++));

const open = (options: Partial<StoreOpenOptions> = {}): Promise<VicinalStore> =>
  VicinalStore.open(embeddings, { storage: memory(), dimensions: D, ...options });
const plain = (documents: DocumentInterface[]) =>
  documents.map(({ id, pageContent, metadata }) => ({ id, pageContent, metadata }));
const [FOO, BAR, BAZ] = ["foo", "bar", "baz"].map((pageContent, i) => ({ pageContent, metadata: { id: i + 1 } }));

describe.each([
  ["memory", () => memory()],
  ["a folder", () => folder(freshFolder())],
])("standard tests, in %s", (_, storage) => {
  let store: VicinalStore;
  beforeEach(async () => {
    store = await open({ storage: storage() });
    return () => store.collection.close();
  });
  const add = (documents: (typeof FOO & { id?: string })[], ids?: string[]): Promise<string[]> =>
    store.addDocuments(
      documents.map((one) => new Document(one)),
      ids && { ids },
    );

  it("test_vectorstore_is_empty", async () => {
    expect(await store.similaritySearch("foo", 1)).toEqual([]);
  });

  it("test_add_documents", async () => {
    const given = [new Document(FOO), new Document(BAR)];
    const ids = await store.addDocuments(given);
    expect(plain(await store.similaritySearch("bar", 2))).toEqual([
      { ...BAR, id: ids[1] },
      { ...FOO, id: ids[0] },
    ]);
    expect(given).toEqual([new Document(FOO), new Document(BAR)]);
  });

  it("test_vectorstore_still_empty", async () => {
    expect(await store.similaritySearch("foo", 1)).toEqual([]);
  });

  it("test_deleting_documents", async () => {
    expect(await add([FOO, BAR], ["1", "2"])).toEqual(["1", "2"]);
    await store.delete({ ids: ["1"] });
    expect(plain(await store.similaritySearch("foo", 1))).toEqual([{ ...BAR, id: "2" }]);
  });

  it("test_deleting_bulk_documents", async () => {
    await add([FOO, BAR, BAZ], ["1", "2", "3"]);
    await store.delete({ ids: ["1", "2"] });
    expect(plain(await store.similaritySearch("foo", 1))).toEqual([{ ...BAZ, id: "3" }]);
  });

  it("test_delete_missing_content", async () => {
    await store.delete({ ids: ["1"] });
    await store.delete({ ids: ["1", "2", "3"] });
  });

  it("test_add_documents_with_ids_is_idempotent", async () => {
    await add([FOO, BAR], ["1", "2"]);
    await add([FOO, BAR], ["1", "2"]);
    expect(plain(await store.similaritySearch("bar", 3))).toEqual([
      { ...BAR, id: "2" },
      { ...FOO, id: "1" },
    ]);
  });

  it("test_add_documents_by_id_with_mutation", async () => {
    await add([FOO, BAR], ["1", "2"]);
    const changed = { pageContent: "new foo", metadata: { id: 1, some_other_field: "foo" } };
    await add([changed], ["1"]);
    expect(plain(await store.similaritySearch("new foo", 3))).toEqual([
      { ...changed, id: "1" },
      { ...BAR, id: "2" },
    ]);
  });

  it("test_get_by_ids, test_get_by_ids_missing, test_add_documents_documents", async () => {
    expect(await store.getByIds(["1", "2", "3"])).toEqual([]);
    const ids = await add([FOO, BAR]);
    expect(plain(await store.getByIds(ids))).toEqual([
      { ...FOO, id: ids[0] },
      { ...BAR, id: ids[1] },
    ]);
    expect(plain(await store.getByIds([ids[1], "4"]))).toEqual([{ ...BAR, id: ids[1] }]);
  });

  it("test_add_documents_with_existing_ids", async () => {
    const ids = await add([{ ...FOO, id: "foo" }, BAR]);
    expect(ids[0]).toBe("foo");
    expect(plain(await store.getByIds(ids))).toEqual([
      { ...FOO, id: "foo" },
      { ...BAR, id: ids[1] },
    ]);
  });
});

const YEARS = Array.from({ length: 40 }, (_, i) => ({
  pageContent: `note ${i} of ${i * 7}`,
  metadata: { year: 2000 + i, lang: i % 3 ? "en" : "fr", tags: i % 4 ? ["x"] : ["x", "y"], loc: { page: i } },
}));
const yearsStore = (options?: Partial<StoreOpenOptions>): Promise<VicinalStore> =>
  VicinalStore.fromDocuments(
    YEARS.map((one) => new Document(one)),
    embeddings,
    options,
  );

describe("filters", () => {
  it.each<[Where]>([
    [{ lang: "fr" }],
    [{ year: { $gte: 2010, $lt: 2020 }, lang: "en" }],
    [{ $or: [{ tags: "y" }, { "loc.page": { $in: [1, 2] } }] }],
    [{ lang: { $ne: "fr" }, $nor: [{ year: 2001 }] }],
    [{ lang: "de" }],
  ])("%j", async (filter) => {
    const store = await yearsStore();
    const meets = judge(filter);
    const right = YEARS.filter(({ metadata }) => meets(metadata)).map(({ metadata }) => metadata);
    const found = await store.similaritySearchWithScore("note 3", 40, filter);
    const byYear = (some: { year: number }[]) => some.map(({ year }) => year).sort();
    expect(byYear(found.map(([{ metadata }]) => metadata as { year: number }))).toEqual(byYear(right));
    const asked = await store.similaritySearchWithScore("note 3", 5, ({ metadata }) => meets(metadata));
    expect(asked).toEqual(found.slice(0, 5));
    await store.delete({ filter });
    expect(store.collection.size).toBe(YEARS.length - right.length);
  });

  it("mean metadata, whatever has the text's name", async () => {
    const store = await open();
    await expectError(
      () => store.addDocuments([new Document({ pageContent: "a", metadata: { pageContent: "b" } })]),
      "BAD_OPTION",
      /metadata has "pageContent".*textKey/,
    );
  });
});

describe("scores", () => {
  it.each(["cosine", "dot", "l2"] as const)("of %s: more is nearer", async (metric) => {
    const store = await yearsStore({ metric });
    const scores = (await store.similaritySearchWithScore(YEARS[5].pageContent, 40)).map(([, score]) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    const query = await embeddings.embedQuery(YEARS[5].pageContent);
    if (metric === "dot") expect(scores[0]).toBeGreaterThanOrEqual(query.reduce((sum, value) => sum + value * value, -1e-6));
    else expect(scores[0]).toBeCloseTo(1, 6);
  });
});

describe("mmr", () => {
  const QUERY = "note 11 of";

  it.each([0, 0.3, 0.5, 1])("takes with lambda %d what LangChain's own function takes", async (lambda) => {
    const store = await yearsStore();
    const query = await embeddings.embedQuery(QUERY);
    const nearest = await store.similaritySearch(QUERY, 20);
    const rows = await embeddings.embedDocuments(nearest.map(({ pageContent }) => pageContent));
    const right = maximalMarginalRelevance(query, rows, lambda, 8).map((i) => nearest[i].pageContent);
    const found = await store.maxMarginalRelevanceSearch(QUERY, { k: 8, lambda });
    expect(found.map(({ pageContent }) => pageContent)).toEqual(right);
  });

  it("works through a retriever, with a filter of conditions", async () => {
    const store = await yearsStore();
    const retriever = store.asRetriever({
      k: 5,
      searchType: "mmr",
      searchKwargs: { fetchK: 9, lambda: 0.2 },
      filter: { lang: "fr" },
    });
    const found = await retriever.invoke(QUERY);
    expect(found.map(({ metadata }) => metadata.lang)).toEqual(Array(5).fill("fr"));
    const asked = store.maxMarginalRelevanceSearch(QUERY, { k: 3, filter: () => true });
    await expectError(() => asked, "BAD_OPTION", /a filter of conditions/);
  });
});

it("is a retriever", async () => {
  const store = await yearsStore();
  const retriever = store.asRetriever(3, { lang: "en" });
  expect(await retriever.invoke("note 3")).toEqual(await store.similaritySearch("note 3", 3, { lang: "en" }));
  await retriever.addDocuments([new Document({ pageContent: "late", metadata: { lang: "en" } })]);
  expect((await retriever.invoke("late"))[0].pageContent).toBe("late");
});

describe("save and load", () => {
  it("copies to another place, and what was there before is gone", async () => {
    const store = await yearsStore();
    const place = freshFolder();
    const before = await VicinalStore.load(place, embeddings, { dimensions: D });
    await before.addDocuments([new Document({ pageContent: "old" })], { ids: ["old"] });
    await before.collection.close();
    await store.save(place);
    const again = await VicinalStore.load(place, embeddings);
    expect(await again.getByIds(["old"])).toEqual([]);
    expect(again.collection.size).toBe(40);
    const where = { year: { $gt: 2010 } };
    expect(await again.similaritySearchWithScore("note 3", 9, where)).toEqual(
      await store.similaritySearchWithScore("note 3", 9, where),
    );
    await again.collection.close();
  });

  it("keeps the metric and the fields that were declared", async () => {
    const store = await yearsStore({ fields: { year: "number" }, metric: "l2" });
    const place = memory();
    await store.save(place);
    const again = await VicinalStore.load(place, embeddings);
    const { metric, fields } = await again.collection.stats();
    expect([metric, fields]).toMatchObject(["l2", [{ path: "year", kind: "number", documents: 40 }]]);
  });

  it("is a snapshot where it lives; what it has said is kept there without", async () => {
    const place = freshFolder();
    const store = await VicinalStore.fromTexts(["foo", "bar"], [{ n: 1 }, { n: 2 }], embeddings, { storage: folder(place) });
    await store.save(place);
    const ids = await store.addDocuments([new Document(BAZ)]);
    await store.collection.close();
    const again = await VicinalStore.load(folder(place), embeddings);
    expect(plain(await again.similaritySearch("baz", 1))).toEqual([{ ...BAZ, id: ids[0] }]);
    expect((await again.similaritySearch("foo", 1))[0].metadata).toEqual({ n: 1 });
    await again.collection.close();
  });
});

it("searches a collection that was filled otherwise, with its own name for the text and integers for ids", async () => {
  const collection = await Collection.open({ storage: memory(), dimensions: D });
  await collection.upsert({ id: 7, vector: await embeddings.embedQuery("foo"), data: { text: "foo", lang: "en" } });
  const store = new VicinalStore(embeddings, { collection, textKey: "text" });
  expect(plain(await store.similaritySearch("foo", 1))).toEqual([{ id: "7", pageContent: "foo", metadata: { lang: "en" } }]);
});

it("is on a collection in a worker too", async () => {
  const collection = await Collection.open({ storage: memory(), dimensions: D, worker: true });
  const store = new VicinalStore(embeddings, { collection });
  await store.addDocuments([new Document(FOO), new Document(BAR)], { ids: ["1", "2"] });
  expect(plain(await store.similaritySearch("bar", 1))).toEqual([{ ...BAR, id: "2" }]);
  expect(await store.maxMarginalRelevanceSearch("bar", { k: 2 })).toHaveLength(2);
  const place = memory();
  await store.save(place);
  expect(plain(await (await VicinalStore.load(place, embeddings, { dimensions: D })).getByIds(["1"]))).toEqual([
    { ...FOO, id: "1" },
  ]);
  await collection.close();
});

it("begins empty: an empty store learns its dimensions from the embeddings", async () => {
  const store = await VicinalStore.fromDocuments([], embeddings);
  expect([store.collection.size, store.collection.dimensions]).toEqual([0, D]);
});

it("says what is wrong", async () => {
  const store = await open();
  await expectError(() => store.addDocuments([new Document(FOO)], { ids: ["a", "b"] }), "BAD_OPTION", "1 documents and 2 ids");
  await expectError(() => store.addVectors([[1, 2]], [new Document(FOO)]), "BAD_DIMENSION", /2 values/);
  await expectError(() => store.delete({}), "BAD_OPTION", /\{ ids \}/);
  await expectError(() => store.delete({ ids: ["1"], filter: { lang: "en" } }), "BAD_OPTION", /one of ids, filter and deleteAll/);
  await expectError(() => store.similaritySearch("a", 1, { n: { $near: 3 } as never }), "BAD_WHERE", /\$near/);
  expect(() => new VicinalStore(embeddings, {} as never)).toThrow(/collection is undefined/);
});

/** What LangChain's index() has been told. */
class Records extends RecordManager {
  override lc_namespace = ["tests"];
  readonly #records = new Map<string, { at: number; group: string | null | undefined }>();
  #now = 0;
  async createSchema(): Promise<void> {}
  async getTime(): Promise<number> {
    return ++this.#now;
  }
  async update(keys: string[], { groupIds }: { groupIds?: (string | null)[] } = {}): Promise<void> {
    const at = await this.getTime();
    for (const [i, key] of keys.entries()) this.#records.set(key, { at, group: groupIds?.[i] ?? this.#records.get(key)?.group });
  }
  async exists(keys: string[]): Promise<boolean[]> {
    return keys.map((key) => this.#records.has(key));
  }
  async listKeys({ before = Infinity, groupIds }: { before?: number; groupIds?: (string | null)[] } = {}): Promise<string[]> {
    const all = [...this.#records].filter(([, { at, group }]) => at < before && (!groupIds || groupIds.includes(group ?? null)));
    return all.map(([key]) => key);
  }
  async deleteKeys(keys: string[]): Promise<void> {
    for (const key of keys) this.#records.delete(key);
  }
}

it("follows LangChain's index(): unchanged documents are skipped, those that are gone are deleted", async () => {
  const store = await open();
  const recordManager = new Records();
  const run = (texts: string[], cleanup: "incremental" | "full") =>
    index({
      docsSource: texts.map((pageContent) => new Document({ pageContent, metadata: { source: "a.md" } })),
      recordManager,
      vectorStore: store,
      options: { cleanup, sourceIdKey: "source" },
    });
  expect(await run(["foo", "bar"], "incremental")).toEqual({ numAdded: 2, numDeleted: 0, numUpdated: 0, numSkipped: 0 });
  expect(await run(["foo", "baz"], "incremental")).toEqual({ numAdded: 1, numDeleted: 1, numUpdated: 0, numSkipped: 1 });
  expect(await run([], "full")).toEqual({ numAdded: 0, numDeleted: 2, numUpdated: 0, numSkipped: 0 });
  expect(store.collection.size).toBe(0);
});
