// A storage that another thread has.

import type { Wire } from "../border/wire.js";
import type { Storage, StoredFile } from "../storage/storage.js";
import type { Bytes } from "../words/arrays.js";
import type { Verb, Wanted } from "./start.js";

/** In a worker: a storage whose calls go to the thread that has it, in their order. */
export class AskedStorage implements Storage {
  constructor(
    readonly place: string,
    readonly wire: Wire,
  ) {}

  list(): Promise<readonly StoredFile[]> {
    return this.#ask("list", []);
  }

  read(name: string, from?: number, to?: number): Promise<Bytes> {
    return this.#ask("read", [name, from, to]);
  }

  append(name: string, bytes: Uint8Array): Promise<void> {
    return this.#give("append", name, bytes);
  }

  sync(name: string): Promise<void> {
    return this.#ask("sync", [name]);
  }

  truncate(name: string, bytes: number): Promise<void> {
    return this.#ask("truncate", [name, bytes]);
  }

  swap(name: string, bytes: Uint8Array): Promise<void> {
    return this.#give("swap", name, bytes);
  }

  remove(name: string): Promise<void> {
    return this.#ask("remove", [name]);
  }

  async lock(): Promise<() => Promise<void>> {
    await this.#ask("lock", []);
    return () => this.#ask("release", []);
  }

  close(): Promise<void> {
    return this.#ask("close", []);
  }

  #ask<T>(verb: Verb, args: readonly unknown[], transfer: readonly ArrayBuffer[] = []): Promise<T> {
    return this.wire.ask({ call: "storage", verb, args } satisfies Wanted, {}, transfer) as Promise<T>;
  }

  /** Copied here, and moved there: of bytes that lie in a memory as large as an index all of it would be copied. */
  #give(verb: Verb, name: string, bytes: Uint8Array): Promise<void> {
    const own = bytes.slice();
    return this.#ask(verb, [name, own], [own.buffer]);
  }
}

/** In the thread that has it: what the worker asks of it. */
export class LentStorage {
  readonly #storage: Storage;
  #release: (() => Promise<void>) | undefined;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Calls the storage at once, so that calls keep their order. */
  async answer(verb: Verb, args: readonly unknown[]): Promise<unknown> {
    if (verb === "lock") {
      this.#release = await this.#storage.lock();
      return undefined;
    }
    if (verb === "release") return this.#unlock();
    return (this.#storage[verb] as (...args: readonly unknown[]) => unknown)(...args);
  }

  /** Takes it back from a worker that may have died with it. */
  async end(): Promise<void> {
    if (!this.#release) return;
    await this.#storage.close();
    await this.#unlock();
  }

  async #unlock(): Promise<void> {
    const release = this.#release;
    this.#release = undefined;
    await release?.();
  }
}
