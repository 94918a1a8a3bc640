// Files kept open for the next who needs them, within a bound.

/** As many stay open where nobody uses them. */
const BOUND = 16;

interface Entry<File> {
  readonly opened: Promise<File>;
  users: number;
  /** Out of the table: the last who uses it closes it. */
  dropped: boolean;
}

export class Kept<File> {
  readonly #close: (name: string, file: File) => Promise<void>;
  /** The one used last at the end. */
  readonly #entries = new Map<string, Entry<File>>();

  constructor(close: (name: string, file: File) => Promise<void>) {
    this.#close = close;
  }

  /** Does something with a file, opened where it is not. */
  async use<T>(name: string, open: () => Promise<File>, work: (file: File) => T | Promise<T>): Promise<T> {
    let entry = this.#entries.get(name);
    if (!entry) entry = { opened: open(), users: 0, dropped: false };
    entry.users++;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    try {
      return await work(await entry.opened);
    } finally {
      entry.users--;
      if (entry.dropped) await this.#end(name, entry);
      await this.#endIdle();
    }
  }

  /** Closes a file, now or when those who use it are done. */
  async drop(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#entries.delete(name);
    entry.dropped = true;
    await this.#end(name, entry);
  }

  async dropAll(): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((name) => this.drop(name)));
  }

  async #endIdle(): Promise<void> {
    for (const [name, { users, opened }] of this.#entries) {
      if (users > 0) continue;
      const failed = await opened.then(
        () => false,
        () => true,
      );
      if (failed || this.#entries.size > BOUND) await this.drop(name);
    }
  }

  async #end(name: string, { opened, users }: Entry<File>): Promise<void> {
    if (users > 0) return;
    const file = await opened.catch(() => undefined);
    if (file !== undefined) await this.#close(name, file);
  }
}
