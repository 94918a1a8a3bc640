// What every place does alike: checks at the door, the order of calls, the lock that whoever writes must have.
import type { Bytes } from "../words/arrays.js";
import { failure } from "./failures.js";
import type { Elsewhere, Hold, Medium, Storage, StoredFile } from "./storage.js";

const NAME = /^[a-z0-9][a-z0-9._-]{0,79}$/;

/** What is under way for one file. */
interface Line {
  /** Resolves, whatever comes of it, when the last write so far is done. */
  writes: Promise<unknown>;
  /** The same of all reads so far. */
  reads: Promise<unknown>;
}

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {});

/** The storage that a medium makes. */
export class Place implements Storage {
  readonly #medium: Medium;
  readonly #lines = new Map<string, Line>();
  #hold: Hold | undefined;
  /** While lock() is asking. */
  #locking: Promise<unknown> | undefined;

  constructor(medium: Medium) {
    this.#medium = medium;
  }

  get place(): string {
    return this.#medium.place;
  }

  get elsewhere(): Elsewhere | undefined {
    return this.#medium.elsewhere;
  }

  async list(): Promise<readonly StoredFile[]> {
    await this.#written();
    const files = await this.#medium.list();
    return files.filter(({ name }) => NAME.test(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async read(name: string, from = 0, to?: number): Promise<Bytes> {
    this.#checkName(name);
    if (!isOffset(from) || (to !== undefined && !(isOffset(to) && to >= from))) {
      throw failure("BAD_OPTION", `bytes ${from} to ${to} of ${name} are no range: 0 <= from <= to, in whole bytes`);
    }
    const line = this.#line(name);
    const read = line.writes.then(() => this.#medium.read(name, from, to));
    this.#enter(name, { writes: line.writes, reads: Promise.all([line.reads, settled(read)]) });
    return read;
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    this.#checkBytes(name, bytes);
    return this.#write(name, () => this.#medium.append(name, bytes));
  }

  async sync(name: string): Promise<void> {
    return this.#write(name, () => this.#medium.sync(name));
  }

  async truncate(name: string, bytes: number): Promise<void> {
    if (!isOffset(bytes))
      throw failure("BAD_OPTION", `${name} cannot be cut to ${bytes} bytes: a whole number from 0 on is needed`);
    return this.#change(name, () => this.#medium.truncate(name, bytes));
  }

  async swap(name: string, bytes: Uint8Array): Promise<void> {
    this.#checkBytes(name, bytes);
    return this.#change(name, () => this.#medium.swap(name, bytes));
  }

  async remove(name: string): Promise<void> {
    return this.#change(name, () => this.#medium.remove(name));
  }

  async lock(): Promise<() => Promise<void>> {
    if (this.#hold || this.#locking) {
      throw failure("LOCKED", `${this.place} is being written by this very object, which was locked before and not released`);
    }
    const asked = this.#medium.lock();
    this.#locking = asked;
    const hold = await asked.finally(() => {
      this.#locking = undefined;
    });
    this.#hold = hold;
    return () => this.#release(hold);
  }

  async close(): Promise<void> {
    await settled(Promise.resolve(this.#locking));
    await this.#written();
    await Promise.all([...this.#lines.values()].map(({ reads }) => reads));
    try {
      if (this.#hold) await this.#release(this.#hold);
    } finally {
      await this.#medium.close();
    }
  }

  async #release(hold: Hold): Promise<void> {
    if (this.#hold !== hold) return; // released before
    this.#hold = undefined; // nothing more is written
    await this.#written();
    await hold.release();
  }

  /** A write that reads of what was there before do not mind. */
  #write(name: string, work: () => Promise<void>): Promise<void> {
    return this.#after(name, ({ writes }) => writes, work);
  }

  /** A write that they do mind. */
  #change(name: string, work: () => Promise<void>): Promise<void> {
    return this.#after(name, ({ writes, reads }) => Promise.all([writes, reads]), work);
  }

  #after(name: string, before: (line: Line) => Promise<unknown>, work: () => Promise<void>): Promise<void> {
    this.#checkName(name);
    const hold = this.#hold;
    if (!hold)
      throw failure(
        "LOCKED",
        `${name} in ${this.place} cannot be written: only who holds the lock may, and lock() was not called`,
      );
    const line = this.#line(name);
    const done = before(line).then(async () => {
      await hold.verify?.();
      await work();
    });
    this.#enter(name, { writes: settled(done), reads: line.reads });
    return done;
  }

  #line(name: string): Line {
    return this.#lines.get(name) ?? { writes: Promise.resolve(), reads: Promise.resolve() };
  }

  /** Lines are forgotten when nothing is under way, so that names of removed files do not pile up. */
  #enter(name: string, line: Line): void {
    this.#lines.set(name, line);
    void Promise.all([line.writes, line.reads]).then(() => {
      if (this.#lines.get(name) === line) this.#lines.delete(name);
    });
  }

  #written(): Promise<unknown> {
    return Promise.all([...this.#lines.values()].map(({ writes }) => writes));
  }

  #checkName(name: string): void {
    if (typeof name !== "string" || !NAME.test(name)) {
      throw failure(
        "BAD_OPTION",
        `${JSON.stringify(name)} is no name of a file: 1 to 80 of a-z 0-9 . _ - are, beginning with a letter or digit`,
      );
    }
  }

  #checkBytes(name: string, bytes: Uint8Array): void {
    this.#checkName(name);
    if (!ArrayBuffer.isView(bytes) || Object.prototype.toString.call(bytes) !== "[object Uint8Array]") {
      throw failure("BAD_OPTION", `what is written to ${name} must be a Uint8Array`);
    }
  }
}

function isOffset(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}
