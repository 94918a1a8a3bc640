// What is added to an index in workers: pieces of vectors, which the workers ask for one by one, so that no more of them are on their way
// than are taken.
import { endIds, idsInTurn, nextIds } from "../input/given-ids.js";
import { type Closable, patiently } from "../input/patience.js";
import { batches, cut } from "../input/source.js";
import { type Rows, rowElements, type Shape } from "../input/vectors.js";
import type { Piece } from "./words.js";

/** Bytes of a piece, about. */
const PIECE_BYTES = 256 << 10;
/** Vectors of the first; of the next up to twice as many. */
const FIRST_PIECE = 8;

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
  readonly takenBy = new Set<object>();
  give!: (piece: Piece | undefined) => void;
  fail!: (error: unknown) => void;
  take!: () => void;

  constructor() {
    this.piece = new Promise((resolve, reject) => {
      this.give = resolve;
      this.fail = reject;
    });
    this.taken = new Promise((resolve) => {
      this.take = resolve;
    });
    this.piece.catch(() => {}); // perhaps nobody asks any more
  }
}

/** Between one that has vectors and the workers that each take all of them. */
export class Feed {
  readonly #takers: Set<object>;
  readonly #places = new Map<number, Place>();
  readonly #stop = new AbortController();
  #given = 0;

  constructor(takers: Iterable<object>) {
    this.#takers = new Set(takers);
  }

  /** Aborts when nobody takes anything more. */
  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  #at(number: number): Place {
    let place = this.#places.get(number);
    if (!place) {
      place = new Place();
      this.#places.set(number, place);
    }
    return place;
  }

  /** The piece of this number, for one of the takers; undefined after the last. */
  piece(number: number, taker: object): Promise<Piece | undefined> {
    const place = this.#at(number);
    place.takenBy.add(taker);
    this.#check(place);
    return place.piece;
  }

  /** A taker has died. */
  leave(taker: object): void {
    this.#takers.delete(taker);
    for (const place of this.#places.values()) this.#check(place);
  }

  #check(place: Place): void {
    if ([...this.#takers].every((taker) => place.takenBy.has(taker))) place.take();
  }

  /** Resolves once all have taken it. */
  async give(piece: Piece): Promise<void> {
    const number = this.#given++;
    const place = this.#at(number);
    place.give(piece);
    await place.taken;
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
    this.#stop.abort(why);
  }
}

/**
 * Calls `take` with all vectors, piece by piece, and their ids where there are any; of an array `rows` are known. What it throws ends the
 * source, and so does the signal.
 */
export async function inPieces(
  source: unknown,
  rows: Rows | undefined,
  given: Iterable<number> | undefined,
  shape: Shape,
  pool: Closable,
  signal: AbortSignal,
  take: (piece: Piece) => Promise<void>,
): Promise<void> {
  const ids = idsInTurn(given);
  const most = Math.max(Math.floor(PIECE_BYTES / (4 * rowElements(shape))), 1);
  // As with an index: the first of a slow source are there at once.
  let next = FIRST_PIECE;
  const size = (): number => {
    const now = Math.min(next, most);
    next = 2 * now;
    return now;
  };
  let done = 0;
  try {
    await patiently(pool, signal, async (patience) => {
      for await (const some of rows ? cut(rows, size) : batches(source, shape, size, patience)) {
        const own = ids && nextIds(ids, some.n, done);
        done += some.n;
        await patience.for(take({ rows: plainRows(some, shape), ids: own }));
      }
      endIds(ids, done);
    });
  } finally {
    ids?.return?.();
  }
}
