// Streams of vectors for addAll, cut into batches.
import { show, VicinalError } from "./errors.js";
import { oneRow, type Rows, rowElements, rowsOf, type Shape } from "./vectors.js";

function part(rows: Rows, from: number, to: number): Rows {
  return {
    n: to - from,
    write: (i, view, at) => rows.write(from + i, view, at),
    value: (i, j) => rows.value(from + i, j),
    name: (i) => rows.name(from + i),
  };
}

function joined(parts: Rows[]): Rows {
  const places: [Rows, number][] = parts.flatMap((rows) => Array.from({ length: rows.n }, (_, i): [Rows, number] => [rows, i]));
  return {
    n: places.length,
    write: (i, view, at) => places[i][0].write(places[i][1], view, at),
    value: (i, j) => places[i][0].value(places[i][1], j),
    name: (i) => places[i][0].name(places[i][1]),
  };
}

/** An item of an iterable: a vector, or a typed array of several. */
function itemRows(item: unknown, shape: Shape, index: number): Rows {
  const width = shape.packed && item instanceof Uint8Array ? rowElements(shape) : shape.dimensions;
  const length = ArrayBuffer.isView(item) ? (item as Uint8Array).length : width;
  const several = length > width && length % width === 0;
  return several ? rowsOf(item, shape, `source[${index}]`) : oneRow(item, shape, `source[${index}]`);
}

function isArray(source: unknown): boolean {
  return Array.isArray(source) || ArrayBuffer.isView(source);
}

/** How many vectors there are, where the source can tell. */
export function countOf(source: unknown, shape: Shape): number | undefined {
  return isArray(source) ? rowsOf(source, shape, "source").n : undefined;
}

/** A slow source's vectors do not wait longer than this to be added. */
const MOST_WAIT_MS = 8;

/** The source's vectors in batches of about `size()`, which is asked before each. */
export async function* batches(source: unknown, shape: Shape, size: () => number): AsyncGenerator<Rows> {
  if (isArray(source)) {
    const rows = rowsOf(source, shape, "source");
    for (let from = 0; from < rows.n; ) {
      const to = Math.min(from + size(), rows.n);
      yield part(rows, from, to);
      from = to;
    }
    return;
  }
  const iterable = source as Iterable<unknown> & AsyncIterable<unknown>;
  if (!iterable?.[Symbol.asyncIterator] && !iterable?.[Symbol.iterator]) {
    throw new VicinalError("BAD_OPTION", `source is ${show(source)}, neither an array nor an iterable of vectors`);
  }
  let waiting: Rows[] = [];
  let count = 0;
  let index = 0;
  let last = performance.now();
  for await (const item of iterable) {
    const rows = itemRows(item, shape, index++);
    waiting.push(rows);
    count += rows.n;
    if (count < size() && performance.now() - last < MOST_WAIT_MS) continue;
    const all = joined(waiting);
    waiting = [];
    count = 0;
    for (let from = 0; from < all.n; ) {
      const to = Math.min(from + size(), all.n);
      yield part(all, from, to);
      from = to;
    }
    last = performance.now();
  }
  if (count) yield joined(waiting);
}
