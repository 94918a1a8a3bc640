// The tools of bench/: two runs compared, and the page of bench:browser.
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { compare, type Result } from "../../bench/kit/compare.mjs";
import { openEngine } from "../../bench/kit/engine.mjs";
import { pageFiles } from "../../bench/page/page-files.mjs";
import { cellsOf } from "../../src/pages/kernels/kernels.mjs";
import { measure } from "../../src/pages/kernels/micro-case.mjs";
import { THOROUGH } from "../support/thorough.js";

const COLUMNS = ["", "d", "QPS", "ratio", "ratio", "form"];
const result = (rows: (string | number)[][], gates: Result["gates"] = [], columns = COLUMNS): Result => ({
  name: "flat",
  tables: { flat: { columns, rows } },
  gates,
});
const gate = (what: string, reached: string, ok: boolean) => ({ what, reached, asked: ">= 4.00x", ok });

describe("compare", () => {
  test("puts every figure beside the other; a text where it has changed", () => {
    const old = result([
      ["f32", 128, "1,000", "2.00x", "-", "a"],
      ["f32", 384, "400", "1.00x", "", "a"],
    ]);
    const now = result([
      ["f32", 384, "100", "1.00x", "", "b"],
      ["f32", 128, "1,500", "3.00x", "1.00x", "a"],
    ]);
    expect(compare([old], [now])).toEqual({
      tables: {
        flat: {
          columns: ["row", "figure", "old", "new", "ratio"],
          rows: [
            ["f32, 128", "QPS", "1,000", "1,500", "1.50x"],
            ["f32, 128", "ratio", "2.00x", "3.00x", "1.50x"],
            ["f32, 128", "ratio (2)", "-", "1.00x", "-"],
            ["f32, 384", "QPS", "400", "100", "0.25x"],
            ["f32, 384", "ratio", "1.00x", "1.00x", "1.00x"],
            ["f32, 384", "form", "a", "b", ""],
          ],
        },
      },
      gates: { columns: ["gate", "asked", "old", "new", "ratio", "ok"], rows: [] },
      missing: [],
    });
  });

  test("says what one side does not have", () => {
    const old = [result([["f32", 1, "1", "1", "1", "a"]], [gate("kept", "4.00x", true), gate("gone", "4.00x", true)])];
    const now = [
      result([["sq8", 1, "1", "1", "1"]], [gate("kept", "3.00x", false)], COLUMNS.slice(0, 5)),
      { ...result([]), name: "load", tables: { load: { columns: [], rows: [] } } },
    ];
    const { gates, missing } = compare(old, now);
    expect(gates.rows).toEqual([["kept", ">= 4.00x", "4.00x", "3.00x", "0.75x", "yes -> NO"]]);
    expect(missing).toEqual([
      ["bench load", "new"],
      ["table flat, column form", "old"],
      ["table flat, row f32", "old"],
      ["table flat, row sq8", "new"],
      ["gate gone", "old"],
    ]);
  });
});

test("the page of bench:browser is whole: nothing of Node's, nothing to fetch that is not there", async () => {
  const files = await pageFiles({ quick: true, rounds: 1, ms: 1 });
  const page = String(files["/"].body);
  const scripts = ["/page.js", "/worker.js"].map((path) => new TextDecoder().decode(files[path].body as Uint8Array));
  expect(page).toContain('src="page.js"');
  expect(scripts[0]).toContain('new Worker("worker.js"');
  for (const script of scripts) expect(script).not.toMatch(/from "|import "|node:/);
  const builds = ["scalar", "simd", "relaxed"].flatMap((variant) => [`/wasm/${variant}.wasm`, `/wasm/${variant}-core.wasm`]);
  expect(Object.keys(files)).toEqual(expect.arrayContaining(["/how.json", ...builds]));
});

test('the README\'s "Which index?" has its numbers from bench:families', () => {
  const rowsOf = (file: string, from: string, to: string): string[][] => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    const [, part] = text.split(from);
    return part
      .split(to)[0]
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map((line) => line.split("|").map((cell) => cell.trim()));
  };
  const measured = rowsOf("bench/README.md", "<!-- table:families-gutenberg-sif-160 -->", "<!-- end -->");
  const told = rowsOf("README.md", "## Which index?", "Each is a class").slice(2);
  expect(told.length).toBeGreaterThan(5);
  for (const [, words, , recall, qps, bytes] of told) {
    const row = measured.find(([, , factory]) => `\`${factory}\`` === words);
    expect([row?.[4], row?.[5], row?.[8]], words).toEqual([recall, qps, bytes]);
  }
});

describe("kernels that benches and the explorer measure", () => {
  // The smallest wasm has f32 alone. measure() throws where wasm and JS disagree.
  const cells = cellsOf(true).filter(({ d, codec }) => d === 128 && (THOROUGH || codec === "binary"));
  it.each(cells)("$name answers as plain JS does", async (cell) => {
    const speeds = await measure(cell, { rounds: 1, ms: 0.01, variants: ["simd"] }, openEngine);
    expect(Object.keys(speeds).length).toBeGreaterThan(4);
    expect(speeds.simd).toBeGreaterThan(0);
  });
});
