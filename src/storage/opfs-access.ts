// A file of OPFS by offsets: through a sync access handle, which workers alone have, or without one.
import type { Bytes } from "../words/arrays.js";
import { nameOf } from "./browser-failures.js";

/** FileSystemSyncAccessHandle, which TypeScript has among the types of workers. */
interface SyncHandle {
  getSize(): number;
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(bytes: number): void;
  flush(): void;
  close(): void;
}

interface MaybeSync {
  createSyncAccessHandle?(): Promise<SyncHandle>;
}

export interface Access {
  size(): number | Promise<number>;
  /** As many bytes as there are of those wanted. */
  read(at: number, length: number): Bytes | Promise<Bytes>;
  write(at: number, bytes: Uint8Array): void | Promise<void>;
  truncate(bytes: number): void | Promise<void>;
  flush(): void | Promise<void>;
  close(): void;
}

/** The handles of a tab that was closed are given back some time after its locks. */
const PATIENCE_MS = 3000;

export const hasSyncHandles = (): boolean =>
  typeof FileSystemFileHandle !== "undefined" && "createSyncAccessHandle" in FileSystemFileHandle.prototype;

export async function syncAccess(file: FileSystemFileHandle): Promise<Access> {
  const handle = await patiently(() => (file as MaybeSync).createSyncAccessHandle!());
  const size = (): number => {
    const bytes = handle.getSize();
    // What Chromium says of files that are gone is no length.
    if (!Number.isSafeInteger(bytes)) throw new DOMException("the file has no length any more", "InvalidStateError");
    return bytes;
  };
  return {
    size,
    read(at, length) {
      const bytes = new Uint8Array(length);
      const got = handle.read(bytes, { at });
      return got < length ? bytes.slice(0, got) : bytes;
    },
    write(at, bytes) {
      // In private windows Chromium says that it has written all, and has not.
      const written = Math.min(handle.write(bytes, { at }), size() - at);
      if (written < bytes.length) throw new DOMException(`${written} of ${bytes.length} bytes were taken`, "QuotaExceededError");
    },
    truncate: (bytes) => handle.truncate(bytes),
    flush: () => handle.flush(),
    close: () => handle.close(),
  };
}

/** Each write copies the file, in most browsers, and none can be flushed. */
export async function slowAccess(file: FileSystemFileHandle): Promise<Access> {
  const write = async (data: Parameters<FileSystemWritableFileStream["write"]>[0]): Promise<void> => {
    const stream = await file.createWritable({ keepExistingData: true });
    try {
      await stream.write(data);
    } catch (error) {
      await stream.abort().catch(() => {});
      throw error;
    }
    await stream.close();
  };
  return {
    size: async () => (await file.getFile()).size,
    read: async (at, length) => new Uint8Array(await (await file.getFile()).slice(at, at + length).arrayBuffer()),
    write: (position, bytes) => write({ type: "write", position, data: bytes as Bytes }),
    truncate: (size) => write({ type: "truncate", size }),
    flush: () => {},
    close: () => {},
  };
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let waited = 0, next = 5; ; next *= 2) {
    try {
      return await work();
    } catch (error) {
      if (nameOf(error) !== "NoModificationAllowedError" || waited > PATIENCE_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, next));
      waited += next;
    }
  }
}
