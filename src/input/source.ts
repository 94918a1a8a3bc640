// Streams of vectors for addAll, cut into batches.
import { badOption, show } from "../words/errors.js";
import { chosen, joined, oneRow, type Rows, rowElements, rowsOf, type Shape } from "./vectors.js";

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

/** Rows in batches of at most `size()`, which is asked before each. */
function* cut(rows: Rows, size: () => number): Generator<Rows> {
  for (let from = 0, n = 0; from < rows.n; from += n) {
    const first = from;
    n = Math.min(size(), rows.n - from);
    yield chosen(rows, n, (i) => first + i);
  }
}

/** The source's vectors in batches of about `size()`. */
export async function* batches(source: unknown, shape: Shape, size: () => number): AsyncGenerator<Rows> {
  if (isArray(source)) {
    yield* cut(rowsOf(source, shape, "source"), size);
    return;
  }
  const iterable = source as Iterable<unknown> & AsyncIterable<unknown>;
  if (!iterable?.[Symbol.asyncIterator] && !iterable?.[Symbol.iterator]) {
    throw badOption(`source is ${show(source)}, neither an array nor an iterable of vectors`);
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
    yield* cut(all, size);
    last = performance.now();
  }
  if (count) yield joined(waiting);
}
