// On real text with judged queries words and vectors together find more than either: of bench/suite/hybrid.mjs its smallest set.
import MiniSearch from "minisearch";
import { Flat } from "vicinal";
import { hybrid } from "vicinal/hybrid";
import { expect, it } from "vitest";
import { chapters, embeddedBy, judged, readmeSections, recalls } from "../../bench/kit/judged.js";

// On 2026-11-29, of 108 titles: words .593, vectors .450, both by rrf .630, by weights .654.
it("titles of README files ask for their sections, by a sentence model and by MiniSearch", async () => {
  const of = judged(await readmeSections(400));
  expect(of.queries.length).toBeGreaterThan(100);
  const rows = await embeddedBy("sentences", of);
  if (!rows) throw new Error("the sentence model is not installed");
  const index = await Flat.create({ dimensions: rows[0][0].length, metric: "cosine" });
  index.add(rows[0]);
  const mini = new MiniSearch({ fields: ["text"] });
  mini.addAll(of.passages);
  const words = (text: string) => mini.search(text).map(({ id, score }) => ({ id: id as number, score }));
  const found = await recalls(of, { vectors: index, queryVectors: rows[1], words, hybrid }, ["rrf", { vectors: 0.4, text: 0.6 }]);
  console.log(`recall@10 of ${of.queries.length} queries: ${JSON.stringify(found)}`);
  for (const recall of found.fused) expect(recall).toBeGreaterThan(Math.max(found.words, found.vectors) + 0.01);
});

it("a title that several sections have, or of one word, asks for none; a passage for the others of its chapter", () => {
  const section = (title: string, ...texts: string[]) => ({ source: "a.md", title, texts });
  const { passages, queries } = judged([
    section("Use it", "a", "b"),
    section("Install", "c"),
    section("To do", "d"),
    section("to-do", "e"),
  ]);
  expect(passages.map(({ text }) => text)).toEqual(["a", "b", "c", "d", "e"]);
  expect(queries).toEqual([{ text: "Use it", right: [0, 1] }]);
  const verse = (book: string, chapter: number, text = book) => ({ book, chapter, text });
  const of = chapters([verse("A", 1), verse("A", 2), verse("B", 1), verse("A", 1)], [verse("A", 1, "x"), verse("B", 2, "y")]);
  expect(of.queries).toEqual([
    { text: "x", right: [0, 3] },
    { text: "y", right: [] },
  ]);
});
