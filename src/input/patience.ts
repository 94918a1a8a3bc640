// Waiting for others: for a caller's source, a caller's fetchVectors, or other work on the same index. They may never answer,
// so that whoever waits must hear when the signal aborts or the index is closed.

import { heed } from "../words/options.js";

/** What may be closed. */
export interface Closable {
  /** Throws once it is closed. */
  readonly engine: unknown;
  /** Each is called when it is closed. */
  readonly waiting: Set<() => void>;
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === "object" && typeof (value as Promise<unknown>).then === "function";
}

/** One thing after the other is waited for; `end()` when there is nothing more to wait for. */
class Patience {
  readonly #of: Closable;
  readonly #signal: AbortSignal | undefined;
  #reject: (reason: unknown) => void = () => {};

  constructor(of: Closable, signal: AbortSignal | undefined) {
    this.#of = of;
    this.#signal = signal;
    of.waiting.add(this.#stop);
    signal?.addEventListener("abort", this.#stop);
  }

  /** Throws where there is no reason to go on. */
  check(): void {
    heed(this.#signal);
    this.#of.engine;
  }

  readonly #stop = (): void => {
    try {
      this.check();
    } catch (error) {
      this.#reject(error);
    }
  };

  /** What `other` comes to; rejects at once where check() would throw. */
  async for<T>(other: T | PromiseLike<T>): Promise<T> {
    const result = await new Promise<T>((resolve, reject) => {
      this.#reject = reject;
      Promise.resolve(other).then(resolve, reject);
      this.#stop(); // asking may have ended it
    });
    this.check();
    return result;
  }

  end(): void {
    this.#of.waiting.delete(this.#stop);
    this.#signal?.removeEventListener("abort", this.#stop);
  }
}

export type { Patience };

/** Work that waits for others. */
export async function patiently<T>(
  of: Closable,
  signal: AbortSignal | undefined,
  work: (patience: Patience) => Promise<T>,
): Promise<T> {
  const patience = new Patience(of, signal);
  try {
    patience.check();
    return await work(patience);
  } finally {
    patience.end();
  }
}
