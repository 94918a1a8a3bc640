// A storage whose machine can lose power: what was not synced may be lost, or in part; what was removed may be back.

import { VicinalError } from "vicinal";
import type { Storage } from "vicinal/storage";

interface Content {
  bytes: Uint8Array;
  /** So many of them are on the medium. */
  synced: number;
}

/** 0 to below 1. */
export type Random = () => number;

const copyOf = ({ bytes, synced }: Content): Content => ({ bytes: bytes.slice(), synced });

export class Crashing implements Storage {
  readonly place = "a machine that crashes";
  readonly files: Map<string, Content>;
  /** Removed, though the medium may not know. */
  readonly #removed = new Map<string, Content>();
  readonly #random: Random;
  #locked = false;
  /** Writes until the power goes; Infinity: it does not. */
  left = Infinity;
  /** What appends and syncs fail with, while they do. */
  failing: { append?: VicinalError | undefined; sync?: VicinalError | undefined } = {};
  /** What is there after the power went. */
  after: Crashing | undefined;

  constructor(random: Random, files = new Map<string, Content>()) {
    this.#random = random;
    this.files = files;
  }

  #file(name: string): Content {
    const file = this.files.get(name);
    if (!file) throw new VicinalError("MISSING", `${name} is not in ${this.place}`);
    return file;
  }

  /** The machine as it comes up again. */
  crash(): Crashing {
    const files = new Map<string, Content>();
    for (const [name, file] of [...this.#removed, ...this.files]) {
      if (this.#removed.has(name) && !this.files.has(name) && this.#random() < 0.5) continue;
      // Lengths may outlive contents: zeros then.
      const kept = file.synced + Math.floor(this.#random() * (file.bytes.length - file.synced + 1));
      const bytes = file.bytes.slice(0, kept);
      if (this.#random() < 0.2) bytes.fill(0, file.synced + Math.floor(this.#random() * (kept - file.synced + 1)));
      if (file.synced === 0 && this.#random() < 0.3) continue;
      files.set(name, { bytes, synced: bytes.length });
    }
    return new Crashing(this.#random, files);
  }

  /** Each write is a moment for the power to go: before, after or in the middle of it. */
  async #write(work: () => void): Promise<void> {
    await undefined;
    if (this.after) throw new VicinalError("STORAGE_LOST", "the power went");
    if (this.left-- > 0) return work();
    const before = new Map(Array.from(this.files, ([name, file]) => [name, copyOf(file)]));
    if (this.#random() < 0.5) work();
    else {
      this.files.clear();
      for (const [name, file] of before) this.files.set(name, file);
    }
    this.after = this.crash();
    throw new VicinalError("STORAGE_LOST", "the power went");
  }

  async list(): Promise<{ name: string; bytes: number }[]> {
    return [...this.files].map(([name, { bytes }]) => ({ name, bytes: bytes.length }));
  }

  async read(name: string, from = 0, to?: number): Promise<ReturnType<Uint8ArrayConstructor["of"]>> {
    const { bytes } = this.#file(name);
    const end = to ?? bytes.length;
    if (from > end || end > bytes.length) throw new VicinalError("MISSING", `bytes ${from} to ${end} of ${name} are not there`);
    return Uint8Array.from(bytes.subarray(from, end));
  }

  append(name: string, added: Uint8Array): Promise<void> {
    return this.#write(() => {
      if (this.failing.append) throw this.failing.append;
      const file = this.files.get(name) ?? { bytes: new Uint8Array(0), synced: 0 };
      const bytes = new Uint8Array(file.bytes.length + added.length);
      bytes.set(file.bytes);
      bytes.set(added, file.bytes.length);
      this.files.set(name, { bytes, synced: file.synced });
    });
  }

  sync(name: string): Promise<void> {
    return this.#write(() => {
      if (this.failing.sync) throw this.failing.sync;
      const file = this.#file(name);
      file.synced = file.bytes.length;
    });
  }

  truncate(name: string, bytes: number): Promise<void> {
    return this.#write(() => void this.files.set(name, { bytes: this.#file(name).bytes.slice(0, bytes), synced: bytes }));
  }

  swap(name: string, bytes: Uint8Array): Promise<void> {
    return this.#write(() => void this.files.set(name, { bytes: bytes.slice(), synced: bytes.length }));
  }

  remove(name: string): Promise<void> {
    return this.#write(() => {
      const file = this.files.get(name);
      if (file) this.#removed.set(name, file);
      this.files.delete(name);
    });
  }

  async lock(): Promise<() => Promise<void>> {
    if (this.#locked) throw new VicinalError("LOCKED", "locked");
    this.#locked = true;
    return async () => {
      this.#locked = false;
    };
  }

  async close(): Promise<void> {
    this.#locked = false;
  }
}
