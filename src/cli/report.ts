import { VicinalError } from "./core.js";
import { InputError, UsageError } from "./errors.js";

const SYSTEM_SENTENCES: Record<string, string> = {
  ENOENT: "no such file or folder",
  EISDIR: "is a folder, not a file",
  ENOTDIR: "a part of the path is not a folder",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
  ELOOP: "its links lead round in a circle",
  ENAMETOOLONG: "the name is too long",
  EFBIG: "the file would be larger than is allowed",
  EPIPE: "whoever was reading has gone",
};

/** Whether the command line itself is at fault, rather than what it names. */
export function isUsage(error: unknown): boolean {
  return error instanceof UsageError || (error instanceof VicinalError && error.code === "BAD_OPTION");
}

/** The sentence for an error that its user can act on, or undefined when it is a fault of this program. */
export function sentenceFor(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof InputError || error instanceof UsageError || error instanceof VicinalError) return error.message;
  const { code, path, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return undefined;
  return `${path ?? syscall}: ${SYSTEM_SENTENCES[code] ?? error.message}`;
}
