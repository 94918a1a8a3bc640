// The store of vicinal/llamaindex under what LlamaIndex.TS asks of a vector store: nodes come back as they were, filters of every
// operator, its own retriever's and its own metadata.
import { BaseEmbedding } from "@llamaindex/core/embeddings";
import { vectorBlock } from "@llamaindex/core/memory";
import { Document, type Metadata, NodeRelationship, TextNode } from "@llamaindex/core/schema";
import type { MetadataFilter, MetadataFilters, VectorStoreQuery, VectorStoreQueryMode } from "@llamaindex/core/vector-store";
import { Collection } from "vicinal/collection";
import { VicinalVectorStore } from "vicinal/llamaindex";
import { memory } from "vicinal/storage";
import { expect, it } from "vitest";
import { expectError } from "../support/errors.js";

/** Letters and digits, counted. */
class Letters extends BaseEmbedding {
  constructor(readonly size: number) {
    super();
  }
  override async getTextEmbedding(text: string): Promise<number[]> {
    const counts = new Array(this.size).fill(0);
    for (const letter of text) counts[letter.charCodeAt(0) % this.size]++;
    return counts;
  }
}
const embedModel = new Letters(8);

const store = async (): Promise<VicinalVectorStore> =>
  new VicinalVectorStore({ collection: await Collection.open({ storage: memory(), dimensions: 8 }), embedModel });

async function nodes(n: number): Promise<TextNode[]> {
  const all = Array.from({ length: n }, (_, i) => {
    const metadata = { n: i, lang: i % 2 ? "en" : "fr", tags: i % 3 ? ["x"] : ["x", "y"], ...(i % 5 === 0 && { note: "" }) };
    const node = new TextNode<Metadata>({ id_: `node-${i}`, text: `passage ${i * 37}`, metadata });
    node.relationships[NodeRelationship.SOURCE] = new Document({ id_: `doc-${i % 4}` }).asRelatedNodeInfo();
    return node;
  });
  for (const node of all) node.embedding = await embedModel.getTextEmbedding(node.text);
  return all;
}

const query = async (
  text: string,
  more: Partial<Omit<VectorStoreQuery, "mode">> & { mode?: string } = {},
): Promise<VectorStoreQuery> => ({
  queryEmbedding: await embedModel.getTextEmbedding(text),
  similarityTopK: 5,
  ...more,
  mode: (more.mode ?? "default") as VectorStoreQueryMode,
});

it("gives nodes back as they were, nearest first, with their similarities", async () => {
  const vectors = await store();
  const all = await nodes(12);
  expect(await vectors.add(all)).toEqual(all.map(({ id_ }) => id_));
  const { nodes: found = [], similarities, ids } = await vectors.query(await query(all[3].text));
  expect([found.length, similarities.length, ids.length]).toEqual([5, 5, 5]);
  expect(similarities).toEqual(similarities.toSorted((a, b) => b - a));
  expect(similarities[0]).toBeCloseTo(1, 6);
  const again = found.find(({ id_ }) => id_ === "node-3") as TextNode;
  expect(again).toBeInstanceOf(TextNode);
  expect([again.text, again.metadata]).toEqual([all[3].text, all[3].metadata]);
  expect(again.sourceNode?.nodeId).toBe("doc-3");
  expect(vectors.client().size).toBe(12);
});

it("replaces nodes of the same id, and removes those of a document", async () => {
  const vectors = await store();
  await vectors.add(await nodes(12));
  await vectors.add(await nodes(12));
  expect(vectors.client().size).toBe(12);
  await vectors.delete("doc-1");
  const { nodes: left = [] } = await vectors.query(await query("passage", { similarityTopK: 20 }));
  expect(left.map(({ sourceNode }) => sourceNode?.nodeId).sort()).toEqual(
    ["doc-0", "doc-2", "doc-3"].flatMap((id) => [id, id, id]),
  );
  await vectors.delete("doc-1");
});

type Meta = { n: number; lang: string; tags: string[]; note?: string };
const FILTERS: [Omit<MetadataFilter, "value"> & { value?: unknown }, (meta: Meta) => boolean][] = [
  [{ key: "lang", operator: "==", value: "en" }, ({ lang }) => lang === "en"],
  [{ key: "lang", operator: "!=", value: "en" }, ({ lang }) => lang !== "en"],
  [{ key: "n", operator: ">", value: 7 }, ({ n }) => n > 7],
  [{ key: "n", operator: ">=", value: 7 }, ({ n }) => n >= 7],
  [{ key: "n", operator: "<", value: 3 }, ({ n }) => n < 3],
  [{ key: "n", operator: "<=", value: 3 }, ({ n }) => n <= 3],
  [{ key: "n", operator: "in", value: [1, 5, 99] }, ({ n }) => [1, 5].includes(n)],
  [{ key: "n", operator: "nin", value: [1, 5] }, ({ n }) => ![1, 5].includes(n)],
  [{ key: "tags", operator: "any", value: ["y", "z"] }, ({ tags }) => tags.includes("y")],
  [{ key: "tags", operator: "all", value: ["x", "y"] }, ({ tags }) => tags.includes("y")],
  [{ key: "tags", operator: "contains", value: "y" }, ({ tags }) => tags.includes("y")],
  [{ key: "note", operator: "is_empty" }, ({ note }) => !note],
  [{ key: "tags", operator: "is_empty" }, () => false],
];

it.each(FILTERS)("filter %j", async (filter, meets) => {
  const vectors = await store();
  const all = await nodes(12);
  await vectors.add(all);
  const ids = async (filters: MetadataFilters): Promise<string[]> =>
    (await vectors.query(await query("passage", { filters, similarityTopK: 20 }))).ids.sort();
  const right = (passes: (meta: Meta) => boolean): string[] =>
    all
      .filter(({ metadata }) => passes(metadata as Meta))
      .map(({ id_ }) => id_)
      .sort();
  const even = { key: "lang", operator: "==", value: "fr" } as const;
  expect(await ids({ filters: [filter as MetadataFilter] })).toEqual(right(meets));
  expect(await ids({ filters: [filter as MetadataFilter, even] })).toEqual(right((meta) => meets(meta) && meta.lang === "fr"));
  const either = { filters: [filter as MetadataFilter, even], condition: "or" as const };
  expect(await ids(either)).toEqual(right((meta) => meets(meta) || meta.lang === "fr"));
});

it("asks for nodes of some documents, and for various ones", async () => {
  const vectors = await store();
  await vectors.add(await nodes(12));
  const of = await vectors.query(await query("passage", { docIds: ["doc-2"] }));
  expect(of.ids.sort()).toEqual(["node-10", "node-2", "node-6"]);
  const plain = await vectors.query(await query("passage 0"));
  const alone = await vectors.query(await query("passage 0", { mode: "mmr", mmrThreshold: 1 }));
  expect(alone.similarities).toEqual(plain.similarities);
  const various = await vectors.query(await query("passage 0", { mode: "mmr", mmrThreshold: 0.1 }));
  expect(various.ids[0]).toBe(plain.ids[0]);
  const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
  expect(sum(various.similarities)).toBeLessThan(sum(plain.similarities));
});

it("is what LlamaIndex's memory of a conversation is kept in", async () => {
  const vectors = await store();
  const [one, other] = ["one", "other"].map((id) =>
    vectorBlock({ id, priority: 1, vectorStore: vectors, queryOptions: { similarityTopK: 1 } as never }),
  );
  const message = (content: string) => [{ id: content, role: "user" as const, content }];
  for (const text of ["aaa bbb", "ccc ddd", "eee fff"]) await one.put(message(text));
  await other.put(message("ccc ddd ddd"));
  const [said] = await one.get(message("ccc ddd"));
  expect(said.content).toContain("<message role='user'>ccc ddd</message>");
  expect(vectors.client().size).toBe(4);
});

it("says what it has not", async () => {
  const vectors = await store();
  await expectError(
    async () => vectors.query(await query("a", { mode: "hybrid" })),
    "BAD_OPTION",
    /mode is "hybrid".*default, mmr/,
  );
  const filters = { filters: [{ key: "t", operator: "text_match", value: "a" } as const] };
  await expectError(async () => vectors.query(await query("a", { filters })), "BAD_OPTION", /"text_match" of t/);
  await expectError(
    async () => vectors.query({ ...(await query("a")), queryEmbedding: undefined as never }),
    "BAD_OPTION",
    /queryEmbedding/,
  );
  expect(() => new VicinalVectorStore({ embedModel } as never)).toThrow(/collection is undefined/);
});
