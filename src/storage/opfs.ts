// The origin private file system of a browser. On a page the files are in a worker of their own, which alone has the handles that write in place;
// in a worker they are where they are asked for. Where no worker may be made (a Content-Security-Policy), a page writes without
// handles: right, and slow.
import WORKER from "vicinal-worker:storage/opfs-worker";
import type { ErrorCode } from "../words/errors.js";
import { checkStoreName } from "./browser-failures.js";
import { failure } from "./failures.js";
import { lockStore } from "./locks.js";
import { hasSyncHandles } from "./opfs-access.js";
import { OpfsFiles } from "./opfs-files.js";
import { Place } from "./place.js";
import type { Elsewhere, Hold, Medium, Storage } from "./storage.js";

type Files = Omit<Medium, "lock" | "elsewhere"> & { setLocked(locked: boolean): Promise<void> };

/** What is asked of the worker, and what it answers. */
export interface Call {
  readonly id: number;
  readonly verb: "open" | Exclude<keyof Files, "place">;
  readonly args: readonly unknown[];
}
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code?: string; readonly message: string };
}

class Opfs implements Medium {
  readonly place: string;
  readonly elsewhere: Elsewhere;
  readonly #name: string;
  #files: Promise<Files> | undefined;
  #end: () => void = () => {};

  constructor(name: string) {
    this.place = `OPFS folder ${name}`;
    this.elsewhere = { kind: "opfs", name };
    this.#name = name;
  }

  list: Medium["list"] = async () => (await this.#asked()).list();
  read: Medium["read"] = async (...args) => (await this.#asked()).read(...args);
  append: Medium["append"] = async (...args) => (await this.#asked()).append(...args);
  sync: Medium["sync"] = async (...args) => (await this.#asked()).sync(...args);
  truncate: Medium["truncate"] = async (...args) => (await this.#asked()).truncate(...args);
  swap: Medium["swap"] = async (...args) => (await this.#asked()).swap(...args);
  remove: Medium["remove"] = async (...args) => (await this.#asked()).remove(...args);

  async lock(): Promise<Hold> {
    const hold = await lockStore(`vicinal-opfs:${this.#name}`, this.place);
    const release = async (): Promise<void> => {
      try {
        await (await this.#asked()).setLocked(false);
      } finally {
        await hold.release();
      }
    };
    try {
      await (await this.#asked()).setLocked(true);
    } catch (error) {
      await release().catch(() => {});
      throw error;
    }
    return { release };
  }

  async close(): Promise<void> {
    const files = this.#files;
    this.#files = undefined;
    await (await files)?.close();
    this.#end();
  }

  #asked(): Promise<Files> {
    this.#files ??= this.#start();
    return this.#files;
  }

  async #start(): Promise<Files> {
    const here = (): Files => new OpfsFiles(this.#name, this.place);
    if (hasSyncHandles() || typeof Worker !== "function" || !globalThis.navigator?.storage?.getDirectory) return here();
    try {
      return await this.#inWorker();
    } catch {
      return here();
    }
  }

  async #inWorker(): Promise<Files> {
    const url = URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }));
    const worker = new Worker(url);
    const open = new Map<number, { resolve(value: unknown): void; reject(error: unknown): void }>();
    let calls = 0;
    const call = (verb: Call["verb"], ...args: readonly unknown[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const id = ++calls;
        open.set(id, { resolve, reject });
        worker.postMessage({ id, verb, args } satisfies Call);
      });
    worker.onmessage = ({ data: { id, value, error } }: { data: Reply }) => {
      const asker = open.get(id);
      open.delete(id);
      if (error) asker?.reject(failure((error.code ?? "IO_ERROR") as ErrorCode, error.message));
      else asker?.resolve(value);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      const error = failure(
        "IO_ERROR",
        `the worker that has the files of ${this.place} has failed: ${event.message ?? "it could not start"}`,
      );
      for (const { reject } of open.values()) reject(error);
      open.clear();
    };
    this.#end = () => worker.terminate();
    await call("open", this.#name, this.place).finally(() => URL.revokeObjectURL(url));
    return new Proxy({} as Files, {
      get: (_, verb) => (verb === "then" ? undefined : call.bind(undefined, verb as Call["verb"])),
    });
  }
}

/**
 * A folder of this site's origin private file system as a storage, made by whoever locks it first. `sync` is a flush of its handle; `swap`
 * writes the other of two files in turn. Web Locks see to it that one tab or worker writes.
 */
export function opfs(name: string): Storage {
  return new Place(new Opfs(checkStoreName(name)));
}
