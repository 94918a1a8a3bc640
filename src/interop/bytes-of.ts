// Files however they are given: bytes, Blob, Response, URL, or in Node a path. Read at any place and in pieces, so that a large one
// need not be in memory beside the index that is made of it.
import { baseHere } from "../input/base-here.js";
import { show, VicinalError } from "../words/errors.js";
import { tagOf } from "../words/tag.js";
import { needed } from "./builtin.js";

/** What has bytes and can be read in parts: a Blob, a File. */
export interface BlobLike {
  readonly size: number;
  slice(from: number, to: number): { arrayBuffer(): Promise<ArrayBuffer> };
}
/** A Response, as of fetch. */
export interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  readonly url: string;
  /** Where there is one, it is read as it comes. */
  readonly body?: { getReader(): ByteStream } | null;
  arrayBuffer(): Promise<ArrayBuffer>;
}
interface ByteStream {
  read(): Promise<{ done: boolean; value?: Uint8Array }>;
  cancel(): Promise<void>;
}

/**
 * Bytes, a Blob or File, a Response, a URL; text is a URL where it has a scheme, as https:, and else in Node the path of a file, on a page a
 * URL relative to it.
 */
export type FileLike = Uint8Array | ArrayBuffer | ArrayBufferView | BlobLike | ResponseLike | URL | string;

/** An open file. */
export interface ByteSource {
  /** As errors name it; undefined of bytes. */
  readonly name: string | undefined;
  /** Of a file on disk. */
  readonly path?: string;
  readonly size: number;
  /** Bytes from..to, which are there; not to be changed. */
  read(from: number, to: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What one call of a path's read brings. */
const READ_BYTES = 1 << 20;

/** Opens what a file is given as. Errors: BAD_FILE where it is none of these or a server does not answer with it; those of the file system. */
export async function openBytes(file: FileLike): Promise<ByteSource> {
  const isBuffer = /^(Shared)?ArrayBuffer$/.test(tagOf(file) ?? "");
  if (isBuffer || ArrayBuffer.isView(file)) return ofBytes(viewOf(file as ArrayBuffer | ArrayBufferView));
  const response = await responseOf(file);
  if (response) return ofBytes(new Uint8Array(await response.arrayBuffer()), nameOf(response));
  if (typeof file === "string" || isUrl(file)) return ofPath(file);
  if (typeof (file as Partial<BlobLike> | undefined)?.slice === "function") return ofBlob(file as BlobLike);
  throw new VicinalError("BAD_FILE", `a file is given as bytes, a Blob, a Response, a URL or a path, not ${show(file)}`);
}

/** All of a file. Bytes that were given are not copied. */
export async function bytesOf(file: FileLike): Promise<Uint8Array> {
  const source = await openBytes(file);
  try {
    return await source.read(0, source.size);
  } finally {
    await source.close();
  }
}

/** Bytes from..to in pieces of at most about a megabyte that are whole records of `unit` bytes. */
export async function* piecesOf(source: ByteSource, from: number, to: number, unit = 1): AsyncGenerator<Uint8Array> {
  const step = Math.max(Math.floor(READ_BYTES / unit), 1) * unit;
  for (let at = from; at < to; at += step) yield source.read(at, Math.min(at + step, to));
}

function viewOf(file: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(file) ? new Uint8Array(file.buffer, file.byteOffset, file.byteLength) : new Uint8Array(file);
}

function ofBytes(bytes: Uint8Array, name?: string): ByteSource {
  return { name, size: bytes.length, read: async (from, to) => bytes.subarray(from, to), close: async () => {} };
}

function ofBlob(blob: BlobLike): ByteSource {
  const { name } = blob as { name?: string };
  const read = async (from: number, to: number): Promise<Uint8Array> => new Uint8Array(await blob.slice(from, to).arrayBuffer());
  return { name, size: blob.size, read, close: async () => {} };
}

/** What a server answers to a URL, or has answered; undefined where the file is neither. Errors: BAD_FILE where it is not the file. */
export async function responseOf(file: FileLike): Promise<ResponseLike | undefined> {
  const isText = typeof file === "string" || isUrl(file);
  if (isText && isPath(file)) return undefined;
  const { slice, arrayBuffer } = (file ?? {}) as Partial<BlobLike & ResponseLike>;
  if (!isText && (typeof arrayBuffer !== "function" || typeof slice === "function")) return undefined;
  const response = isText ? await fetched(file) : (file as ResponseLike);
  if (!response.ok) throw new VicinalError("BAD_FILE", `${nameOf(response)} answered with status ${response.status}`);
  return response;
}

/** As errors say it. */
export function nameOf(response: ResponseLike): string {
  return response.url || "the server";
}

/** What comes of an answer, as it comes. */
export async function* bodyOf(response: ResponseLike): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return yield new Uint8Array(await response.arrayBuffer());
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) if (step.value) yield step.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

function isUrl(file: unknown): file is URL {
  return typeof (file as URL | undefined)?.href === "string" && typeof (file as URL).protocol === "string";
}

/** Two letters at least: C:\ is a path. */
const SCHEME = /^[a-z][a-z\d+.-]+:/i;

/** Whether text is the path of a file, and no URL. */
export function isPath(file: string | URL): boolean {
  const text = String(file);
  return /^file:/i.test(text) || (!SCHEME.test(text) && baseHere() === undefined);
}

async function fetched(file: string | URL): Promise<ResponseLike> {
  const url = new URL(file, baseHere()).href;
  try {
    return await fetch(url);
  } catch (error) {
    throw new VicinalError("BAD_FILE", `${url} could not be fetched: ${(error as Error).message}`);
  }
}

/** Text as it is, and the path of a `file:` URL. */
export function pathOf(path: string | URL): string {
  return /^file:/i.test(String(path)) ? needed("node:url").fileURLToPath(path) : String(path);
}

async function ofPath(path: string | URL): Promise<ByteSource> {
  const name = pathOf(path);
  const file = await needed("node:fs/promises").open(name, "r");
  const info = await file.stat();
  if (!info.isFile()) {
    await file.close();
    throw new VicinalError("BAD_FILE", `${name} is no file that can be read at any place`);
  }
  const read = async (from: number, to: number): Promise<Uint8Array> => {
    const bytes = new Uint8Array(to - from);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(bytes.length - at, READ_BYTES), from + at);
      if (bytesRead === 0) throw new VicinalError("BAD_FILE", `${name} became shorter while it was read`);
      at += bytesRead;
    }
    return bytes;
  };
  return { name, path: name, size: info.size, read, close: () => file.close() };
}
