// Seeded choices: the same sample from the same index.

/** A whole number of 32 bits from another, well mixed: the finisher of MurmurHash3 (Appleby). */
export function mixed(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Uniform in [0, 1), one after the other. */
export function uniform(seed: number): () => number {
  let state = mixed(seed ^ 0x9e3779b9);
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    return mixed(state) / 2 ** 32;
  };
}

/** n different ones of a list, or all of them. */
export function someOf<T>(list: ArrayLike<T>, n: number, seed: number): T[] {
  const next = uniform(seed);
  const places = Uint32Array.from({ length: list.length }, (_, i) => i);
  const count = Math.min(n, places.length);
  for (let i = 0; i < count; i++) {
    const j = i + Math.floor(next() * (places.length - i));
    [places[i], places[j]] = [places[j], places[i]];
  }
  return Array.from(places.subarray(0, count), (place) => list[place]);
}
