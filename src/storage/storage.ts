// What a collection needs of the place where it lives: named files that grow at their ends or are replaced as a whole, and a lock.
import type { Bytes } from "../words/arrays.js";

/** A file as `list` tells it. */
export interface StoredFile {
  readonly name: string;
  readonly bytes: number;
}

/** A store of a browser, which any thread of the site can open. */
export interface Elsewhere {
  readonly kind: "opfs" | "indexedDb";
  readonly name: string;
}

/**
 * A place for files: a folder, a browser's store, memory. It is a place, not a connection: `close` gives back what is open, and a later
 * call opens it again.
 *
 * Names have 1 to 80 of a-z 0-9 . _ - and begin with a letter or digit. Calls for one file take effect in the order in which they
 * were made, awaited or not: `append(...); append(...); await sync(...)` is in order, and one wait. Bytes that are handed over must not
 * change until the call resolves. Whatever writes needs the lock.
 *
 * Errors are VicinalErrors whose sentence names the file and the place: BAD_OPTION for a bad name, range or array; LOCKED where another writes
 * there, or `lock` was not called; MISSING where a file, or the bytes asked for, are not there; NO_SPACE where disk or quota is full;
 * READ_ONLY where nothing may be written; NO_STORAGE where there is no such place at all; STORAGE_LOST where what was stored is gone (a
 * folder was deleted, a browser's data cleared) or must be opened anew; IO_ERROR where the medium fails. Failed writes leave the file
 * as it was, as long as the process lives; one that dies meanwhile may leave a part of the last append.
 */
export interface Storage {
  /** Words for messages: "folder ./docs". */
  readonly place: string;

  /** What another thread opens to have the same place. Missing where it is to ask this thread for it. */
  readonly elsewhere?: Elsewhere;

  /** All files, by name, with what was appended to them by earlier calls. An empty list where the place is not there yet. */
  list(): Promise<readonly StoredFile[]>;

  /** Bytes `from` (0) to `to` (the end), which are all there or MISSING is thrown. They are the caller's. */
  read(name: string, from?: number, to?: number): Promise<Bytes>;

  /** Adds bytes at the end of a file, which is made where it is missing. They last through a crash after `sync` alone. */
  append(name: string, bytes: Uint8Array): Promise<void>;

  /**
   * Resolves when all that was appended to the file is on the medium, and the file in its folder. Where it fails nobody knows what is, and the
   * file may take nothing more (STORAGE_LOST) before the place was closed and what is there was read again.
   */
  sync(name: string): Promise<void>;

  /** Cuts a file to its first `bytes` bytes, durably. MISSING where it has fewer. */
  truncate(name: string, bytes: number): Promise<void>;

  /** Gives a file these bytes and no others, made where it is missing. After a crash at any instant it has the old or the new; durable when it resolves. */
  swap(name: string, bytes: Uint8Array): Promise<void>;

  /** Removes a file; no matter where there is none. After a crash it may be back. */
  remove(name: string): Promise<void>;

  /**
   * Makes this the one writer until the function that it returns is called, which waits for what is being written. LOCKED where there is
   * one, with who and since when. The lock of a process or tab that has died is no lock.
   */
  lock(): Promise<() => Promise<void>>;

  /** Waits for what is being written; gives back the lock and what is open. */
  close(): Promise<void>;
}

/** The lock as a medium holds it. */
export interface Hold {
  release(): Promise<void>;
  /** Throws LOCKED where it was lost to another; asked before each write. */
  verify?(): Promise<void> | void;
}

/** What differs between places. Names, ranges and arrays have been checked, the lock is held by whoever writes, and calls for a file come in order. */
export interface Medium {
  readonly place: string;
  readonly elsewhere?: Elsewhere;
  list(): Promise<StoredFile[]>;
  /** All bytes from `from` on where `to` is undefined. */
  read(name: string, from: number, to: number | undefined): Promise<Bytes>;
  append(name: string, bytes: Uint8Array): Promise<void>;
  sync(name: string): Promise<void>;
  truncate(name: string, bytes: number): Promise<void>;
  swap(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  lock(): Promise<Hold>;
  /** Gives back what is open. */
  close(): Promise<void>;
}
