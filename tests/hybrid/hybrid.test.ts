// vicinal/hybrid: both halves as they are without it, fused here a second time; MiniSearch and Orama as they come from npm.
import { create, insert, search as oramaSearch } from "@orama/orama";
import MiniSearch from "minisearch";
import { Flat } from "vicinal";
import { Collection, type DocumentHit, type DocumentId, type Where } from "vicinal/collection";
import { cosine, type Fuse, type HybridHit, hybrid, mmr, type TextHit } from "vicinal/hybrid";
import { Pool } from "vicinal/pool";
import { memory } from "vicinal/storage";
import { beforeAll, describe, expect, it } from "vitest";
import { expectError } from "../support/errors.js";
import { THOROUGH } from "../support/thorough.js";
import { judge } from "../support/where.js";

const D = 16;
const WORDS = ["printer", "paper", "tray", "ink", "invoice", "month", "password", "reset", "account", "office", "key", "door"];

/** Words counted, and the first letters of them, so that texts without a word in common may be near. */
function vectorOf(text: string): Float32Array {
  const vector = new Float32Array(D).fill(0.1);
  for (const word of text.split(" ")) {
    const at = WORDS.indexOf(word);
    if (at >= 0) vector[at] += 1;
    vector[12 + (word.charCodeAt(0) % 4)] += 0.5;
  }
  return vector;
}
const embed = async (texts: string[]): Promise<Float32Array[]> => texts.map(vectorOf);

/** 120 texts of three words or four. */
const DOCUMENTS = Array.from({ length: 120 }, (_, i) => {
  const text = Array.from({ length: 3 + (i % 2) }, (_, j) => WORDS[(i * (j + 3) + j * j * 5 + (i >> 3)) % WORDS.length]).join(
    " ",
  );
  const data = { text, lang: i % 3 ? "en" : "fr", book: `b${i % 17}`, year: 2000 + (i % 25), tags: i % 4 ? ["x"] : ["x", "y"] };
  return { id: `d${i}`, text, data };
});

let docs: Collection;
const mini = new MiniSearch<{ id: string; text: string }>({ fields: ["text"] });
beforeAll(async () => {
  docs = await Collection.open({ storage: memory(), dimensions: D, embed });
  await docs.upsert(DOCUMENTS);
  mini.addAll(DOCUMENTS.map(({ id, text }) => ({ id, text })));
});

const QUERIES = ["printer paper", "reset password account", "office door key month", "ink"];

/** Keys and what each half says of them, more being better, as the two papers fuse them. */
function fused(halves: readonly (readonly (readonly [key: unknown, score: number])[])[], fuse: Fuse): Map<unknown, number> {
  const sums = new Map<unknown, number>();
  halves.forEach((half, h) => {
    const scores = half.map(([, score]) => score);
    const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
    const deviation = Math.sqrt(scores.map((score) => (score - mean) ** 2).reduce((a, b) => a + b, 0) / scores.length);
    half.forEach(([key, score], i) => {
      const weight = fuse === "rrf" ? 1 : [fuse.vectors, fuse.text][h] / (fuse.vectors + fuse.text);
      const standard = deviation > 0 ? Math.min(1, Math.max(0, 0.5 + (score - mean) / deviation / 6)) : 1;
      const worth = fuse === "rrf" ? 1 / (60 + i + 1) : standard;
      sums.set(key, (sums.get(key) ?? 0) + weight * worth);
    });
  });
  return sums;
}

/** Each hit has its score, and they are the best there are. */
function expectBest(
  hits: readonly HybridHit<DocumentId>[],
  sums: Map<unknown, number>,
  k: number,
  keyOf = (hit: HybridHit<DocumentId>): unknown => hit.id,
): void {
  expect(new Set(hits.map(keyOf)).size).toBe(Math.min(k, sums.size));
  for (const hit of hits) expect(hit.score).toBeCloseTo(sums.get(keyOf(hit)) ?? Number.NaN, 12);
  const best = [...sums.values()].sort((a, b) => b - a).slice(0, k);
  hits.forEach((hit, i) => void expect(hit.score).toBeCloseTo(best[i], 12));
}

const near = (hits: readonly DocumentHit[]) => hits.map(({ id, distance }) => [id, -distance] as const);
const worded = (hits: readonly TextHit<string>[]) => hits.map(({ id, score }) => [id, score] as const);

describe.each<Fuse>(["rrf", { vectors: 1, text: 0 }, { vectors: 7, text: 3 }])("fused by %j", (fuse) => {
  it.each(QUERIES)("%s", async (query) => {
    const both = hybrid({ vectors: docs, text: mini, fuse });
    for (const candidates of [5, 30, 200]) {
      const halves = [near(await docs.search(query, { k: candidates })), worded(mini.search(query).slice(0, candidates))];
      const hits = await both.search(query, { k: 12, candidates });
      expectBest(hits, fused(halves, fuse), 12);
      for (const { id, data, distance, textScore } of hits) {
        expect(data).toEqual(DOCUMENTS.find((one) => one.id === id)?.data);
        expect(distance).toBe(
          halves[0].find(([key]) => key === id)?.[1] === undefined
            ? undefined
            : -(halves[0].find(([key]) => key === id)?.[1] as number),
        );
        expect(textScore).toBe(halves[1].find(([key]) => key === id)?.[1]);
      }
    }
  });
});

it("equal scores of a half are 1 each, whatever their mean is rounded to", async () => {
  const hits = ["d1", "d2", "d3"].map((id) => ({ id, score: 0.1 }));
  const found = await hybrid({ vectors: docs, text: () => hits, fuse: { vectors: 0, text: 1 } }).search("ink", { k: 3 });
  expect(found.map(({ id, score }) => [id, score]).sort()).toEqual(hits.map(({ id }) => [id, 1]));
});

describe("where", () => {
  it.each<Where>([{ lang: "fr" }, { year: { $gte: 2010 }, tags: "y" }, { book: "b3" }, { lang: "de" }])(
    "%j in both halves",
    async (where) => {
      const meets = judge(where);
      const passes = ({ id }: { id: unknown }): boolean => meets(DOCUMENTS.find((one) => one.id === id)?.data);
      for (const query of QUERIES) {
        const halves = [near(await docs.search(query, { k: 8, where })), worded(mini.search(query).filter(passes).slice(0, 8))];
        const hits = await hybrid({ vectors: docs, text: mini }).search(query, { k: 20, candidates: 8, where, select: ["lang"] });
        expectBest(hits, fused(halves, "rrf"), 20);
        for (const { id, data } of hits) expect(data).toEqual({ lang: DOCUMENTS.find((one) => one.id === id)?.data.lang });
      }
    },
  );

  it("asks a half of words that answers with k for more, until enough pass", async () => {
    const asked: number[] = [];
    const text = (query: string, { k }: { k: number }) => {
      asked.push(k);
      return mini.search(query).slice(0, k);
    };
    const where = { book: "b3" };
    const few = await hybrid({ vectors: docs, text }).search("printer paper", { candidates: 4, where });
    expect(asked.slice(0, 3)).toEqual([4, 8, 16]);
    expect(few).toEqual(await hybrid({ vectors: docs, text: mini }).search("printer paper", { candidates: 4, where }));
  });
});

it.each(["book", "tags"] as const)(
  "groupBy %s: the best of each value, values ranked by their best in each half",
  async (groupBy) => {
    for (const query of QUERIES) {
      const groups = near(await docs.search(query, { k: 100, groupBy })).length;
      const nearest = (await docs.search(query, { k: 100, groupBy })).map(({ group, distance }) => [group, -distance] as const);
      const best = new Map<unknown, number>();
      for (const { id, score } of mini.search(query)) {
        for (const value of [DOCUMENTS.find((one) => one.id === id)?.data[groupBy]].flat())
          if (!best.has(value)) best.set(value, score);
      }
      const hits = await hybrid({ vectors: docs, text: mini }).search(query, { k: 9, groupBy });
      expectBest(hits, fused([nearest, [...best]], "rrf"), 9, ({ group }) => group);
      expect(groups).toBeGreaterThan(1);
      for (const { group, data } of hits) expect([data?.[groupBy]].flat()).toContain(group);
    }
  },
);

it.each([0, 0.4, 1])("mmr %d: of the candidates, by their vectors and fused scores", async (lambda) => {
  const both = hybrid({ vectors: docs, text: mini });
  const candidates = await both.search("printer paper", { k: 30, candidates: 30 });
  const vectors = candidates.map(({ id }) => vectorOf(DOCUMENTS.find((one) => one.id === id)?.text as string));
  const relevance = candidates.map(({ score }) => score / candidates[0].score);
  const right = mmr(vectors, relevance, { k: 6, lambda }).map((i) => candidates[i].id);
  const found = await both.search("printer paper", { k: 6, candidates: 30, mmr: lambda });
  expect(found.map(({ id }) => id)).toEqual(right);
  if (lambda < 1) expect(spread(found)).toBeGreaterThan(spread(candidates.slice(0, 6)));
});

function spread(hits: readonly HybridHit<DocumentId>[]): number {
  const vectors = hits.map(({ id }) => vectorOf(DOCUMENTS.find((one) => one.id === id)?.text as string));
  return -vectors.flatMap((a, i) => vectors.slice(i + 1).map((b) => cosine(a, b))).reduce((sum, one) => sum + one, 0);
}

describe("halves", () => {
  it("Orama's answer as it is", async () => {
    const orama = create({ schema: { text: "string" } as const });
    for (const { id, text } of DOCUMENTS) await insert(orama, { id, text });
    const text = (term: string, { k }: { k: number }) => oramaSearch(orama, { term, limit: k, threshold: 1 });
    const both = hybrid({ vectors: docs, text });
    const right = await oramaSearch(orama, { term: QUERIES[1], limit: 100, threshold: 1 });
    expect(right.hits.length).toBeGreaterThan(10);
    const halves = [near(await docs.search(QUERIES[1], { k: 100 })), worded(right.hits)];
    expectBest(await both.search(QUERIES[1]), fused(halves, "rrf"), 10);
  });

  it("an index, which has numbers for ids, and a filter in place of fields", async () => {
    const index = await Flat.create({ dimensions: D, metric: "cosine" });
    index.add(DOCUMENTS.map(({ text }) => vectorOf(text)));
    const text = (query: string) => mini.search(query).map(({ id, score }) => ({ id: Number(id.slice(1)), score }));
    const both = hybrid({ vectors: index, text, embed });
    const ids = async (options: object): Promise<(string | number)[]> =>
      (await both.search("printer paper", { k: 20, ...options })).map(({ id }) => id);
    const all = await ids({});
    expect(all.map((id) => `d${id}`)).toEqual(
      (await hybrid({ vectors: docs, text: mini }).search("printer paper", { k: 20 })).map(({ id }) => id),
    );
    expect(await ids({ vector: vectorOf("printer paper") })).toEqual(all);
    const even = new Set(DOCUMENTS.map((_, i) => i).filter((i) => i % 2 === 0));
    const some = await ids({ filter: even });
    expect(some.every((id) => even.has(id as number))).toBe(true);
    expect(await ids({ filter: (id: number) => even.has(id) })).toEqual(some);
    expect(new Set(await ids({ mmr: 0.1 }))).not.toEqual(new Set(all));
    index.remove(all[0] as number);
    expect(await ids({})).toEqual(expect.not.arrayContaining([all[0]]));
    await expectError(() => both.search("ink", { where: { lang: "en" } }), "BAD_OPTION", /has no option "where"/);
    await expectError(() => hybrid({ vectors: index, text }).search("ink"), "BAD_OPTION", /embed to hybrid/);
  });

  it.runIf(THOROUGH)("a pool, as the index that it has", async () => {
    const index = await Flat.create({ dimensions: D, metric: "cosine" });
    index.add(DOCUMENTS.map(({ text }) => vectorOf(text)));
    const pool = await Pool.open(index, { threads: 1 });
    const text = (query: string) => mini.search(query).map(({ id, score }) => ({ id: Number(id.slice(1)), score }));
    for (const options of [{}, { mmr: 0.4 }, { filter: new Set([1, 2, 3, 50]) }]) {
      const [one, other] = [index, pool].map((vectors) => hybrid({ vectors, text, embed }).search("printer paper", options));
      expect(await other).toEqual(await one);
    }
    await pool.close();
  });

  it("bits, whose likeness is the share of those that agree", async () => {
    const index = await Flat.create({ dimensions: D, metric: "hamming", codec: "binary" });
    const rows = DOCUMENTS.map(({ text }) => vectorOf(text).map((value) => value - 0.3));
    index.add(rows);
    const text = (query: string) => mini.search(query).map(({ id, score }) => ({ id: Number(id.slice(1)), score }));
    const found = await hybrid({ vectors: index, text }).search("ink", { vector: rows[3], mmr: 0.3, k: 5 });
    expect(new Set(found.map(({ id }) => id)).size).toBe(5);
  });

  it("what was removed from the collection and not from the words is not found", async () => {
    const less = await Collection.open({ storage: memory(), dimensions: D, embed });
    await less.upsert(DOCUMENTS.filter((_, i) => i % 2));
    for (const options of [{}, { where: { lang: "en" } }, { mmr: 0.5 }, { groupBy: "book" }]) {
      const hits = await hybrid({ vectors: less, text: mini }).search("reset password account", { k: 15, ...options });
      expect(hits.length).toBeGreaterThan(10);
      for (const { id } of hits) expect(less.has(id)).toBe(true);
    }
  });

  it("words that nobody has leave the other half", async () => {
    const hits = await hybrid({ vectors: docs, text: mini }).search("zzz", { k: 5 });
    expect(hits.map(({ id }) => id)).toEqual((await docs.search("zzz", { k: 5 })).map(({ id }) => id));
  });
});

it("says what is wrong", async () => {
  const both = hybrid({ vectors: docs, text: mini });
  await expectError(() => hybrid({ vectors: docs, text: 3 as never }), "BAD_OPTION", /text is 3; it must be a MiniSearch/);
  await expectError(() => hybrid({ vectors: {} as never, text: mini }), "BAD_OPTION", /vectors is \[Object\]/);
  await expectError(() => hybrid({ vectors: docs, text: mini, fuse: "max" as never }), "BAD_OPTION", /fuse is "max"/);
  await expectError(() => hybrid({ vectors: docs, text: mini, fuse: { vectors: 0, text: 0 } }), "BAD_OPTION", /two weights of 0/);
  await expectError(
    () => hybrid({ vectors: docs, text: mini, fuse: { vectors: 1 } as never }),
    "BAD_OPTION",
    /fuse.text is undefined/,
  );
  await expectError(() => both.search([1] as never), "BAD_OPTION", /query is \[Array\]/);
  await expectError(() => both.search("a", { topK: 3 } as never), "BAD_OPTION", /did you mean "k"/);
  await expectError(() => both.search("a", { mmr: 3 }), "BAD_OPTION", /mmr is 3/);
  await expectError(() => both.search("a", { filter: [1] as never }), "BAD_OPTION", /filter is \[Array\]/);
  await expectError(() => both.search("ink", { where: { year: { $near: 1 } } as never }), "BAD_WHERE", /\$near/);
  const odd = (answer: unknown) => hybrid({ vectors: docs, text: () => answer as never }).search("a");
  await expectError(() => odd({ results: [] }), "BAD_OPTION", /text has answered \[Object\]/);
  await expectError(() => odd([{ id: "d1", score: Number.NaN }]), "BAD_OPTION", /each must be \{ id, score \}/);
  await expectError(() => odd([{ id: "d1" }]), "BAD_OPTION", /each must be \{ id, score \}/);
  await expect(both.search("a", { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});
