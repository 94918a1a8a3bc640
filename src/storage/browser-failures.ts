// Errors of a browser's stores as a storage's.
import { type ErrorCode, VicinalError } from "../words/errors.js";
import { failure, wordsOf } from "./failures.js";

const CODES: Readonly<Record<string, readonly [code: ErrorCode, what: string]>> = {
  NoModificationAllowedError: ["LOCKED", "another tab or worker has it open"],
  NotFoundError: ["STORAGE_LOST", "the browser's data were cleared, or it was removed by somebody else; open it again"],
  InvalidStateError: ["STORAGE_LOST", "the browser has closed its store, as when data are cleared; open it again"],
  AbortError: ["STORAGE_LOST", "the browser has given it up, as when data are cleared; open it again"],
  SecurityError: [
    "NO_STORAGE",
    "this page may not store anything: sites in private windows, sandboxed frames and file: pages may not",
  ],
  NotAllowedError: [
    "NO_STORAGE",
    "this page may not store anything: sites in private windows, sandboxed frames and file: pages may not",
  ],
};

export const nameOf = (error: unknown): string => (error as { name?: string } | null)?.name ?? "";

/** What went wrong at doing something with a file, such as "docs.log in OPFS folder docs could not be written". */
export async function failed(what: string, error: unknown): Promise<VicinalError> {
  if (error instanceof VicinalError) return error;
  if (nameOf(error) === "QuotaExceededError") {
    return failure(
      "NO_SPACE",
      `${what}: ${await quota()}; remove something, or ask for more by navigator.storage.persist()`,
      error,
    );
  }
  const [code, why] = CODES[nameOf(error)] ?? ["IO_ERROR", "the browser says"];
  return failure(code, `${what}: ${why} (${wordsOf(error)})`, error);
}

async function quota(): Promise<string> {
  const { usage, quota } = await Promise.resolve(navigator.storage?.estimate?.()).then(
    (estimate) => estimate ?? {},
    () => ({}) as StorageEstimate,
  );
  const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const told = usage !== undefined && quota ? ` (this site uses ${megabytes(usage)}, and was promised ${megabytes(quota)})` : "";
  return `the disk or the browser's quota is full${told}`;
}

/** Names that both OPFS and Web Locks take, and that read well in a sentence. */
export function checkStoreName(name: unknown): string {
  if (typeof name === "string" && /^[\w.-]{1,80}$/.test(name) && !/^\.+$/.test(name)) return name;
  throw failure(
    "BAD_OPTION",
    `${JSON.stringify(name) ?? String(name)} is no name of a store: 1 to 80 letters, digits and . _ - are`,
  );
}
