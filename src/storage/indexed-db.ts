// Files in IndexedDB, for pages where OPFS is not, and for whoever wants a write to be a transaction.
//
//   files   name -> { bytes, last }             its length, and where its last part begins
//   parts   [name, start] -> Uint8Array         up to PART_BYTES from `start` on; together they are the file
//
// An append is one transaction with relaxed durability, a sync a strict one after it: browsers write transactions of a database to one
// log in their order, so that it makes those before it last as well. Whoever has the lock keeps lengths and last parts in memory, so that
// an append need not ask for them.
import type { Bytes } from "../words/arrays.js";
import { checkStoreName, failed, nameOf } from "./browser-failures.js";
import { beyond, failure, missing } from "./failures.js";
import { lockStore } from "./locks.js";
import { Place } from "./place.js";
import type { Elsewhere, Hold, Medium, Storage, StoredFile } from "./storage.js";

/**
 * Who reads a little reads a part, who reads much reads them all. In Chromium 156, 1 KB took 1.7 ms of parts of 60 KB, 1.8 of 250 and 4.6 of
 * 1,000; 60 MB took 1.3 s, 0.4 and 0.3.
 */
const PART_BYTES = 250_000;
/** The last part is written anew with what is appended to it up to this. */
const GROWN_BYTES = 16_000;

interface FileRow {
  bytes: number;
  last: number;
}

/** A file as its writer knows it. */
interface Known extends FileRow {
  tail: Uint8Array;
}

const NONE: Known = { bytes: 0, last: 0, tail: new Uint8Array(0) };

class Database implements Medium {
  readonly place: string;
  readonly elsewhere: Elsewhere;
  readonly #name: string;
  #opened: Promise<IDBDatabase | undefined> | undefined;
  /** Why a database that was open is so no more. */
  #lost: string | undefined;
  #locked = false;
  readonly #known = new Map<string, Known>();

  constructor(name: string) {
    this.place = `IndexedDB store ${name}`;
    this.elsewhere = { kind: "indexedDb", name };
    this.#name = `vicinal:${name}`;
  }

  async list(): Promise<StoredFile[]> {
    const rows = await this.#do(`${this.place} could not be read`, "readonly", "default", async (files) => {
      const [names, rows] = (await Promise.all([files.getAllKeys(), files.getAll()].map(answer))) as [string[], FileRow[]];
      return names.map((name, i) => ({ name, bytes: rows[i].bytes }));
    });
    return rows ?? [];
  }

  async read(name: string, from: number, to: number | undefined): Promise<Bytes> {
    const bytes = await this.#do(`${name} in ${this.place} could not be read`, "readonly", "default", async (files, parts) => {
      const row = (await answer(files.get(name))) as FileRow | undefined;
      if (!row) return undefined;
      const end = to ?? row.bytes;
      if (from > end || end > row.bytes) throw beyond(this.place, name, from, end, row.bytes);
      return from === end ? new Uint8Array(0) : await piece(parts, name, from, end);
    });
    if (!bytes) throw missing(this.place, name);
    return bytes;
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    await this.#change(name, "relaxed", async (files, parts) => {
      const known = this.#known.get(name) ?? (await know(files, parts, name)) ?? NONE;
      return put(files, parts, name, known, bytes);
    });
  }

  async sync(name: string): Promise<void> {
    await this.#change(name, "strict", async (files) => {
      const row = await answer(files.get(name));
      if (!row) throw missing(this.place, name);
      files.put(row, name);
      return this.#known.get(name);
    });
  }

  async truncate(name: string, bytes: number): Promise<void> {
    await this.#change(name, "strict", async (files, parts) => {
      const row = (await answer(files.get(name))) as FileRow | undefined;
      if (!row) throw missing(this.place, name);
      if (bytes > row.bytes) throw beyond(this.place, name, 0, bytes, row.bytes);
      const cursor = bytes > 0 ? await answer(parts.openCursor(IDBKeyRange.bound([name, 0], [name, bytes - 1]), "prev")) : null;
      const start = cursor ? (cursor.key as [string, number])[1] : 0;
      const tail = cursor ? (cursor.value as Uint8Array).slice(0, bytes - start) : NONE.tail;
      parts.delete(IDBKeyRange.bound([name, start], [name, Infinity]));
      return put(files, parts, name, { bytes: start, last: start, tail: NONE.tail }, tail);
    });
  }

  async swap(name: string, bytes: Uint8Array): Promise<void> {
    await this.#change(name, "strict", async (files, parts) => {
      parts.delete(IDBKeyRange.bound([name, 0], [name, Infinity]));
      return put(files, parts, name, NONE, bytes);
    });
  }

  async remove(name: string): Promise<void> {
    await this.#change(name, "relaxed", async (files, parts) => {
      files.delete(name);
      parts.delete(IDBKeyRange.bound([name, 0], [name, Infinity]));
      return undefined;
    });
  }

  async lock(): Promise<Hold> {
    const hold = await lockStore(this.#name, this.place);
    await this.close();
    this.#locked = true;
    const release = async (): Promise<void> => {
      this.#locked = false;
      this.#known.clear();
      await hold.release();
    };
    try {
      await this.#open();
    } catch (error) {
      await release();
      throw await failed(`${this.place} could not be opened`, error);
    }
    return { release };
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#lost = undefined;
    this.#known.clear();
    (await opened?.catch(() => undefined))?.close();
  }

  /** A change of a file; `work` returns what the writer knows of it afterwards. */
  async #change(
    name: string,
    durability: IDBTransactionDurability,
    work: (files: IDBObjectStore, parts: IDBObjectStore) => Promise<Known | undefined>,
  ): Promise<void> {
    const known = await this.#do(`${name} in ${this.place} could not be written`, "readwrite", durability, work).catch(
      (error) => {
        this.#known.delete(name);
        throw error;
      },
    );
    if (known) this.#known.set(name, known);
    else this.#known.delete(name);
  }

  /** One transaction, undefined where there is no database yet; `what` is said of what fails. */
  async #do<T>(
    what: string,
    mode: IDBTransactionMode,
    durability: IDBTransactionDurability,
    work: (files: IDBObjectStore, parts: IDBObjectStore) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      const db = await this.#open();
      if (!db) return undefined;
      const transaction = db.transaction(["files", "parts"], mode, { durability });
      const ended = new Promise<void>((resolve, reject) => {
        transaction.oncomplete = () => resolve();
        transaction.onabort = () => reject(transaction.error ?? new DOMException("the transaction was aborted", "AbortError"));
      });
      ended.catch(() => {}); // it may come before `work` is done
      try {
        const value = await work(transaction.objectStore("files"), transaction.objectStore("parts"));
        await ended;
        return value;
      } catch (error) {
        // What was wrong first is told; that it was aborted follows from it.
        if (nameOf(error) === "AbortError") await ended;
        try {
          transaction.abort();
        } catch {
          // it has ended by itself
        }
        throw error;
      }
    } catch (error) {
      throw this.#lost ? failure("STORAGE_LOST", `${what}: ${this.#lost}`, error) : await failed(what, error);
    }
  }

  /** The database, made by whoever has the lock alone; undefined where there is none. */
  async #open(): Promise<IDBDatabase | undefined> {
    if (this.#lost) throw new Error(this.#lost);
    const opened = (this.#opened ??= this.#request());
    const db = await opened.catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    if (!db && this.#opened === opened) this.#opened = undefined; // somebody may make it
    return db;
  }

  #request(): Promise<IDBDatabase | undefined> {
    if (!globalThis.indexedDB) throw failure("NO_STORAGE", `${this.place} cannot be opened: there is no IndexedDB here`);
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      let none = false;
      request.onupgradeneeded = () => {
        none = !this.#locked;
        if (none) return request.transaction?.abort();
        request.result.createObjectStore("files");
        request.result.createObjectStore("parts");
      };
      request.onerror = (event) => {
        event.preventDefault(); // Firefox would show it as one that nobody handles
        if (none) resolve(undefined);
        else reject(request.error);
      };
      request.onsuccess = () => {
        const db = request.result;
        const lose = (why: string): void => {
          db.close();
          if (this.#opened) this.#lost = `${why}; close it and open it again`;
        };
        db.onversionchange = () => lose("it is being deleted by another tab or script");
        db.onclose = () => lose("the browser has closed it, as when data are cleared");
        resolve(db);
      };
    });
  }
}

/** Puts bytes at a file's end; what is known of it then. */
function put(files: IDBObjectStore, parts: IDBObjectStore, name: string, known: Known, added: Uint8Array): Known {
  let { bytes, last, tail } = known;
  for (let at = 0; at < added.length; ) {
    const grows = tail.length > 0 && tail.length < GROWN_BYTES;
    const take = Math.min(added.length - at, PART_BYTES - (grows ? tail.length : 0));
    const part = new Uint8Array((grows ? tail.length : 0) + take);
    if (grows) part.set(tail);
    part.set(added.subarray(at, at + take), part.length - take);
    if (!grows) last = bytes;
    tail = part;
    parts.put(part, [name, last]);
    bytes += take;
    at += take;
  }
  files.put({ bytes, last } satisfies FileRow, name);
  return { bytes, last, tail };
}

async function know(files: IDBObjectStore, parts: IDBObjectStore, name: string): Promise<Known | undefined> {
  const row = (await answer(files.get(name))) as FileRow | undefined;
  return row && { ...row, tail: ((await answer(parts.get([name, row.last]))) as Uint8Array | undefined) ?? NONE.tail };
}

/** Bytes of a file that has them. */
async function piece(parts: IDBObjectStore, name: string, from: number, to: number): Promise<Bytes> {
  const first = await answer(parts.openKeyCursor(IDBKeyRange.bound([name, 0], [name, from]), "prev"));
  let start = first ? (first.key as [string, number])[1] : 0;
  const found = (await answer(parts.getAll(IDBKeyRange.bound([name, start], [name, to], false, true)))) as Uint8Array[];
  const bytes = new Uint8Array(to - from);
  for (const part of found) {
    const [a, b] = [Math.max(from - start, 0), Math.min(to - start, part.length)];
    bytes.set(part.subarray(a, b), start + a - from);
    start += part.length;
  }
  return bytes;
}

function answer<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * An IndexedDB database of this site as a storage, made by whoever locks it first. `sync` is a transaction with strict durability, where the
 * browser has it; `swap` is one transaction. Web Locks see to it that one tab or worker writes.
 */
export function indexedDb(name: string): Storage {
  return new Place(new Database(checkStoreName(name)));
}
