// `vicinal collection`, as its users run it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLI } from "../support/command-line.js";
import { random } from "../support/data.js";

const folder = mkdtempSync(join(tmpdir(), "vicinal-collection-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], input = "") {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, "collection", ...args], {
    cwd: folder,
    encoding: "utf8",
    input,
  });
  return { status, stdout, stderr };
}

function succeeds(...args: string[]): string {
  const { status, stdout, stderr } = run(args);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

const json = (...args: string[]) => JSON.parse(succeeds(...args, "--json"));
const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

function fails(code: number, sentence: string, args: readonly string[], input?: string): void {
  const { status, stderr } = run(args, input);
  expect(stderr).toContain(sentence);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(status).toBe(code);
}

const next = random(1);
const DIMENSIONS = 8;
const DOCUMENTS = Array.from({ length: 200 }, (_, i) => ({
  id: i % 2 ? i : `doc ${i}`,
  vector: Array.from({ length: DIMENSIONS }, () => Math.fround(next() - 0.5)),
  lang: ["en", "de", "fr"][i % 3],
  year: 2000 + (i % 25),
  tags: ["a", "b", "c"].slice(0, i % 4),
  author: { name: `n${i % 7}` },
}));
const FIELDS = ["--field", "lang:keyword", "--field", "year:number", "--field", "tags:keyword[]"];

/** Of a cosine's vectors, which are stored at unit length, the last digit may be another. */
const rounded = ({ vector, ...rest }: Record<string, unknown>) =>
  vector ? { ...rest, vector: (vector as number[]).map((value) => value.toFixed(5)) } : rest;
/** In one order. */
const byId = (rows: readonly Record<string, unknown>[]) =>
  rows.map(rounded).toSorted((a, b) => (JSON.stringify(a.id) < JSON.stringify(b.id) ? -1 : 1));
const text = (rows: readonly unknown[]): string => rows.map((row) => JSON.stringify(row)).join("\n");

beforeAll(() => {
  const write = (name: string, contents: string | Uint8Array) => writeFileSync(join(folder, name), contents);
  write("docs.jsonl", text(DOCUMENTS));
  write("docs.ndjson.gz", gzipSync(text(DOCUMENTS)));
  const cell = (value: unknown) => `"${(typeof value === "string" ? value : JSON.stringify(value)).replaceAll('"', '""')}"`;
  const names = ["id", "vector", "lang", "year", "tags", "author"] as const;
  write("docs.csv", [names.join(","), ...DOCUMENTS.map((row) => names.map((name) => cell(row[name])).join(","))].join("\n"));
  const columnOf = (name: string, type: "STRING" | "INT64" | "JSON", of: (row: (typeof DOCUMENTS)[number]) => unknown) => ({
    name,
    type,
    data: DOCUMENTS.map(of),
  });
  write(
    "docs.parquet",
    new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          columnOf("id", "STRING", ({ id }) => String(id)),
          columnOf("vector", "JSON", ({ vector }) => vector),
          columnOf("lang", "STRING", ({ lang }) => lang),
          columnOf("year", "INT64", ({ year }) => BigInt(year)),
          columnOf("author", "JSON", ({ author }) => author),
        ],
        rowGroupSize: 64,
      }),
    ),
  );
  write("query.jsonl", text(DOCUMENTS.slice(0, 2).map(({ vector }) => ({ vector }))));
  mkdirSync(join(folder, "nothing"));
});

describe("import and export", () => {
  test.each(["docs.jsonl", "docs.ndjson.gz", "docs.csv"])("%s comes back as it was", (file) => {
    const place = `of ${file}`;
    expect(json("import", place, file, ...FIELDS, "--batch", "64")).toMatchObject({ added: 200, replaced: 0 });
    expect(json("import", place, file)).toMatchObject({ added: 0, replaced: 200 });
    expect(byId(lines(succeeds("export", place)))).toEqual(byId(DOCUMENTS));
    expect(json("export", place, "-o", `${place}.jsonl.gz`, "--where", '{"lang":"de"}', "--no-vectors")).toEqual({
      file: `${place}.jsonl.gz`,
      documents: 67,
    });
    const some = DOCUMENTS.filter(({ lang }) => lang === "de").map(({ vector, ...rest }) => rest);
    expect(byId(lines(gunzipSync(readFileSync(join(folder, `${place}.jsonl.gz`))).toString()))).toEqual(byId(some));
  });

  test("parquet", () => {
    expect(json("import", "parquet", "docs.parquet")).toMatchObject({ added: 200 });
    const rows = DOCUMENTS.map(({ tags, id, ...rest }) => ({ ...rest, id: String(id) }));
    expect(byId(lines(succeeds("export", "parquet")))).toEqual(byId(rows));
  });

  test("packed bits are numbers, lowest first", () => {
    const rows = [{ id: 1, vector: [1, 0, 1, 1, 0, 0, 0, 1] }];
    expect(run(["import", "bits", "-", "--metric", "hamming"], text(rows)).status).toBe(0);
    expect(lines(succeeds("export", "bits"))).toEqual(rows);
    expect(lines(succeeds("get", "bits", "1", "--vector"))).toEqual([{ ...rows[0], data: {} }]);
  });

  test("an id that comes twice is replaced, and rows may be numbered", () => {
    const rows = [1, 2, 3].map((n) => ({ id: n % 2, vector: [n, 1], n }));
    expect(run(["import", "twice", "-"], text(rows)).status).toBe(0);
    expect(byId(lines(succeeds("export", "twice", "--no-vectors")))).toEqual([
      { id: 0, n: 2 },
      { id: 1, n: 3 },
    ]);
    expect(run(["import", "numbered", "-", "--number"], text(rows.map(({ id, ...rest }) => rest))).status).toBe(0);
    expect(byId(lines(succeeds("export", "numbered", "--no-vectors"))).map(({ id }) => id)).toEqual([0, 1, 2]);
  });

  test("cells of a .csv are what they are written as", () => {
    const csv = ["id;embedding;a;b", '007;"[1, 2]";07;1.5e3', '7;"[1, 2]";true;', '-1;"[1, 2]";[1;"{""x"":[null]}"'].join("\n");
    expect(run(["import", "cells", "-", "--format", "csv"], csv).status).toBe(0);
    expect(byId(lines(succeeds("export", "cells", "--no-vectors")))).toEqual([
      { id: "007", a: "07", b: 1500 },
      { id: -1, a: "[1", b: { x: [null] } },
      { id: 7, a: true },
    ]);
  });

  test("what has come before an error stays, and the error says where", () => {
    const rows = [...DOCUMENTS.slice(0, 5), { ...DOCUMENTS[5], year: "new" }];
    const args = ["import", "stays", "-", ...FIELDS, "--batch", "2"];
    const sentence =
      'standard input: line 6: data.year is "new"; the field is declared as number: a number; the 4 documents before are in';
    fails(1, sentence, args, text(rows));
    expect(json("info", "stays").size).toBe(4);
  });

  test("a file that cannot be written leaves nothing", () => {
    json("import", "plain", "docs.jsonl");
    fails(1, "no such file or folder", ["export", "plain", "-o", "no/such/file"]);
    run(["import", "own", "-", "--id-field", "key"], text([{ key: 1, vector: [1, 2], id: "x" }]));
    fails(1, 'the document 1 has a field "id" of its own: --id-field', ["export", "own", "-o", "own.jsonl"]);
    expect(readdirSync(folder).filter((name) => name.startsWith("own.jsonl"))).toEqual([]);
    expect(lines(succeeds("export", "own", "--id-field", "key"))).toEqual([{ key: 1, vector: [1, 2], id: "x" }]);
  });
});

describe("a collection", () => {
  beforeAll(() => json("import", "docs", "docs.jsonl", ...FIELDS));

  test("is searched by vectors and by documents, with conditions, groups and fields", () => {
    const args = ["search", "docs", "--query", "query.jsonl", "-k", "2"];
    const answers = json(...args, "--where", '{"lang":"en","year":{"$lt":2010}}', "--select", "lang,author.name");
    expect(answers.map(({ query }: { query: number }) => query)).toEqual([0, 1]);
    expect(answers[0].hits[0]).toEqual({
      id: "doc 0",
      distance: expect.closeTo(0),
      data: { lang: "en", author: { name: "n0" } },
    });
    for (const { hits } of answers) expect(hits).toHaveLength(2);
    const [{ hits }] = json("search", "docs", "--id", "1", "-k", "3", "--group-by", "lang", "--exact");
    expect(hits.every(({ id }: { id: unknown }) => id !== 1)).toBe(true);
    expect(new Set(hits.map(({ group }: { group: string }) => group)).size).toBe(hits.length);
    const table = succeeds(...args);
    expect(table).toMatch(/query 0\nrank +id +distance +data\n +1 +"doc 0" +/);
    expect(succeeds("search", "docs", "--id", "doc 2", "--where", '{"lang":"none"}')).toBe("query doc 2: no hits\n");
  });

  test("gives documents", () => {
    const { vector, id, ...data } = DOCUMENTS[1];
    expect(lines(succeeds("get", "docs", "1", "doc 2"))).toEqual([
      { id: 1, data },
      { id: "doc 2", data: expect.objectContaining({ lang: "fr" }) },
    ]);
    expect(byId(lines(succeeds("get", "docs", "1", "--vector")))).toEqual(byId([{ id, vector, data }]));
    fails(1, 'docs: holds no document with the id "2", "x"', ["get", "docs", "2", "1", "x"]);
  });

  test("is described, verified and compacted", () => {
    const info = json("info", "docs");
    expect(info).toMatchObject({ size: 200, dimensions: DIMENSIONS, metric: "cosine", health: { state: "ready" } });
    expect(info.fields).toMatchObject([
      { path: "lang", kind: "keyword", cardinality: 3, documents: 200 },
      { path: "year", kind: "number", cardinality: 25, documents: 200 },
      { path: "tags", kind: "keyword[]", cardinality: 3, documents: 150 },
    ]);
    const table = succeeds("info", "docs");
    expect(table).toMatch(/documents +200 x 8 dimensions, cosine/);
    expect(table).toMatch(/lang +keyword +3 +200/);
    json("import", "docs", "docs.jsonl");
    const { bytesBefore, bytes } = json("compact", "docs");
    expect(bytes).toBeLessThan(bytesBefore);
    expect(json("verify", "docs")).toMatchObject({ ok: true, problems: [] });
    expect(succeeds("verify", "docs")).toContain("all of it sound");
  });

  test("that is damaged fails", () => {
    json("import", "damaged", "docs.jsonl");
    json("compact", "damaged");
    const place = join(folder, "damaged");
    for (const { name } of readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isFile())) {
      const file = readFileSync(join(place, name));
      if (file.length < 2000) continue;
      file[file.length >> 1] ^= 1;
      writeFileSync(join(place, name), file);
    }
    const { status, stderr } = run(["verify", "damaged"]);
    expect(stderr).toContain("damaged");
    expect(status).toBe(1);
  });
});

describe("refused", () => {
  const CASES: readonly (readonly [code: number, sentence: string, args: readonly string[], input?: string])[] = [
    [1, "nowhere: no such file or folder", ["info", "nowhere"]],
    [1, "docs.csv: is a file; a collection is a folder", ["info", "docs.csv"]],
    [1, "nothing: holds no collection; vicinal collection import makes one", ["search", "nothing", "--id", "1"]],
    [2, "give either --query FILE or --id ID", ["search", "docs"]],
    [2, "--where is no JSON", ["search", "docs", "--id", "1", "--where", "{lang:1}"]],
    [1, "where.year compares with", ["search", "docs", "--id", "1", "--where", '{"year":"x"}']],
    [1, "where.a.$like", ["export", "docs", "--where", '{"a":{"$like":"x"}}']],
    [1, 'docs: holds no document with the id "none"', ["search", "docs", "--id", "none"]],
    [1, "docs.jsonl.zip: unknown format", ["import", "new", "docs.jsonl.zip"]],
    [1, "no such file or folder", ["import", "new", "none.jsonl"]],
    [1, "standard input: holds no documents", ["import", "new", "-"], "\n\n"],
    [1, "standard input: line 2 is not JSON", ["import", "new", "-"], '\n{"id":1,'],
    [1, "standard input: line 1 is not a JSON object but [1]", ["import", "new", "-"], "[1]"],
    [
      1,
      'line 1 has no field "vector" or "embedding" (its fields: id, v): --vector-field',
      ["import", "new", "-"],
      '{"id":1,"v":[1]}',
    ],
    [1, 'line 1 has no field "key"', ["import", "new", "-", "--id-field", "key"], '{"id":1,"vector":[1]}'],
    [1, "line 1 has no id: --id-field names it, --number gives ids", ["import", "new", "-"], '{"vector":[1]}'],
    [1, "line 1: the id is 1.5: it must be a string or an integer", ["import", "new", "-"], '{"id":1.5,"vector":[1]}'],
    [2, 'fields["lang"] is "text"', ["import", "new", "docs.jsonl", "--field", "lang:text"]],
    [2, "--field is lang; it must be a path and a kind", ["import", "new", "docs.jsonl", "--field", "lang"]],
    [2, "metric is l2, and cosine in the collection", ["import", "docs", "docs.jsonl", "--metric", "l2"]],
    [2, "dimensions is 1, and 8 in the collection", ["import", "docs", "-"], '{"id":1,"vector":[1]}'],
    [1, 'the header has two columns "a"', ["import", "new", "-", "--format", "csv"], 'id,a,a,vector\n1,2,3,"[1]"'],
    [1, "line 2 has 4 columns, the header has 2", ["import", "new", "-", "--format", "csv"], "id,vector\n1,2,3,4"],
    [1, "value 2 of the vector is not a number", ["import", "new", "-", "--format", "csv"], 'id,vector\n1,"[1,x]"'],
    [1, "not a .parquet file that can be read", ["import", "new", "docs.csv", "--format", "parquet"]],
    [1, "a .parquet must be a file", ["import", "new", "nothing", "--format", "parquet"]],
  ];

  test.each(CASES.map(([code, sentence, args, input]) => [sentence, code, args, input] as const))(
    "%s",
    (sentence, code, args, input) => {
      fails(code, sentence, args, input);
      expect(existsSync(join(folder, "new"))).toBe(false);
    },
  );
});

test("help", () => {
  for (const command of ["import", "search", "get", "info", "compact", "verify", "export"]) {
    expect(succeeds("--help")).toContain(command);
    expect(succeeds(command, "--help")).toContain(`Usage: vicinal collection ${command}`);
  }
});
