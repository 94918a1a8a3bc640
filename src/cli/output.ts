import { fstatSync, type Stats } from "node:fs";
import { stat } from "node:fs/promises";
import { destination } from "./core.js";
import { UsageError } from "./errors.js";

/** Where an index is written to. */
export interface Output {
  /** Bytes, or pieces of them one after the other. */
  readonly write: (bytes: Uint8Array | Iterable<Uint8Array>) => Promise<void>;
  /** Where the summary goes: standard error, where standard output is what the index is written to. */
  readonly summary: NodeJS.WritableStream;
}

/** The path that stands for standard output. */
const STDOUT = "-";

/** Finds out how to write to `path`, and refuses what can be told before the work of building. */
export async function openOutput(path: string, input: string): Promise<Output> {
  const there = path === STDOUT ? undefined : await stat(path).catch(() => undefined);
  if (path === STDOUT || isSame(there, fstatSync(1))) {
    if (process.stdout.isTTY)
      throw new UsageError("standard output is a terminal, and an index is no text: give a file or a pipe");
    return { write: writeStdout, summary: process.stderr };
  }
  if (there?.isFile() && isSame(there, await stat(input).catch(() => undefined))) {
    throw new UsageError(`what is written would overwrite what is read: ${path} is both`);
  }
  return { write: await destination(path), summary: process.stdout };
}

/** Pieces as they are taken, each noted. */
export function* noting(pieces: Iterable<Uint8Array>, note: (piece: Uint8Array) => void): Generator<Uint8Array> {
  for (const piece of pieces) {
    note(piece);
    yield piece;
  }
}

function isSame(one: Stats | undefined, other: Stats | undefined): boolean {
  return one !== undefined && one.dev === other?.dev && one.ino === other.ino;
}

async function writeStdout(bytes: Uint8Array | Iterable<Uint8Array>): Promise<void> {
  // A reader that leaves ends the process: here that is a failure.
  process.exitCode = 1;
  for (const piece of bytes instanceof Uint8Array ? [bytes] : bytes) {
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(piece, (error) => (error ? reject(error) : resolve()));
    });
  }
  process.exitCode = 0;
}
