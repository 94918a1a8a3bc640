// What is added to an index in a worker: pieces of vectors, which the worker asks for one by one, so that no more of them are on their way
// than it takes.
import { type Closable, patiently } from "../input/patience.js";
import { batches, cut } from "../input/source.js";
import { checkId, isArray, type Rows, rowElements, rowsOf, type Shape } from "../input/vectors.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import type { Piece } from "./words.js";

/** Bytes of a piece, about. */
const PIECE_BYTES = 256 << 10;

/** Rows as a typed array of their own. */
export function plainRows(rows: Rows, shape: Shape, from = 0, to = rows.n): Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer> {
  const width = rowElements(shape);
  const plain = new (shape.packed ? Uint8Array : Float32Array)((to - from) * width);
  for (let i = from; i < to; i++) rows.write(i, plain, (i - from) * width);
  return plain;
}

/** A piece that is asked for, or given, first. */
class Place {
  readonly piece: Promise<Piece | undefined>;
  readonly taken: Promise<void>;
  give!: (piece: Piece | undefined) => void;
  fail!: (error: unknown) => void;
  #take!: () => void;
  #left: number;

  constructor(takers: number) {
    this.#left = takers;
    this.piece = new Promise((resolve, reject) => {
      this.give = resolve;
      this.fail = reject;
    });
    this.taken = new Promise((resolve) => {
      this.#take = resolve;
    });
    this.piece.catch(() => {}); // perhaps nobody asks any more
  }

  take(): Promise<Piece | undefined> {
    if (--this.#left === 0) this.#take();
    return this.piece;
  }
}

/** Between one that has vectors and the workers that each take all of them. */
export class Feed {
  readonly #takers: number;
  readonly #places = new Map<number, Place>();
  #given = 0;
  #stop: (why: unknown) => void = () => {};
  readonly #stopped: Promise<never>;

  constructor(takers: number) {
    this.#takers = takers;
    this.#stopped = new Promise((_, reject) => {
      this.#stop = reject;
    });
    this.#stopped.catch(() => {});
  }

  #at(number: number): Place {
    let place = this.#places.get(number);
    if (!place) {
      place = new Place(this.#takers);
      this.#places.set(number, place);
    }
    return place;
  }

  /** Of a worker: the piece of this number; undefined after the last. */
  piece(number: number): Promise<Piece | undefined> {
    return this.#at(number).take();
  }

  /** Resolves once all have taken it; rejects where they take nothing more. */
  async give(piece: Piece): Promise<void> {
    const number = this.#given++;
    const place = this.#at(number);
    place.give(piece);
    await Promise.race([place.taken, this.#stopped]);
    this.#places.delete(number);
  }

  /** After the last. */
  end(): void {
    this.#at(this.#given).give(undefined);
  }

  fail(error: unknown): void {
    this.#at(this.#given).fail(error);
  }

  /** Nobody takes anything more. */
  stop(why: unknown): void {
    this.#stop(why);
  }
}

/** Calls `take` with all vectors, piece by piece, and their ids where there are any. What it throws ends the source. */
export function inPieces(
  source: unknown,
  given: Iterable<number> | undefined,
  shape: Shape,
  pool: Closable,
  signal: AbortSignal | undefined,
  take: (piece: Piece) => Promise<void>,
): Promise<void> {
  if (given !== undefined && typeof given?.[Symbol.iterator] !== "function") {
    throw badOption(`ids is ${show(given)}; it must be an iterable of ids`);
  }
  const rows = isArray(source) ? rowsOf(source, shape, "source") : undefined;
  const ids = given?.[Symbol.iterator]();
  const size = (): number => Math.max(Math.floor(PIECE_BYTES / (4 * rowElements(shape))), 1);
  let done = 0;
  const nextId = (iterator: Iterator<number>): number => {
    const { value, done: over } = iterator.next();
    if (over) throw new VicinalError("BAD_ID", `ids ends after ${done} values, before the vectors do`);
    return checkId(value, `ids[${done++}]`);
  };
  return patiently(pool, signal, async (patience) => {
    for await (const some of rows ? cut(rows, size) : batches(source, shape, size, patience)) {
      const own = ids && Uint32Array.from({ length: some.n }, () => nextId(ids));
      await patience.for(take({ rows: plainRows(some, shape), ids: own }));
    }
    if (ids && !ids.next().done) throw new VicinalError("BAD_ID", `ids has more values than the ${done} vectors`);
  }).finally(() => ids?.return?.());
}
