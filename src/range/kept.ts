// Blocks that have been fetched: some in memory, and where a page wants it those of lists in the browser's Cache Storage, from which the next
// visit has them. A published file never changes, and what is kept is checked as what is fetched.
import type { Bytes } from "../words/arrays.js";
import { VicinalError } from "../words/errors.js";

/** Bytes by name, up to so many; those used longest ago go first. */
export class Recent {
  readonly #most: number;
  readonly #kept = new Map<string, Uint8Array>();
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(name: string): Uint8Array | undefined {
    const bytes = this.#kept.get(name);
    if (bytes) {
      this.#kept.delete(name);
      this.#kept.set(name, bytes);
    }
    return bytes;
  }

  put(name: string, bytes: Uint8Array): void {
    if (this.#kept.has(name)) return;
    this.#kept.set(name, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#kept) {
      if (this.#bytes <= this.#most) return;
      this.#kept.delete(oldest);
      this.#bytes -= length;
    }
  }
}

/** Of blocks of any index, within its folder. */
const BLOCK_NAME = /^[0-9a-f]{16}[^/?]*\?block=/;

/** A sandboxed frame has one that throws. */
function cachesHere(): CacheStorage | undefined {
  try {
    return (globalThis as { caches?: CacheStorage }).caches;
  } catch {
    return undefined;
  }
}

/** Blocks of one data file in Cache Storage. What fails there is as if nothing were kept. */
export class Stored {
  readonly #cache: Cache;
  readonly #prefix: string;

  private constructor(cache: Cache, prefix: string) {
    this.#cache = cache;
    this.#prefix = prefix;
  }

  /** `file`: the url of the data file; those of an index published before in its place go. Errors: NO_STORAGE. */
  static async open(name: string, folder: string, file: string): Promise<Stored | undefined> {
    const caches = cachesHere();
    if (!caches)
      throw new VicinalError(
        "NO_STORAGE",
        "there is no Cache Storage here: a page has it under https: or on localhost; leave out cacheStorage",
      );
    const prefix = `${folder}${file}?block=`;
    try {
      const cache = await caches.open(name);
      for (const { url } of await cache.keys()) {
        const isOurs = url.startsWith(folder) && BLOCK_NAME.test(url.slice(folder.length));
        if (isOurs && !url.startsWith(prefix)) await cache.delete(url);
      }
      return new Stored(cache, prefix);
    } catch {
      return undefined;
    }
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    try {
      const response = await this.#cache.match(this.#prefix + name);
      return response && new Uint8Array(await response.arrayBuffer());
    } catch {
      return undefined;
    }
  }

  async put(name: string, bytes: Bytes): Promise<void> {
    try {
      await this.#cache.put(this.#prefix + name, new Response(bytes));
    } catch {
      // The quota is full, or the site's data was cleared.
    }
  }
}
