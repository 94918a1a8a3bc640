// Arrays over slots. They grow by a quarter, not by half: a collection keeps several, for all its documents.

interface Sizable<T> {
  readonly length: number;
  set(from: T): void;
}

const LEAST = 64;

/** The same array, or one with room for `n` that begins like it. */
export function grown<T extends Sizable<T>>(array: T, n: number): T {
  if (n <= array.length) return array;
  const Type = array.constructor as new (length: number) => T;
  const larger = new Type(Math.max(n, LEAST, Math.ceil(array.length * 1.25)));
  larger.set(array);
  return larger;
}
