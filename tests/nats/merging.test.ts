// Hits of several places become one list: as sorting all of them would have it.
import fc from "fast-check";
import { expect, it } from "vitest";
import { compareIds, mergeHits } from "../../src/search/merging.js";

interface Hit {
  readonly id: string | number;
  readonly distance: number;
  readonly group?: unknown;
}

const ids = fc.oneof(fc.integer({ min: -5, max: 50 }), fc.string({ maxLength: 3 }));
const distances = fc.oneof(fc.integer({ min: 0, max: 6 }), fc.double({ min: -2, max: 2, noNaN: true }));
const groups = fc.constantFrom<unknown>("1", 1, "a", true, 2.5);
const byDistance = (a: Hit, b: Hit): number => a.distance - b.distance || compareIds(a.id, b.id);
const scattered = (documents: readonly Hit[], places: number): Hit[][] =>
  Array.from({ length: places }, (_, place) => documents.filter((_, i) => i % places === place).sort(byDistance));
const documentsWith = (group: fc.Arbitrary<unknown>): fc.Arbitrary<Hit[]> =>
  fc
    .uniqueArray(fc.record({ id: ids, distance: distances, group }), { maxLength: 60, selector: ({ id }) => id })
    .map((list) => list.map(({ group, ...hit }) => (group === undefined ? hit : { ...hit, group })));

it("the nearest k of all, whatever place each is in", () => {
  fc.assert(
    fc.property(
      documentsWith(fc.constant(undefined)),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 70 }),
      (all, places, k) => {
        const lists = scattered(all, places).map((list) => list.slice(0, k));
        expect(mergeHits(lists, k)).toEqual([...all].sort(byDistance).slice(0, k));
        expect(mergeHits(scattered(all, places), undefined)).toEqual([...all].sort(byDistance));
      },
    ),
  );
});

it("the nearest of each of k groups", () => {
  const grouped = (hits: readonly Hit[], k: number): Hit[] => {
    const first = new Map<unknown, Hit>();
    for (const hit of [...hits].sort(byDistance)) if (!first.has(hit.group)) first.set(hit.group, hit);
    return [...first.values()].slice(0, k);
  };
  fc.assert(
    fc.property(documentsWith(groups), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 6 }), (all, places, k) => {
      const lists = scattered(all, places).map((list) => grouped(list, k));
      expect(mergeHits(lists, k)).toEqual(grouped(all, k));
    }),
  );
});

it("ids are in one order: numbers, then strings by their code units", () => {
  expect(["b", 2, "10", 10, "", -1, "a"].sort(compareIds)).toEqual([-1, 2, 10, "", "10", "a", "b"]);
  expect(mergeHits([[], []], 3)).toEqual([]);
});
