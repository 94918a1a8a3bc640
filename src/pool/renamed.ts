// Errors that name a vector by its place in what was sent, which is a part of what the caller gave.
import { VicinalError } from "../words/errors.js";

/** The error, with what a pattern finds in its sentence said otherwise. */
export function renamed(error: unknown, pattern: RegExp, say: (found: string, ...groups: string[]) => string): unknown {
  if (!(error instanceof VicinalError) || !pattern.test(error.message)) return error;
  return new VicinalError(error.code, error.message.replace(pattern, say));
}
