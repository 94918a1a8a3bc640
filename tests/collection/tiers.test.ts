// What keeps searches and changes even while vectors are on their way: by the parts that see to it.
import { Flat, type VectorIndex } from "vicinal";
import { describe, expect, it } from "vitest";
import type { Documents } from "../../src/collection/documents.js";
import { Passing } from "../../src/collection/passing.js";
import { type Chores, Tending } from "../../src/collection/tending.js";
import { Tiers } from "../../src/collection/tiers.js";

const COUNT = 100;

/** Slots 0 to 99 in the main tier, at 0 to 99 on a line. */
async function tiersOf(): Promise<Tiers> {
  const create = () => Flat.create({ dimensions: 1, metric: "l2" });
  const [fresh, main] = [await create(), await create()];
  main.add(Float32Array.from({ length: COUNT }, (_, i) => i));
  const tiers = new Tiers(fresh as never, main as never);
  tiers.settle(COUNT, () => true);
  return tiers;
}

const wordsOf = (passes: (slot: number) => boolean): Uint32Array => {
  const words = new Uint32Array((COUNT + 31) >>> 5);
  for (let slot = 0; slot < COUNT; slot++) if (passes(slot)) words[slot >>> 5] |= 1 << (slot & 31);
  return words;
};

describe("a main tier that must not change", () => {
  it("leaves out whatever has gone, however much that is, with a filter and without", async () => {
    const tiers = await tiersOf();
    tiers.frozen = true;
    const even = new Passing(
      wordsOf((slot) => slot % 2 === 0),
      50,
    );
    const found = (passing?: Passing): number[] => tiers.search([0], 3, passing, {}).map(({ id }) => id);
    for (const gone of [0, 5, 40, 41, 42, 70]) {
      tiers.drop(Array.from({ length: gone }, (_, i) => i));
      const first = gone + (gone % 2);
      expect(found()).toEqual([gone, gone + 1, gone + 2]);
      expect(found(even)).toEqual([first, first + 2, first + 4]);
      expect(found()).toEqual([gone, gone + 1, gone + 2]);
    }
    expect(tiers.main?.size).toBe(COUNT);
    tiers.thaw();
    expect(tiers.main?.size).toBe(30);
    expect(found()).toEqual([70, 71, 72]);
    tiers.close();
  });
});

it("slices are short while somebody searches", async () => {
  const tiers = await tiersOf();
  const usual = tiers.sliceMs();
  tiers.search([0], 1, undefined, {});
  expect(tiers.sliceMs()).toBeLessThan(usual / 2);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(tiers.sliceMs()).toBe(usual);
  tiers.close();
});

describe("a filter for both tiers", () => {
  it("is prepared once for each", () => {
    const open = new Set<string>();
    const indexOf = (name: string): VectorIndex =>
      ({
        size: 5000,
        prepareFilter: () => {
          expect(open.has(name)).toBe(false);
          open.add(name);
          return { close: () => open.delete(name) };
        },
      }) as unknown as VectorIndex;
    const [fresh, main, next] = ["fresh", "main", "next"].map(indexOf) as never[];
    const passing = new Passing(new Uint32Array(4), 0);
    for (let i = 0; i < 3; i++) for (const index of [fresh, main]) passing.for(index);
    expect([...open]).toEqual(["fresh", "main"]);
    for (let i = 0; i < 2; i++) passing.for(next);
    expect([...open]).toEqual(["main", "next"]);
    passing.close();
    expect(open.size).toBe(0);
  });
});

describe("changes", () => {
  it("wait while too much waits for a main tier, and go on when it is there", async () => {
    const tiers = { waiting: 0, touched: undefined as Set<number> | undefined };
    const documents = { tiers, shape: { dimensions: 1024, packed: false } } as unknown as Documents;
    const tending = new Tending(documents, {} as never, {} as Chores);
    expect(tending.room()).toBeUndefined();
    tiers.waiting = 20_000;
    expect(tending.room()).toBeUndefined();
    tiers.touched = new Set();
    let went = false;
    const room = tending.room()?.then(() => {
      went = true;
    });
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve));
    expect(went).toBe(false);
    tiers.touched = undefined;
    await room;
    expect(went).toBe(true);
    tiers.touched = new Set();
    tiers.waiting = 10_000;
    expect(tending.room()).toBeUndefined();
  });
});
