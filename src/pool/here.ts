// What there is here: cores, files.
import type { FileBytes, FileSource } from "../file/vic.js";
import { VicinalError } from "../words/errors.js";
import { tagOf } from "../words/tag.js";

interface Here {
  readonly navigator?: { readonly hardwareConcurrency?: number };
  readonly document?: unknown;
  readonly process?: { getBuiltinModule?(name: string): unknown };
}
const here = globalThis as Here;

export function coresHere(): number {
  const os = here.process?.getBuiltinModule?.("node:os") as { availableParallelism?(): number } | undefined;
  return os?.availableParallelism?.() ?? here.navigator?.hardwareConcurrency ?? 1;
}

/** The bytes of a file, wherever it is; undefined for what is no file. They are its own. */
export async function bytesFrom(source: FileBytes | FileSource | string | URL): Promise<Uint8Array | undefined> {
  if (typeof source === "string" || source instanceof URL) return fromPlace(source);
  if (ArrayBuffer.isView(source)) {
    return new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength).slice();
  }
  if (/^(Shared)?ArrayBuffer$/.test(tagOf(source) ?? "")) return new Uint8Array(source as ArrayBuffer).slice();
  if (typeof (source as FileSource | null)?.arrayBuffer !== "function") return undefined;
  const { ok, status, url } = source as FileSource;
  if (ok === false) throw new VicinalError("BAD_FILE", `${url} was answered with status ${status}`);
  return bytesFrom(await (source as FileSource).arrayBuffer());
}

/** Of a URL, or in Node of a path. */
async function fromPlace(place: string | URL): Promise<Uint8Array | undefined> {
  const fs = here.process?.getBuiltinModule?.("node:fs/promises") as
    | { readFile(path: string | URL): Promise<Uint8Array> }
    | undefined;
  const isFile = !/^(https?|blob|data):/.test(`${place}`);
  if (fs && isFile && !here.document) return fs.readFile(place);
  return bytesFrom(await fetch(place));
}
