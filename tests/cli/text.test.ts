import { describe, expect, test } from "vitest";
import { lexicalEmbedder } from "../../src/cli/embed/lexical.js";
import { summarize } from "../../src/cli/measure.js";
import { bytes, figure, table } from "../../src/cli/print.js";
import { passagesOf } from "../../src/cli/text/passages.js";
import { countRight, truthOf } from "../../src/guide/recall.js";

const TEXTS = [
  "The parser reads command line arguments and prints help for each option.",
  "A glob pattern such as *.ts matches the names of files in a folder.",
  "Café owners roast coffee beans slowly over an open fire in the morning.",
];

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
}

describe("the lexical embedder", () => {
  const embedder = lexicalEmbedder(TEXTS);
  const one = (text: string) => embedder.embed([text]);

  test("gives unit vectors, the same every time, alone or among others", async () => {
    const all = await embedder.embed(TEXTS);
    const again = await lexicalEmbedder(TEXTS).embed(TEXTS);
    expect(again).toEqual(all);
    const second = all.subarray(embedder.dimensions, 2 * embedder.dimensions);
    expect(await one(TEXTS[1] as string)).toEqual(second);
    expect(dot(second, second)).toBeCloseTo(1, 5);
  });

  test("puts a near-duplicate nearer than another text", async () => {
    const [text, near, other] = await Promise.all([
      one(TEXTS[0] as string),
      one("This parser reads a command line argument, and prints the help of its options"),
      one(TEXTS[1] as string),
    ]);
    expect(dot(text, near)).toBeGreaterThan(dot(text, other) + 0.2);
  });

  test("looks past case, accents and endings", async () => {
    const coffee = await one(TEXTS[2] as string);
    const spelled = dot(coffee, await one("Cafés roasting coffee beans"));
    expect(dot(coffee, await one("CAFES ROASTING COFFEE BEANS"))).toBeCloseTo(spelled, 5);
    expect(spelled).toBeGreaterThan(dot(coffee, await one("parsing an option")) + 0.2);
  });

  test("gives a text without words the zero vector", async () => {
    expect(await one("?! ...")).toEqual(new Float32Array(embedder.dimensions));
  });
});

describe("passages", () => {
  const words = (count: number, word = "word") => Array.from({ length: count }, (_, i) => `${word}${i}`).join(" ");

  test("join short paragraphs, cut long ones between sentences, and carry their heading", () => {
    const text = `# First\n\n${words(15)}\n\n${words(30)}\n\nSecond\n======\n${words(70, "a")}. ${words(70, "b")}.\n`;
    const passages = passagesOf({ name: "x.md", text });
    expect(passages.map(({ title }) => title)).toEqual(["First", "Second", "Second"]);
    expect(passages.map((passage) => passage.text.split(" ").length)).toEqual([45, 70, 70]);
    expect(passages[0]?.file).toBe("x.md");
  });

  test("never exceed 120 words, whatever the text", () => {
    const passages = passagesOf({ name: "x.txt", text: words(1000) });
    expect(passages.map((passage) => passage.text).join(" ")).toBe(words(1000));
    for (const { text } of passages) expect(text.split(" ").length).toBeLessThanOrEqual(120);
  });

  test("leave out code, pictures, tags and marks, and keep the words of links", () => {
    const text = [
      "[![build](https://x/y.svg)](https://x)",
      "<p align=center>Read <b>this</b></p> and [the guide](https://example.org/a_(b)) with `code` in **bold**,",
      "- [x] a list item that goes on for a while",
      "",
      "```js",
      "const hidden = 1;",
      "```",
      "<!-- a hidden comment -->",
      "| cell one | cell two |",
      "|---|---|",
    ].join("\n");
    const [passage] = passagesOf({ name: "x.md", text });
    expect(passage?.text).not.toMatch(/hidden|[`*|<>]|https|\]|---/);
    expect(passage?.text).toContain("Read this and the guide");
    expect(passage?.text).toContain("a list item that goes on");
    expect(passage?.text).toContain("cell one cell two");
  });

  test("of plain text keep their marks", () => {
    const text = "# not a heading, just a line of a text file with *stars* in it";
    expect(passagesOf({ name: "x.txt", text })).toEqual([{ file: "x.txt", title: "", text }]);
  });

  test("drop what is too short to say anything", () => {
    expect(passagesOf({ name: "x.md", text: "# Title\n\nToo short.\n" })).toEqual([]);
  });
});

describe("recall", () => {
  const truth = truthOf([
    { id: 1, distance: 0.1 },
    { id: 2, distance: 0.5 },
  ]);

  test("counts the true ids, and ids that tie with the last of them", () => {
    expect(
      countRight(
        [
          { id: 1, distance: 0.1 },
          { id: 9, distance: 0.6 },
        ],
        truth,
      ),
    ).toBe(1);
    expect(
      countRight(
        [
          { id: 1, distance: 0.1 },
          { id: 9, distance: 0.5 },
        ],
        truth,
      ),
    ).toBe(2);
  });

  test("never exceeds 1, and is of what could be found", () => {
    const hits = [0.1, 0.5, 0.5].map((distance, id) => ({ id, distance }));
    expect(countRight(hits, truth)).toBe(2);
    const round = { hits: [hits, []], latenciesMs: new Float64Array([1, 3]), totalMs: 4, distances: 20 };
    expect(summarize(round, [truth, truth])).toEqual({ recall: 0.5, qps: 500, p50Ms: 1, p99Ms: 3, distances: 10 });
  });
});

test("tables line up, without trailing blanks", () => {
  expect(
    table(
      ["<name", "n"],
      [
        ["a", "1"],
        ["long", "1000"],
      ],
    ),
  ).toBe("name      n\na         1\nlong   1000");
});

test("figures are short and never in powers of ten", () => {
  expect([0, 0.00001234, 0.01234, 1.234, 12.34, 1234.5].map(figure)).toEqual(["0", "0.000012", "0.0123", "1.23", "12.3", "1235"]);
  expect([0, 999, 1500, 2.5e6, 3e12].map(bytes)).toEqual(["0 B", "999 B", "1.5 kB", "2.5 MB", "3000.0 GB"]);
});
