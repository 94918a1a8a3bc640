// Sets on which graphs go astray (bench/kit/hard-sets.mjs), some draws of each kind in every layout; `npm run bench:hard` has more.
import fc from "fast-check";
import { Hnsw } from "vicinal";
import { beforeAll, describe, expect, it } from "vitest";
import {
  HARD_GATES,
  HARD_LAYOUTS,
  HARD_METRICS,
  type HardResult,
  measureHard,
  YARDSTICK,
} from "../../bench/kit/hard-measure.mjs";
import { drawSet, HARD_SETS } from "../../bench/kit/hard-sets.mjs";
import { unreachable } from "../support/reach.js";
import { thorough } from "../support/thorough.js";
import { tightest } from "../support/tightest.js";

const DRAW = fc.record({ seed: fc.nat(), metric: fc.constantFrom(...Object.keys(HARD_METRICS)) });

/** Where the gates are not reached yet: the least recall there, of all layouts, and what may find nothing. By set and metric. */
const KNOWN: Readonly<Record<string, { readonly recall: number; readonly blind: number }>> = {
  "tight clusters dot, augment": { recall: 0.94, blind: 0 },
  "tight clusters cosine": { recall: 0.966, blind: 0 },
  "curve dot, augment": { recall: 0.98, blind: 0 },
  "sheet dot, augment": { recall: 0.98, blind: 0 },
};

const FEW = HARD_SETS.filter((_, i) => i % 4 === 0);

describe.each(thorough(FEW, HARD_SETS))("%s", (name) => {
  const place = HARD_SETS.indexOf(name);
  const draws = fc.sample(fc.noBias(DRAW), { seed: place, numRuns: thorough(1, 5) }).map(({ seed, metric }) => ({
    seed,
    metric,
    set: drawSet(name, seed),
  }));
  const yardsticks: HardResult[] = [];
  beforeAll(async () => {
    for (const { set, metric } of draws) yardsticks.push(await measureHard(set, YARDSTICK, metric));
  });

  it.each(Object.keys(HARD_LAYOUTS))("%s", async (layout) => {
    for (const [i, { seed, metric, set }] of draws.entries()) {
      const yardstick = yardsticks[i];
      const found = layout === YARDSTICK ? yardstick : await measureHard(set, layout, metric);
      const what = `${name} ${seed}, ${metric}: ${JSON.stringify(found)}, ${YARDSTICK} ${JSON.stringify(yardstick)}`;
      const known = KNOWN[`${name} ${metric}`];
      const least = known?.recall ?? Math.max(HARD_GATES.recall, yardstick.recall - HARD_GATES.below);
      expect.soft(found.recall, what).toBeGreaterThanOrEqual(least);
      expect.soft(found.blind, what).toBeLessThanOrEqual(known?.blind ?? HARD_GATES.blind);
      expect.soft(found.unreachable, what).toBeLessThanOrEqual(HARD_GATES.unreachable);
    }
  });
});

it("a name and a seed are one set, of 60 queries and more rows than are linked at once", () => {
  for (const name of HARD_SETS) {
    const set = drawSet(name, 7);
    expect(drawSet(name, 7)).toEqual(set);
    expect(set.queries.length).toBe(60);
    expect(set.rows.length).toBeGreaterThan(512);
    expect(set.rows.length).toBeLessThanOrEqual(4100);
    expect([...set.rows, ...set.queries].every((row) => row.length === set.dimensions && row.every(Number.isFinite))).toBe(true);
  }
});

it.each([false, true])("stats() count what no walk reaches, fastScan %s", async (fastScan) => {
  const { dimensions, rows } = drawSet("every tenth zero", 2);
  const index = await Hnsw.create({ dimensions, metric: "l2", m: 4, efConstruction: 10, fastScan });
  for (let i = 0; i < rows.length; i += 100) {
    index.add(rows.slice(i, i + 100));
    expect(index.stats().unreachable).toBe(unreachable(index));
  }
  index.remove(Uint32Array.from({ length: rows.length / 2 }, (_, i) => 2 * i));
  expect(index.stats().unreachable).toBe(unreachable(index));
  expect(index.stats().bytes).toBe(index.bytes);
});

it("stats() count where there is hardly any memory left", async () => {
  const rows = Array.from({ length: 200_000 }, (_, i) => Float32Array.of(i));
  const options = { dimensions: 1, metric: "l2", m: 2, efConstruction: 1 } as const;
  const roomy = await Hnsw.create(options);
  roomy.add(rows);
  const tight = await tightest((maxBytes) => Hnsw.create({ ...options, maxBytes }), rows, roomy.bytes, 2 ** 18);
  expect(tight.stats().unreachable).toBe(roomy.stats().unreachable);
  expect(tight.search(rows[7], { k: 1 })).toEqual(roomy.search(rows[7], { k: 1 }));
});
