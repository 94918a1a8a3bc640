// Files in memory, for pages that keep nothing and for tests.
import type { Bytes } from "../words/arrays.js";
import { beyond, missing } from "./failures.js";
import { Place } from "./place.js";
import type { Hold, Medium, Storage, StoredFile } from "./storage.js";

/** A file: the first `length` of `bytes`, which grow by doubling. */
interface Content {
  bytes: Bytes;
  length: number;
}

class Memory implements Medium {
  readonly place = "memory";
  readonly #files = new Map<string, Content>();

  async list(): Promise<StoredFile[]> {
    return [...this.#files].map(([name, { length }]) => ({ name, bytes: length }));
  }

  async read(name: string, from: number, to: number | undefined): Promise<Bytes> {
    const { bytes, length } = this.#file(name);
    const end = to ?? length;
    if (from > end || end > length) throw beyond(this.place, name, from, end, length);
    return bytes.slice(from, end);
  }

  async append(name: string, added: Uint8Array): Promise<void> {
    const file = this.#files.get(name) ?? { bytes: new Uint8Array(0), length: 0 };
    const length = file.length + added.length;
    if (length > file.bytes.length) {
      const bytes = new Uint8Array(Math.max(length, 2 * file.bytes.length));
      bytes.set(file.bytes.subarray(0, file.length));
      file.bytes = bytes;
    }
    file.bytes.set(added, file.length);
    file.length = length;
    this.#files.set(name, file);
  }

  async sync(name: string): Promise<void> {
    this.#file(name);
  }

  async truncate(name: string, bytes: number): Promise<void> {
    const file = this.#file(name);
    if (bytes > file.length) throw beyond(this.place, name, 0, bytes, file.length);
    file.length = bytes;
  }

  async swap(name: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(name, { bytes: bytes.slice(), length: bytes.length });
  }

  async remove(name: string): Promise<void> {
    this.#files.delete(name);
  }

  /** Nobody else has this memory, and its Place sees to it that it is locked once. */
  async lock(): Promise<Hold> {
    return { release: async () => {} };
  }

  async close(): Promise<void> {}

  #file(name: string): Content {
    const file = this.#files.get(name);
    if (!file) throw missing(this.place, name);
    return file;
  }
}

/** A storage in this thread's memory: it lasts as long as the object does. */
export function memory(): Storage {
  return new Place(new Memory());
}
