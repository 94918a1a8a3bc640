/** Files on disk, for Node, Deno and Bun. */
import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type Bytes, type LoadOptions, load, type VectorIndex, VicinalError } from "./index.js";

/** One read at most. */
const READ_BYTES = 1 << 30;

/**
 * Writes the index to `path`, wholly or not at all: to a temporary file beside it, synced to disk, then renamed over
 * what was there.
 */
export async function saveFile(index: VectorIndex, path: string): Promise<void> {
  const bytes = index.toBytes();
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  const file = await open(temporary, "wx");
  try {
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the rename last through a power cut, where the system can sync a folder. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows cannot
  }
}

/** The bytes of a file, also beyond the 2 GiB that `readFile` of node:fs can. */
export async function readBytes(path: string): Promise<Bytes> {
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(READ_BYTES, bytes.length - at), at);
      if (bytesRead === 0) throw new VicinalError("BAD_FILE", `${path} became shorter while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

/** The index in a .vic file on disk. Errors: those of `load`, and the file system's. */
export async function openFile(path: string, options?: LoadOptions): Promise<VectorIndex> {
  return load(await readBytes(path), options);
}
