/** Files on disk, for Node, Deno and Bun. */
import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { type LoadOptions, load, type VectorIndex } from "./index.js";

/**
 * Writes the index to `path`, wholly or not at all: to a temporary file beside it, synced to disk, then renamed over
 * what was there.
 */
export async function saveFile(index: VectorIndex, path: string): Promise<void> {
  const bytes = index.toBytes();
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.${Date.now().toString(36)}.tmp`);
  try {
    const file = await open(temporary, "wx");
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

/** The index in a .vic file on disk. Errors: those of `load`, and the file system's. */
export async function openFile(path: string, options?: LoadOptions): Promise<VectorIndex> {
  return load(await readFile(path), options);
}
