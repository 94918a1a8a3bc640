// Hits of several places that have documents of their own, each list nearest first, become one.
import type { Found } from "./searchable.js";

/** Numbers before strings, which are in order of their UTF-16 code units. */
export function compareIds(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The nearest k, all of them where k is undefined: by distance, equal ones by id. Hits with a `group` are the nearest of their groups
 * in their list, and one of each group stays: with k groups from each place none is missed.
 *
 * Lists that were cut at k among equal distances may lack the ids that would have come first.
 */
export function mergeHits<Hit extends Found<string | number> & { readonly group?: unknown }>(
  lists: readonly (readonly Hit[])[],
  k: number | undefined,
): Hit[] {
  const all = lists.flat().sort((a, b) => a.distance - b.distance || compareIds(a.id, b.id));
  if (all[0]?.group === undefined) return k === undefined ? all : all.slice(0, k);
  const groups = new Map<unknown, Hit>();
  for (const hit of all) {
    if (groups.size === k) break;
    if (!groups.has(hit.group)) groups.set(hit.group, hit);
  }
  return [...groups.values()];
}
