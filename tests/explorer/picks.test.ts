// What the explorer makes of measured points: picks, and what formulas make of them beyond; and what the page weighs.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bytesOf, effortFor } from "../../src/guide/plan/laws.js";
import { familyOf } from "../../src/pages/explorer/families.js";
import type { MeasuredPoint } from "../../src/pages/explorer/messages.js";
import { atRecall, type Ground, type Measured, picksOf, standingOf } from "../../src/pages/explorer/picks.js";
import { ROOT } from "../support/packed.js";

const point = (effort: number, recall: number, ms: number, units: number): MeasuredPoint => ({
  ...{ effort, recall, ms, error: 0.002, distances: units, visited: units },
});
const of = (id: string, bytes: number, points: MeasuredPoint[]): Measured => ({
  ...{ family: familyOf(id), look: 0, factory: id, bytes, buildSeconds: 1, points },
});
const GROUND: Ground = { n: 10_000, dimensions: 64, metric: "l2", k: 10 };

const flat = of("flat", 2.8e6, [{ ...point(0, 1, 0.5, 10_000), effort: undefined }]);
const graph = of("hnsw", 7.2e6, [point(10, 0.9, 0.01, 16), point(20, 0.98, 0.02, 26), point(40, 0.999, 0.04, 46)]);
const codes = of("ivf-pq", 1e6, [point(1, 0.4, 0.01, 60), point(2, 0.6, 0.02, 120)]);
const kdtree = of("kdtree", 4e6, [point(2, 0.5, 0.1, 100), point(4, 0.97, 0.2, 200)]);
const at = (to: number, wanted: number) =>
  [flat, graph, codes, kdtree].flatMap((one) => standingOf(one, GROUND, to, wanted) ?? []);

describe("picks", () => {
  it("takes the time of a recall from between the efforts around it", () => {
    // Misses fall from .1 to .02 as the time doubles: .95 lies at log 2 / log 5 of it.
    const { ms, reached } = atRecall(graph.points, 0.95);
    expect(ms).toBeCloseTo(0.01 * 2 ** (Math.log(2) / Math.log(5)), 6);
    expect(reached).toBe(true);
    expect(atRecall(graph.points, 0.9999)).toMatchObject({ reached: false, recall: 0.999, ms: 0.04 });
    expect(atRecall(graph.points, 0.5)).toMatchObject({ reached: true, recall: 0.9, ms: 0.01 });
  });

  it("picks the least of an axis among what reaches the recall", () => {
    const picks = picksOf(at(10_000, 0.95), 0.95);
    expect(picks?.recallAndLatency.of).toBe(graph);
    expect(picks?.recallAndMemory.of).toBe(flat);
    expect(picks?.latencyAndMemory.of).toBe(codes);
    expect(picksOf(at(10_000, 0.3), 0.3)?.recallAndMemory.of).toBe(codes);
    expect(picksOf([], 0.95)).toBeUndefined();
  });

  it("goes beyond what was measured by plan's formulas, and says so", () => {
    const million = at(1e6, 0.95);
    expect(million.map(({ of: { family } }) => family.id)).toEqual(["flat", "hnsw", "ivf-pq"]);
    expect(million.map(({ parts }) => parts)).toEqual([1, 1, 1]);
    // Of few queries a graph may find all, which is no promise of laws.
    const all = of("hnsw", 7.2e6, [point(10, 0.9, 0.01, 16), point(20, 1, 0.02, 26)]);
    expect(standingOf(all, GROUND, 1e6, 1)).toMatchObject({ recall: 1, computed: true });
    // 256 GB of rows want 67 memories of 3.9 GB.
    expect(at(1e9, 0.95)[0].parts).toBeGreaterThanOrEqual(67);
    for (const { computed, effort } of million) expect([computed, effort]).toEqual([true, undefined]);
    // A scan takes as many times as long as there are vectors.
    expect(million[0].ms).toBeCloseTo(50, 6);
    for (const { of: one, bytes } of million) {
      const design = one.family.design as NonNullable<typeof one.family.design>;
      const [more, less] = [1e6, 10_000].map((n) => bytesOf(design, n, 64, "l2").total);
      expect(bytes).toBeCloseTo(one.bytes + more - less, 0);
    }
    // 1 microsecond for each node, at the efforts of the law and with steps that take longer in a larger memory.
    const [now, then] = [1e4, 1e6].map((n) => (effortFor(graph.family.design as never, n, 0.95)?.effort ?? 0) + 6);
    const steps = million[1].ms / atRecall(graph.points, 0.95).ms;
    expect(steps).toBeGreaterThan(then / now);
    expect(steps).toBeLessThan((6 * then) / now);
  });
});

it("the page is at most 250 KB, gzipped", () => {
  const folder = join(ROOT, "dist/explorer");
  const bytes = readdirSync(folder).map((name) => gzipSync(readFileSync(join(folder, name)), { level: 9 }).length);
  expect(bytes.reduce((a, b) => a + b)).toBeLessThanOrEqual(250_000);
});
