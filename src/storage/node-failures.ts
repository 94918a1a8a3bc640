// Errors of node:fs as a storage's.
import type { ErrorCode, VicinalError } from "../words/errors.js";
import { failure, wordsOf } from "./failures.js";

const CODES: Readonly<Record<string, readonly [code: ErrorCode, what: string]>> = {
  ENOSPC: ["NO_SPACE", "the disk is full; make room and try again"],
  EDQUOT: ["NO_SPACE", "the disk quota is used up; make room and try again"],
  EFBIG: ["NO_SPACE", "no file may be as large here"],
  EROFS: ["READ_ONLY", "the file system is read-only"],
  EACCES: ["READ_ONLY", "this user may not"],
  EPERM: ["READ_ONLY", "this user may not"],
  EMFILE: ["IO_ERROR", "this process has too many files open"],
};

export const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** What went wrong at doing something with a file, such as "docs.log in folder ./docs could not be written". */
export function failed(what: string, error: unknown): VicinalError {
  const [code, why] = CODES[codeOf(error) ?? ""] ?? ["IO_ERROR", "the system says"];
  return failure(code, `${what}: ${why} (${wordsOf(error)})`, error);
}

/** The same of what could not even be read. */
export function unread(what: string, error: unknown): VicinalError {
  const { code, message } = failed(`${what} could not be read`, error);
  return failure(code === "READ_ONLY" ? "NO_STORAGE" : code, message, error);
}

/** The first of these codes is not an error: `fallback` then. */
export async function unless<T, F>(codes: readonly string[], work: Promise<T>, fallback: F): Promise<T | F> {
  try {
    return await work;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? "")) return fallback;
    throw error;
  }
}
