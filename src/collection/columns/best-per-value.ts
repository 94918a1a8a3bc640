import type { Value } from "./column.js";

/** The nearest hit of those that have a value. */
export interface BestHit<Hit> {
  readonly value: Value;
  readonly hit: Hit;
}

/**
 * The first hit of each value, for at most k values, in order of the hits: the nearest, where hits come by distance. As in Qdrant, a
 * document whose field is an array is in the group of each element, so it may be the best of several, and one that has no value
 * there (null, missing, an object) is in none. "1" and 1 are two values.
 *
 * Where fewer than k come of it although there were more documents than hits, `beyond` makes the expression of those that can still
 * lead a group: so each further search finds a new value at least.
 */
export function bestPerValue<Hit>(hits: Iterable<Hit>, k: number, valuesOf: (hit: Hit) => readonly Value[]): BestHit<Hit>[] {
  const best = new Map<Value, Hit>();
  for (const hit of hits) {
    for (const value of valuesOf(hit)) {
      if (!best.has(value)) best.set(value, hit);
      if (best.size === k) return found(best);
    }
  }
  return found(best);
}

function found<Hit>(best: ReadonlyMap<Value, Hit>): BestHit<Hit>[] {
  return Array.from(best, ([value, hit]) => ({ value, hit }));
}
