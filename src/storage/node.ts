// A folder on disk, for Node, Deno and Bun.
import { fstatSync, writeSync } from "node:fs";
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Bytes } from "../words/arrays.js";
import { beyond, failure, missing, notSynced } from "./failures.js";
import { Kept } from "./kept.js";
import { codeOf, failed, unless, unread } from "./node-failures.js";
import { lockFolder } from "./node-lock.js";
import { textOf } from "./node-path.js";
import { Place } from "./place.js";
import type { Hold, Medium, Storage, StoredFile } from "./storage.js";

/** One call of read or write at most. */
const CALL_BYTES = 1 << 26;
/** So much goes into the system's cache at once, in some 10 us; the way through a thread takes 60. */
const QUICK_BYTES = 1 << 14;
/** A read up to this asks for the file's length only where it comes back short. */
const SMALL_BYTES = 1 << 20;
/** What is written before it takes a file's place. */
const SWAP = ".swap-";
/** What systems say that cannot sync a folder. */
const NO_FOLDER_SYNC = ["EPERM", "EACCES", "EISDIR", "EINVAL", "ENOTSUP", "EBADF"];

interface OpenFile {
  readonly handle: FileHandle;
  readonly writable: boolean;
  /** Its length as this writer knows it; a torn tail beyond it is cut before the next append. */
  length: number;
  torn: boolean;
  /** Something was appended since the last sync; the file was made since the folder's. */
  unsynced: boolean;
  fresh: boolean;
}

class Folder implements Medium {
  readonly place: string;
  readonly #path: string;
  readonly #open = new Kept<OpenFile>((name, file) => this.#close(name, file));
  /** Why files whose sync has failed take nothing more. */
  readonly #unsure = new Map<string, unknown>();
  #locked = false;

  constructor(path: string) {
    this.place = `folder ${path}`;
    this.#path = resolve(path);
  }

  async list(): Promise<StoredFile[]> {
    const entries = await unless(["ENOENT"], readdir(this.#path, { withFileTypes: true }), []).catch((error) => {
      if (codeOf(error) === "ENOTDIR") throw failure("NO_STORAGE", `${this.place} is a file; give the path of a folder`, error);
      throw unread(this.place, error);
    });
    const files = entries.filter((entry) => entry.isFile());
    const sizes = await Promise.all(files.map(({ name }) => unless(["ENOENT"], stat(this.#at(name)), undefined)));
    return files.flatMap(({ name }, i) => (sizes[i] ? [{ name, bytes: sizes[i].size }] : []));
  }

  async read(name: string, from: number, to: number | undefined): Promise<Bytes> {
    return this.#with(name, "read", async ({ handle }) => {
      let end = to;
      if (end === undefined || end - from > SMALL_BYTES) {
        const { size } = await handle.stat();
        end ??= size;
        if (from > end || end > size) throw beyond(this.place, name, from, end, size);
      }
      const bytes = new Uint8Array(end - from);
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await handle.read(bytes, at, Math.min(CALL_BYTES, bytes.length - at), from + at);
        if (bytesRead === 0) throw beyond(this.place, name, from, end, (await handle.stat()).size);
        at += bytesRead;
      }
      return bytes;
    });
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    this.#checkSure(name);
    await this.#with(name, "append", async (file) => {
      if (file.torn) await cut(file);
      file.unsynced = true;
      try {
        await (bytes.length <= QUICK_BYTES ? writeNow : writeAll)(file.handle, bytes, file.length);
      } catch (error) {
        file.torn = true;
        await cut(file).catch(() => {});
        throw error;
      }
      file.length += bytes.length;
    });
  }

  async sync(name: string): Promise<void> {
    this.#checkSure(name);
    await this.#with(name, "change", async (file) => {
      try {
        await this.#sync(file);
      } catch (error) {
        this.#unsure.set(name, error);
        throw error;
      }
      if (fstatSync(file.handle.fd).nlink === 0) {
        throw failure("STORAGE_LOST", `${name} in ${this.place} was removed by somebody else while it was open`);
      }
    });
  }

  async truncate(name: string, bytes: number): Promise<void> {
    await this.#with(name, "change", async (file) => {
      const { size } = await file.handle.stat();
      if (bytes > size) throw beyond(this.place, name, 0, bytes, size);
      await file.handle.truncate(bytes);
      file.length = bytes;
      file.torn = false;
      await this.#sync(file);
    });
  }

  async swap(name: string, bytes: Uint8Array): Promise<void> {
    const made = this.#at(SWAP + name);
    await this.#open.drop(name);
    try {
      const handle = await open(made, "w");
      try {
        await writeAll(handle, bytes, 0);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(made, this.#at(name));
      await syncFolder(this.#path);
    } catch (error) {
      await rm(made, { force: true }).catch(() => {});
      throw this.#failed(name, "written", error);
    }
    this.#unsure.delete(name);
  }

  async remove(name: string): Promise<void> {
    await this.#open.drop(name);
    await rm(this.#at(name), { force: true }).catch((error) => {
      throw this.#failed(name, "removed", error);
    });
    this.#unsure.delete(name);
  }

  async lock(): Promise<Hold> {
    try {
      const made = await mkdir(this.#path, { recursive: true });
      if (made) await syncFolder(dirname(made));
    } catch (error) {
      if (["EEXIST", "ENOTDIR"].includes(codeOf(error) ?? "")) {
        throw failure("NO_STORAGE", `${this.place} cannot be made: a file is in the way`, error);
      }
      throw failed(`${this.place} could not be made`, error);
    }
    const hold = await lockFolder(this.#path, this.place);
    // What a writer that has died was about to swap.
    for (const name of await readdir(this.#path)) if (name.startsWith(SWAP)) await rm(this.#at(name), { force: true });
    // Another may have written since they were opened, for reading only.
    await this.close();
    this.#locked = true;
    const release = async (): Promise<void> => {
      await this.close();
      this.#locked = false;
      await hold.release();
    };
    return { ...hold, release };
  }

  async close(): Promise<void> {
    await this.#open.dropAll();
    this.#unsure.clear();
  }

  #at(name: string): string {
    return join(this.#path, name);
  }

  #checkSure(name: string): void {
    if (this.#unsure.has(name)) throw notSynced(this.place, name, this.#unsure.get(name));
  }

  async #sync(file: OpenFile): Promise<void> {
    await file.handle.datasync();
    file.unsynced = false;
    if (file.fresh) await syncFolder(this.#path);
    file.fresh = false;
  }

  /** Does something with the open file, which is made for "append" alone. */
  async #with<T>(name: string, what: "read" | "append" | "change", work: (file: OpenFile) => Promise<T>): Promise<T> {
    try {
      return await this.#open.use(
        name,
        () => openFile(this.#at(name), this.#locked, what === "append"),
        (file) => {
          if (what !== "read" && !file.writable) throw failure("READ_ONLY", `${name} in ${this.place} is read-only`);
          return work(file);
        },
      );
    } catch (error) {
      if (what !== "append" && codeOf(error) === "ENOENT") throw missing(this.place, name);
      throw this.#failed(name, what === "read" ? "read" : "written", error);
    }
  }

  /** Closes a file; synced before, since what its medium has to say might be told to this handle alone. */
  async #close(name: string, file: OpenFile): Promise<void> {
    try {
      if (file.torn) await cut(file);
      if (file.unsynced) await this.#sync(file);
    } catch (error) {
      this.#unsure.set(name, error);
    } finally {
      await file.handle.close();
    }
  }

  #failed(name: string, done: string, error: unknown): Error {
    if (codeOf(error) === "ENOENT") return failure("STORAGE_LOST", `${this.place} was removed while it was open`, error);
    // Only what the system says has a syscall.
    if ((error as NodeJS.ErrnoException).syscall === undefined) return error as Error;
    const file = `${name} in ${this.place}`;
    return done === "read" ? unread(file, error) : failed(`${file} could not be ${done}`, error);
  }
}

/** Opens a file for reading or for both, where it may be written; makes it where that is wanted. */
async function openFile(path: string, write: boolean, make: boolean): Promise<OpenFile> {
  let writable = write;
  let handle = write ? await unless(["ENOENT", "EACCES", "EPERM", "EROFS"], open(path, "r+"), undefined) : undefined;
  if (!handle) {
    writable = false;
    handle = await unless(make ? ["ENOENT"] : [], open(path, "r"), undefined);
  }
  const fresh = !handle;
  handle ??= await open(path, "wx+");
  try {
    const { size } = await handle.stat();
    return { handle, writable: writable || fresh, length: size, torn: false, unsynced: false, fresh };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const size = Math.min(CALL_BYTES, bytes.length - at);
    at += (await handle.write(bytes, at, size, position + at)).bytesWritten;
  }
}

function writeNow({ fd }: FileHandle, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}

async function cut(file: OpenFile): Promise<void> {
  await file.handle.truncate(file.length);
  file.torn = false;
}

/** Makes new names last through a power cut, where the system can sync a folder. */
async function syncFolder(path: string): Promise<void> {
  const handle = await unless(NO_FOLDER_SYNC, open(path, "r"), undefined);
  if (!handle) return;
  try {
    await unless(NO_FOLDER_SYNC, handle.sync(), undefined);
  } finally {
    await handle.close();
  }
}

/**
 * A folder as a storage, made by whoever locks it first. One process writes it at a time; its lock ends with it, also where it is
 * killed. `sync` is fdatasync, `swap` a synced file that is renamed.
 */
export function folder(path: string | URL): Storage {
  const text = textOf(path);
  if (!text || text.includes("\0")) {
    throw failure("BAD_OPTION", `${JSON.stringify(path) ?? String(path)} is no path of a folder: give text or a file: URL`);
  }
  return new Place(new Folder(text));
}
