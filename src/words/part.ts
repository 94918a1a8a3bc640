import { VicinalError } from "./errors.js";

/** A part of vicinal that is imported when it is needed. */
export function part<T>(imported: Promise<T>): Promise<T> {
  return imported.catch((error) => {
    throw new VicinalError(
      "BAD_RUNTIME",
      `a part of vicinal cannot be imported (${error.message}): "vicinal/static" has all in one file`,
    );
  });
}
