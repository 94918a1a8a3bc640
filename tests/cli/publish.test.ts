// `vicinal publish`, as its users run it.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Flat } from "vicinal";
import { Collection } from "vicinal/collection";
import { saveFile } from "vicinal/node";
import { RangeIndex } from "vicinal/range";
import { folder as place } from "vicinal/storage/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fetching, URL_OF, vectorsOf } from "../range/support/made.js";
import { CLI } from "../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "vicinal-publish-"));
const vectors = vectorsOf(600);
afterAll(() => rmSync(folder, { recursive: true }));

function run(...args: string[]) {
  return spawnSync(process.execPath, [CLI, "publish", ...args], { cwd: folder, encoding: "utf8" });
}

beforeAll(async () => {
  const flat = await Flat.create({ dimensions: vectors[0].length, metric: "l2" });
  flat.add(vectors);
  await saveFile(flat, join(folder, "flat.vic"));
  const docs = await Collection.open({ storage: place(join(folder, "docs")), dimensions: vectors[0].length });
  await docs.upsert(
    vectors.map((vector, i) => ({ id: `d${i}`, vector, data: { lang: i % 2 ? "en" : "de", year: i, long: "x".repeat(100) } })),
  );
  await docs.close();
  writeFileSync(
    join(folder, "queries.jsonl"),
    vectorsOf(30, 2)
      .map((vector) => JSON.stringify({ vector: Array.from(vector) }))
      .join("\n"),
  );
});

async function opened(name: string): Promise<RangeIndex> {
  const at = join(folder, name);
  const files = new Map(readdirSync(at).map((file) => [file, new Uint8Array(readFileSync(join(at, file)))]));
  return RangeIndex.open(URL_OF, { fetch: fetching(files).fetch });
}

test("an index", async () => {
  const { status, stdout, stderr } = run(
    "flat.vic",
    "out/flat",
    "--page-kib",
    "4",
    "--rows",
    "f32",
    "--queries",
    "queries.jsonl",
  );
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^folder +out\/flat: [0-9a-f]{16}-0\.bin, head\.bin\ndocuments +600 in \d+ lists\n/);
  const index = await opened("out/flat");
  expect((await index.search(vectors[7], { k: 1 }))[0]).toEqual({ id: 7, distance: 0 });
  index.close();
});

test("a collection, as JSON; again, and nothing changes", async () => {
  const once = (): Record<string, unknown> => {
    const { status, stdout } = run(
      "docs",
      "out/docs",
      "--json",
      "--fields",
      "lang, year",
      "--bits",
      "1",
      "--recall",
      "0.9",
      "--seed",
      "3",
    );
    expect(status).toBe(0);
    return JSON.parse(stdout);
  };
  const summary = once();
  expect(summary).toMatchObject({ folder: "out/docs", documents: 600, fields: ["lang", "year"] });
  const files = readdirSync(join(folder, "out/docs")).sort();
  expect(files).toEqual((summary.files as string[]).toSorted());
  once();
  expect(readdirSync(join(folder, "out/docs")).sort()).toEqual(files);
  const index = await opened("out/docs");
  const [hit] = await index.search(vectors[9], { k: 1, where: { lang: "en", year: { $lte: 9 } } });
  expect(hit).toMatchObject({ id: "d9", data: { lang: "en", year: 9, long: "x".repeat(100) } });
  index.close();
});

test.each([
  [["nowhere.vic", "out"], 1, "nowhere.vic: no such file or folder"],
  [["flat.vic", "out", "--fields", "lang"], 1, "flat.vic: fields are those of documents; an index has none"],
  [["flat.vic", "out", "--page-kib", "2"], 1, "flat.vic: pageKib is 2; it must be an integer from 4 to 65536"],
  [["flat.vic", "out", "--rows", "f16"], 2, "Allowed choices are sq8, f32"],
  [["flat.vic"], 2, "missing required argument 'folder'"],
])("%j fails with %i", (args, code, sentence) => {
  const { status, stderr } = run(...args);
  expect(stderr).toContain(sentence);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(status).toBe(code);
});
