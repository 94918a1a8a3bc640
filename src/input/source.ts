// Streams of vectors for addAll, cut into batches.
import { badOption, show, VicinalError } from "../words/errors.js";
import { tagOf } from "../words/tag.js";
import { chosen, joined } from "./drawn.js";
import { isPromise, type Patience } from "./patience.js";
import { breath } from "./slices.js";
import { bytesFor, copyOf, isBits, oneRow, type Rows, rowElements, rowsOf, type Shape, type Vector } from "./vectors.js";

/** An item of an iterable: a vector, or a typed array of several. Copied, the source may fill it anew for the next. */
function itemRows(item: unknown, shape: Shape, index: number): Rows {
  const width = isBits(shape, item) ? rowElements(shape) : shape.dimensions;
  const length = ArrayBuffer.isView(item) ? (item as Uint8Array).length : width;
  const read = length > width && length % width === 0 ? rowsOf : oneRow;
  const name = `source[${index}]`;
  read(item, shape, name); // throws where it is none
  return read(copyOf(item as Vector), shape, name);
}

/** A slow source's vectors do not wait longer than this to be added. */
const MOST_WAIT_MS = 4;

/** Rows in batches of at most `size()`, which is asked before each. */
export function* cut(rows: Rows, size: () => number): Generator<Rows> {
  for (let from = 0, n = 0; from < rows.n; from += n) {
    const first = from;
    n = Math.min(size(), rows.n - from);
    yield chosen(rows, n, (i) => first + i);
  }
}

/** Has the source end, without waiting for long: it may be stuck. What it throws now would hide why it is ended. */
async function end(source: Iterator<unknown> | AsyncIterator<unknown>): Promise<void> {
  try {
    await Promise.race([source.return?.(), breath()]);
  } catch {}
}

/** The source's vectors in batches of about `size()`. */
export async function* batches(source: unknown, shape: Shape, size: () => number, patience: Patience): AsyncGenerator<Rows> {
  const iterable = source as Iterable<unknown> & AsyncIterable<unknown>;
  const open = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator];
  if (!open) throw badOption(`source is ${show(source)}, neither an array nor an iterable of vectors`);
  const iterator: Iterator<unknown> | AsyncIterator<unknown> = open.call(iterable);
  // Of what a Uint8Array is row by row, that of a stream from a file or a network is bytes.
  const isStream = !shape.packed && tagOf(source) === "ReadableStream";
  let waiting: Rows[] = [];
  let count = 0;
  let last = performance.now();
  let over = false;
  let late: Promise<void> | undefined;
  const all = (): Generator<Rows> => {
    const rows = joined(waiting);
    waiting = [];
    count = 0;
    late = undefined;
    return cut(rows, size);
  };
  try {
    for (let index = 0; ; index++) {
      const next = iterator.next();
      if (count && isPromise(next)) {
        late ??= new Promise((resolve) => setTimeout(resolve, MOST_WAIT_MS));
        if (!(await patience.for(Promise.race([next, late])))) yield* all();
      }
      const { value, done } = isPromise(next) ? await patience.for(next) : next;
      over = done === true;
      if (over) break;
      const item = isPromise(value) ? await patience.for(value) : value;
      if (isStream && tagOf(item) === "Uint8Array") {
        throw new VicinalError("BAD_DIMENSION", `source is a stream, cut anywhere, ${bytesFor("Float32Array")} of all of it`);
      }
      const rows = itemRows(item, shape, index);
      waiting.push(rows);
      count += rows.n;
      if (count < size() && performance.now() - last < MOST_WAIT_MS) continue;
      yield* all();
      last = performance.now();
    }
    if (count) yield* all();
  } finally {
    if (!over) await end(iterator);
  }
}
