// The forms in which ids that pass can be given.
import type { FilterSource } from "vicinal";

/** Least significant bit first. */
export function bitset(ids: Iterable<number>): Uint8Array {
  const all = [...ids];
  const bits = new Uint8Array(all.length ? (Math.max(...all) >>> 3) + 1 : 0);
  for (const id of all) bits[id >>> 3] |= 1 << (id & 7);
  return bits;
}

export const FORMS = {
  array: (ids) => [...ids],
  Uint32Array: (ids) => Uint32Array.from(ids),
  Set: (ids) => new Set(ids),
  bitset: (ids) => bitset(ids),
  predicate: (ids) => {
    const set = new Set(ids);
    return (id) => set.has(id);
  },
} as const satisfies Record<string, (ids: Iterable<number>) => FilterSource>;

export const FORM_NAMES = Object.keys(FORMS) as (keyof typeof FORMS)[];
