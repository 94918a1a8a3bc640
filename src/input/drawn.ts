// Rows of rows: some of them, or several together.
import type { Rows } from "./vectors.js";

/** n vectors, of which number i is number j of some rows. */
function drawn(n: number, find: (i: number) => [Rows, j: number], dimensions: number): Rows {
  return {
    n,
    write(i, view, at) {
      const [rows, j] = find(i);
      rows.write(j, view, at);
    },
    value(i, k) {
      const [rows, j] = find(i);
      return rows.value(j, k);
    },
    name(i) {
      const [rows, j] = find(i);
      return rows.name(j);
    },
    dimensions,
  };
}

/** n of the rows: number i is the row at(i). */
export function chosen(rows: Rows, n: number, at: (i: number) => number): Rows {
  return drawn(n, (i) => [rows, at(i)], rows.dimensions);
}

/** All of the first, then all of the second ... */
export function joined(parts: readonly Rows[]): Rows {
  const ends: number[] = [];
  let n = 0;
  for (const rows of parts) ends.push((n += rows.n));
  const find = (i: number): [Rows, number] => {
    let low = 0;
    for (let high = ends.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (ends[middle] > i) high = middle;
      else low = middle + 1;
    }
    return [parts[low], i - (ends[low] - parts[low].n)];
  };
  return drawn(n, find, parts[0].dimensions);
}
