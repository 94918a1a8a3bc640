// Who may use a memory that threads share, and when: any number that read, or one that changes it. Each reader has a word of its own, on
// a cache line of its own, so that readers do not disturb each other, and one that has died can be let go by its number.
//
//   word 0       1: changes are made, or wait for the last readers
//   word 16      changes so far
//   word 32 ...  a reader each, every 16 words: IDLE, READING, or WAITING for the changes to end
//
// The one that changes gives way to all who wait before it begins again: without that, a thread that adds one slice after the other
// would have the lock back before a reader has woken up.

/** i32 of a cache line. */
const LINE = 16;
const CHANGING = 0;
const CHANGES = LINE;
const READERS = 2 * LINE;
const IDLE = 0;
const READING = 1;
const WAITING = 2;
/** A reader that does not come although it could has died, or its thread gets no time. */
const PATIENCE_MS = 5;

export type LockWords = Int32Array<SharedArrayBuffer>;

export function newLock(readers: number): LockWords {
  return new Int32Array(new SharedArrayBuffer(4 * (READERS + readers * LINE)));
}

const wordOf = (reader: number): number => READERS + reader * LINE;

/** Of a thread that reads. Its waits block, as those of a worker may. */
export class ReadLock {
  readonly #words: LockWords;
  readonly #own: number;

  constructor(words: LockWords, reader: number) {
    this.#words = words;
    this.#own = wordOf(reader);
  }

  /** Waits until nothing is being changed; returns how many changes there have been. */
  enter(): number {
    const words = this.#words;
    for (let waited = false; ; waited = true) {
      Atomics.store(words, this.#own, READING);
      if (waited) Atomics.notify(words, this.#own); // whoever gives way to it
      if (Atomics.load(words, CHANGING) === 0) return Atomics.load(words, CHANGES);
      Atomics.store(words, this.#own, WAITING);
      Atomics.notify(words, this.#own);
      Atomics.wait(words, CHANGING, 1);
    }
  }

  leave(): void {
    Atomics.store(this.#words, this.#own, IDLE);
    if (Atomics.load(this.#words, CHANGING)) Atomics.notify(this.#words, this.#own);
  }
}

/** Of the thread that changes. */
export class WriteLock {
  readonly #words: LockWords;

  constructor(words: LockWords) {
    this.#words = words;
  }

  /** Waits until nobody reads. */
  enter(): void {
    const words = this.#words;
    for (let own = READERS; own < words.length; own += LINE) Atomics.wait(words, own, WAITING, PATIENCE_MS);
    Atomics.store(words, CHANGING, 1);
    for (let own = READERS; own < words.length; own += LINE) {
      while (Atomics.load(words, own) === READING) Atomics.wait(words, own, READING);
    }
  }

  leave(): void {
    Atomics.add(this.#words, CHANGES, 1);
    Atomics.store(this.#words, CHANGING, 0);
    Atomics.notify(this.#words, CHANGING);
  }
}

/** A reader has died. */
export function letGo(words: LockWords, reader: number): void {
  Atomics.store(words, wordOf(reader), IDLE);
  Atomics.notify(words, wordOf(reader));
}

/** Whether changes are being made: if whoever makes them has died, what all read is not whole. */
export function isChanging(words: LockWords): boolean {
  return Atomics.load(words, CHANGING) !== 0;
}
