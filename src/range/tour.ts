// An order of lists in which those beside each other are near: ranges of a search's lists are then few. From one centroid always on to the
// nearest that is left.

/** The numbers of n rows of so many dimensions, in such an order. */
export function tourOf(rows: Float32Array, dimensions: number): Uint32Array {
  const n = rows.length / dimensions;
  const tour = new Uint32Array(n);
  const left = Uint32Array.from({ length: n }, (_, i) => i);
  let at = 0;
  for (let i = 0, count = n; i < n; i++) {
    tour[i] = left[at];
    left[at] = left[--count];
    let nearest = Infinity;
    const from = tour[i] * dimensions;
    for (let j = 0; j < count; j++) {
      const distance = squaredWithin(rows, from, left[j] * dimensions, dimensions, nearest);
      if (distance >= nearest) continue;
      nearest = distance;
      at = j;
    }
  }
  return tour;
}

/** Dimensions summed up before a look whether it is too far already. */
const STRIDE = 16;

/** The squared distance of two rows, or what is not below `bound`. */
function squaredWithin(rows: Float32Array, a: number, b: number, dimensions: number, bound: number): number {
  let sum = 0;
  for (let i = 0; i < dimensions && sum < bound; ) {
    for (const end = Math.min(i + STRIDE, dimensions); i < end; i++) sum += (rows[a + i] - rows[b + i]) ** 2;
  }
  return sum;
}
