// Paths as callers of Node give them.
import { fileURLToPath } from "node:url";

/** Text as it is, and the path of a `file:` URL; undefined for what is neither. */
export function textOf(path: unknown): string | undefined {
  if (typeof path === "string") return path;
  try {
    return fileURLToPath(path as URL);
  } catch {
    return undefined;
  }
}
