/** Files on disk, for Node, Deno and Bun. */
import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { access, chmod, chown, type FileHandle, lstat, open, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { inspect } from "node:util";
import { type Bytes, type LoadOptions, load, type VectorIndex, VicinalError } from "./index.js";
import { textOf } from "./storage/node-path.js";

/** Where a file is: text, a `file:` URL, or bytes, such as a Buffer, for a name that need not be UTF-8. */
export type FilePath = string | URL | Uint8Array;

/** One read at most. */
const READ_BYTES = 1 << 30;
/** One read of what does not tell its length. */
const PIPE_BYTES = 1 << 16;
/** Of `Stats.mode`: the other bits say what kind of file it is. */
const MODE_BITS = 0o7777;

/**
 * Writes the index, as it is at the call, wholly or not at all: to a temporary file beside `path`, synced to disk, then
 * renamed over what was there. A link is followed: the file it leads to is replaced. What is replaced hands on its mode
 * and, where the system lets it, its owner. A pipe or character device is written into instead.
 * Errors: BAD_OPTION where `path` is none, or that of a folder, a block device, a socket or a link to nothing; and those of
 * the file system. After any of them the old file is what it was.
 */
export async function saveFile(index: VectorIndex, path: FilePath): Promise<void> {
  if (typeof index?.toBytes !== "function") throw badOption(`index is ${brief(index)}; saveFile takes an index and a path`);
  const bytes = index.toBytes();
  await (await destination(path))(bytes);
}

/** Bytes, or pieces of them one after the other, which a FileHandle of Node takes whatever its types say; or what writes them. */
type FileContent = Uint8Array | Iterable<Uint8Array> | ((file: FileHandle) => Promise<void>);

/** @internal What writes to `path`. Refuses all that can be told beforehand: better before a long build than after it. */
export async function destination(path: FilePath): Promise<(bytes: FileContent) => Promise<void>> {
  const name = asPath(path);
  const old = await statOf(name);
  if (old?.isFIFO() || old?.isCharacterDevice()) return (bytes) => asking(name, "saved", () => writeInto(name, bytes));
  if (old?.isDirectory() || (!old && endsAsFolder(name))) throw badOption(`${name} is a folder; give the path of a file in it`);
  if (old && !old.isFile()) throw badOption(`${name} is a block device or a socket; an index is saved as a file`);
  // What renames has to know the file and its folder behind all links.
  const encoding = typeof name === "string" ? "utf8" : "buffer";
  const real = (path: string | Buffer): Promise<string | Buffer> => realpath(path, { encoding: encoding as "buffer" });
  const target = old ? await real(name) : inside(await real(changed(name, dirname)), changed(name, basename));
  await access(changed(target, dirname), constants.W_OK);
  return (bytes) => asking(name, "saved", () => replace(target, old, bytes));
}

/** Puts a file of these bytes where `target` is, or is to be. */
async function replace(target: string | Buffer, old: Stats | undefined, bytes: FileContent): Promise<void> {
  const folder = changed(target, dirname);
  // As short whatever the name is, which may have all the 255 bytes that there are.
  const temporary = inside(folder, `.vicinal-${randomUUID()}.tmp`);
  // Nobody may read it who could not read the old one.
  const file = await open(temporary, "wx", old ? 0o600 : 0o666);
  try {
    try {
      await put(file, bytes);
      if (old) await handOn(old, temporary);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Gives a file the owner and mode of another; the owner first, since a change of it takes bits from the mode. */
async function handOn({ uid, gid, mode }: Stats, path: string | Buffer): Promise<void> {
  const own = await stat(path);
  if (own.uid !== uid || own.gid !== gid) {
    // Another owner only root may set, a group its members too.
    await chown(path, uid, gid).catch(() => chown(path, own.uid, gid).catch(() => {}));
  }
  await chmod(path, mode & MODE_BITS);
}

async function writeInto(path: string | Buffer, bytes: FileContent): Promise<void> {
  const file = await open(path, constants.O_WRONLY);
  await put(file, bytes).finally(() => file.close());
}

function put(file: FileHandle, bytes: FileContent): Promise<void> {
  return typeof bytes === "function" ? bytes(file) : file.writeFile(bytes as Uint8Array);
}

/** Makes the rename last through a power cut, where the system can sync a folder. */
async function syncFolder(folder: string | Buffer): Promise<void> {
  try {
    const handle = await open(folder, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows cannot
  }
}

/** The bytes of a file, also beyond the 2 GiB that `readFile` of node:fs can, or of a pipe, until it ends. */
export async function readBytes(path: FilePath): Promise<Bytes> {
  const name = asPath(path);
  return asking(name, "read", async () => {
    const file = await open(name, "r");
    try {
      const info = await file.stat();
      return await (info.isFile() && info.size > 0 ? readAll(file, info.size, name) : readToEnd(file));
    } finally {
      await file.close();
    }
  });
}

async function readAll(file: FileHandle, length: number, name: string | Buffer): Promise<Bytes> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, Math.min(READ_BYTES, length - at), at);
    if (bytesRead === 0) throw new VicinalError("BAD_FILE", `${name} became shorter while it was read`);
    at += bytesRead;
  }
  return bytes;
}

async function readToEnd(file: FileHandle): Promise<Bytes> {
  const pieces: Uint8Array[] = [];
  const piece = new Uint8Array(PIPE_BYTES);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(piece, 0, PIPE_BYTES, null);
    if (bytesRead === 0) break;
    pieces.push(piece.slice(0, bytesRead));
    length += bytesRead;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const one of pieces) {
    bytes.set(one, at);
    at += one.length;
  }
  return bytes;
}

/** The index in a .vic file on disk, or from a pipe. Errors: those of `load`, BAD_OPTION for what is no path, the file system's. */
export async function openFile(path: FilePath, options?: LoadOptions): Promise<VectorIndex> {
  return load({ arrayBuffer: () => readBytes(path) }, options);
}

// ---- paths --------------------------------------------------------------------------------------------------------

/** A path as node:fs takes it on every system: text, or the bytes of a name. */
function asPath(path: FilePath): string | Buffer {
  const name = ArrayBuffer.isView(path) ? Buffer.from(path.buffer, path.byteOffset, path.byteLength) : textOf(path);
  if (name === undefined)
    throw badOption(`path is ${brief((path as URL)?.href ?? path)}; it must be text, a file: URL or a Buffer`);
  if (name.length === 0) throw badOption("path is empty");
  if (name.includes("\0")) throw badOption(`path is ${brief(path)}; no file's name has a zero byte in it`);
  return name;
}

/** A change of text, done to bytes too: Latin-1 keeps each of them. */
function changed(path: string | Buffer, change: (path: string) => string): string | Buffer {
  return typeof path === "string" ? change(path) : Buffer.from(change(path.toString("latin1")), "latin1");
}

function inside(folder: string | Buffer, name: string | Buffer): string | Buffer {
  return changed(folder, (path) => join(path, typeof name === "string" ? name : name.toString("latin1")));
}

function endsAsFolder(path: string | Buffer): boolean {
  return [sep, "/"].some((end) => `${path}`.endsWith(end));
}

/** What a path leads to; undefined where nothing is there yet. */
async function statOf(path: string | Buffer): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  if (await lstat(path).catch(() => undefined)) {
    throw badOption(`${path} is a link to a file that is not there; create that file or remove the link`);
  }
  return undefined;
}

/** Puts the path that was asked for into errors of the file system, which name the temporary file or none. */
async function asking<T>(path: string | Buffer, done: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, errno, syscall, message } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    throw Object.assign(new Error(`${path} was not ${done}: ${message}`, { cause: error }), {
      code,
      errno,
      syscall,
      path: `${path}`,
    });
  }
}

function badOption(message: string): VicinalError {
  return new VicinalError("BAD_OPTION", message);
}

/** A value as it appears in a sentence. */
function brief(value: unknown): string {
  return inspect(value, { depth: -1, maxStringLength: 40 });
}
