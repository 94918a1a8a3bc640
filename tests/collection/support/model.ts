// What a collection should be: a Map. And ways to tell whether it is.

import type { Collection, DocumentId } from "vicinal/collection";
import { expect } from "vitest";

export interface Kept {
  vector: number[];
  data: Record<string, unknown>;
}
export type Model = Map<DocumentId, Kept>;

export const DIMENSIONS = 3;

const square = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0);

/** Distances of the k nearest that pass. */
function nearest(model: Model, query: readonly number[], k: number, passes: (kept: Kept) => boolean): number[] {
  const distances = [...model.values()].filter(passes).map(({ vector }) => Math.sqrt(square(vector, query)));
  return distances.sort((a, b) => a - b).slice(0, k);
}

/** The whole collection against the whole model, and a search of each form. */
export async function expectEqual(collection: Collection, model: Model, query: readonly number[]): Promise<void> {
  expect(collection.size).toBe(model.size);
  const seen: Model = new Map();
  for await (const { id, data, vector } of collection.scan({ vectors: true })) {
    seen.set(id, { vector: Array.from(vector as Float32Array), data });
  }
  expect(seen).toEqual(model);
  // A byte per value is an estimate.
  const exact = (await collection.stats()).main?.codec !== "sq8";
  const all = () => true;
  const even = ({ data }: Kept): boolean => data.n === 0;
  for (const [passes, where] of [
    [all, undefined],
    [even, { n: 0 }],
  ] as const) {
    const hits = await collection.search(query, { k: 5, exact: true, ...(where && { where }) });
    const distances = nearest(model, query, 5, passes);
    if (exact) expect(hits.map(({ distance }) => distance)).toEqual(distances);
    expect(hits.length).toBe(distances.length);
    for (const { id, distance, data } of hits) {
      const kept = model.get(id) as Kept;
      expect(data).toEqual(kept.data);
      if (exact) expect(distance).toBe(Math.sqrt(square(kept.vector, query)));
      expect(passes(kept)).toBe(true);
    }
  }
  expect(await collection.count({ where: { n: 0 } })).toBe([...model.values()].filter(even).length);
}
