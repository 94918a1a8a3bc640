// tuneFactory(): rows that no other beats, and recommendations that are the best of what was built.
import { factory } from "vicinal";
import { type FactoryRow, type TuneFactoryOptions, tuneFactory } from "vicinal/guide";
import { describe, expect, it } from "vitest";
import { correlated } from "../support/data.js";
import { expectError } from "../support/errors.js";

const D = 24;
const ROWS = correlated(6000, D, 16, 3);

describe("tuneFactory", () => {
  it("returns rows that no other beats, as factory() builds them, and the best of them for two axes each", async () => {
    const seen: FactoryRow[] = [];
    const { rows, best, vectors, seconds } = await tuneFactory(ROWS, {
      ...{ dimensions: D, metric: "l2", recall: 0.9 },
      onProgress: (row) => seen.push(row),
    });
    expect(vectors).toBe(5800);
    expect(seconds).toBeGreaterThan(0);
    expect(seen.map(({ factory }) => factory)).toEqual(expect.arrayContaining(["Flat", "HNSW16fs,Flat"]));
    for (const row of rows) {
      const axes = (of: FactoryRow) => [-of.recall, of.p99Ms, of.bytes, of.buildSeconds];
      const beaten = rows.filter((other) => other !== row && axes(other).every((value, i) => value < axes(row)[i]));
      expect(beaten).toEqual([]);
    }
    const reached = rows.filter(({ recall }) => recall >= 0.9);
    expect(best.recallAndLatency.p99Ms).toBe(Math.min(...reached.map(({ p99Ms }) => p99Ms)));
    expect(best.recallAndMemory.bytes).toBe(Math.min(...reached.map(({ bytes }) => bytes)));
    expect(rows).toContain(best.latencyAndMemory);
    // Memory does not depend on how fast this machine is: the fewest bytes of all that were built and find as much.
    const fewest = Math.min(...seen.filter(({ recall, vectors: n }) => recall >= 0.9 && n === vectors).map(({ bytes }) => bytes));
    expect(best.recallAndMemory.bytes).toBeLessThan(1.1 * fewest);
    const again = await factory(best.recallAndMemory.factory, { dimensions: D, metric: "l2" });
    expect(again.stats().factory).toBe(best.recallAndMemory.factory);
    again.close();
  });

  it("stages: ends with the last that there was time for, and with the signal", async () => {
    const many = [...ROWS, ...correlated(14_000, D, 16, 4)];
    const { vectors } = await tuneFactory(many, { dimensions: D, metric: "l2", recall: 0.9, seconds: 0 });
    expect(vectors).toBe(4950); // a quarter of 19,800
    const end = new AbortController();
    const running = tuneFactory(ROWS, { dimensions: D, signal: end.signal, onProgress: () => end.abort() });
    await expect(running).rejects.toThrow("abort");
  });

  it("refuses what it cannot compare", async () => {
    const wrong: readonly [options: TuneFactoryOptions, sentence: string][] = [
      [{ dimensions: D, metric: "hamming" }, "not hamming"],
      [{ dimensions: D, recall: 2 }, "recall is 2"],
      [{ dimensions: D, budget: 3 } as TuneFactoryOptions, 'no option "budget"'],
    ];
    for (const [options, sentence] of wrong) await expectError(() => tuneFactory(ROWS, options), "BAD_OPTION", sentence);
    await expectError(() => tuneFactory(ROWS.slice(0, 500), { dimensions: D }), "BAD_OPTION", "1000 vectors at least");
  });
});
