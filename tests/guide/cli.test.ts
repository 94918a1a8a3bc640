// vicinal tune, plan and doctor: on files, as lines for people and as JSON.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hnsw } from "vicinal";
import { saveFile } from "vicinal/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandLine } from "../support/command-line.js";
import { correlated } from "../support/data.js";

const folder = mkdtempSync(join(tmpdir(), "vicinal-guide-"));
afterAll(() => rmSync(folder, { recursive: true }));

const { run, json } = commandLine(folder);

beforeAll(async () => {
  const rows = correlated(1600, 24, 16, 3);
  const index = await Hnsw.create({ dimensions: 24, metric: "l2", m: 4, efConstruction: 20, ef: 4 });
  index.add(rows.slice(0, 1500));
  await saveFile(index, join(folder, "low.vic"));
  index.close();
  writeFileSync(
    join(folder, "queries.jsonl"),
    rows
      .slice(1500)
      .map((row) => JSON.stringify({ vector: Array.from(row) }))
      .join("\n"),
  );
});

describe("tune", () => {
  it("writes the choice as the file's default", () => {
    const { curves, cost } = json(
      "tune",
      "low.vic",
      "--queries",
      "queries.jsonl",
      "--recall",
      "0.9",
      "-k",
      "10,20",
      "-o",
      "tuned.vic",
    );
    expect(curves.map(({ k }: { k: number }) => k)).toEqual([10, 20]);
    expect(cost).toMatchObject({ queries: 100, from: "given", truth: "vectors" });
    expect(json("info", "tuned.vic").options.ef).toBe(curves[0].choice.effort);
    expect(json("info", "low.vic").options.ef).toBe(4);
  });

  it("tells people", () => {
    const { stdout, status } = run("tune", "low.vic", "--recall", "0.9", "--share", "1,0.2");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1,000 vectors of the index, themselves left out; truth: an exact scan;/);
    expect(stdout).toMatch(/k 10: recall 0\.9 takes ef \d+: 0\.9\d+, on other queries 0\.\d+ to \d\.\d+/);
    expect(stdout).toMatch(/k 10, \d+(\.\d+)? % pass: recall 0\.9 takes ef \d+/);
    expect(stdout).toMatch(/^\d+ \* +0\.9/m);
  });
});

it("plan takes numbers with units", () => {
  const plan = ["plan", "--vectors", "2e4", "--dims", "8", "--ram", "64MiB", "--p99", "1s", "--recall", ".9"];
  const { designs, refused, advice } = json(...plan);
  expect(designs.length).toBeGreaterThan(3);
  expect(refused.every(({ breaks }: { breaks: string }) => breaks === "recall")).toBe(true);
  expect(advice).toMatch(/^Least memory: /);
  const { stdout } = run(...plan);
  expect(stdout).toContain("What does not fit, by what breaks first:");
  for (const [wrong, sentence] of [
    [["--vectors", "1.5"], "Expected a whole number from 1, such as 1000000 or 1e6."],
    [["--vectors", "10", "--ram", "5 sacks"], "Expected a number and one of mb, gb"],
    [["--vectors", "10", "--p99", "5"], "Expected a number and one of us, ms, s"],
  ] as const) {
    const { status, stderr } = run("plan", "--dims", "8", ...wrong);
    expect(status).toBe(2);
    expect(stderr).toContain(sentence);
  }
});

it("doctor names what is wrong, and what to do", () => {
  const { findings, recall } = json("doctor", "low.vic", "--queries", "queries.jsonl");
  expect(recall.recall).toBeLessThan(0.9);
  expect(findings[0]).toMatchObject({ name: "effort", severity: "problem" });
  const { stdout } = run("doctor", "low.vic", "--queries", "queries.jsonl");
  expect(stdout).toMatch(/^recall@10 0\.\d+ \(0\.\d+ to 0\.\d+\) in /);
  expect(stdout).toMatch(/problem: effort\n {2}recall@10 is .* ef 4 is too low for 1500 vectors\n {2}to do: await tune\(index/);
  expect(run("doctor", "low.vic", "--recall", "0.1", "--share", "0.5").stdout).toContain("nothing is wrong with it");
  expect(run("doctor", "tuned.vic", "--queries", "queries.jsonl").stdout).toMatch(
    /^it was 0\.9\d+ with 1,500 vectors, of queries$/m,
  );
});
