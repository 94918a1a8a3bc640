// What is found in a document at the end of a path.

/** A member that JSON has: of an object or array, or the length and characters of a string. */
function member(owner: unknown, key: string | number): unknown {
  return Object.hasOwn(owner as object, key) ? (owner as Record<string | number, unknown>)[key] : undefined;
}

/**
 * Called with a value; undefined where there is none. `there`: it is at the end of the path, be it null. `gap`: the path names a
 * place beyond an array's end.
 */
export type Leaf = (value: unknown, there: boolean, gap: boolean) => void;

/**
 * Calls `leaf` for all that is at the end of a path: for each element of arrays on the way and at the end, at any depth, and then
 * for the array itself. A key that is a number is a place in an array. What is null or missing on the way ends it. An
 * array has no members of other names: these are not called for.
 */
export function eachLeaf(data: unknown, keys: readonly string[], leaf: Leaf): void {
  walk(data, keys, 0, undefined, undefined, leaf);
}

function walk(given: unknown, keys: readonly string[], depth: number, key: string | undefined, owner: unknown, leaf: Leaf): void {
  const item = plain(given);
  const next = keys[depth];
  if (Array.isArray(item) && Number.isNaN(Number(next)) && next !== "length") {
    for (const element of item) walk(element ?? null, keys, depth, undefined, undefined, leaf);
  }
  if (depth < keys.length && item !== null && item !== undefined) {
    walk(member(item, next), keys, depth + 1, next, item, leaf);
  } else if (item === undefined && Array.isArray(owner)) {
    if (!Number.isNaN(Number(key))) leaf(undefined, false, true);
  } else leaf(item, item !== undefined && depth === keys.length, false);
}

/** As JSON has it: dates are strings, what is no number is null, what JSON leaves out is missing. */
function plain(value: unknown): unknown {
  switch (typeof value) {
    case "object":
      return value !== null && typeof (value as Date).toJSON === "function" ? (value as Date).toJSON() : value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "string":
    case "boolean":
      return value;
  }
  return undefined;
}
