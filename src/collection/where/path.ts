// Paths: names of members with dots between them; a number is also a place in an array.
import { type ErrorCode, show, VicinalError } from "../../words/errors.js";

/** Deep enough for any document; a walk may recurse as far. */
const MOST_KEYS = 32;
const MOST_LENGTH = 1024;

/** Names that every object answers to: what a document says there cannot be told from what JavaScript does. */
const inherited = (name: string): boolean => name in Object.prototype;

/** Paths that have been checked, which are asked for again and again. */
const checked = new Map<string, readonly string[]>();
const MOST_CHECKED = 256;

/** "author.name" as ["author", "name"]. */
export function keysOf(path: string, at: string, code: ErrorCode): readonly string[] {
  const known = checked.get(path);
  if (known) return known;
  const keys = path.split(".");
  const wrong = (why: string): VicinalError => new VicinalError(code, `${at}: the path ${show(path)} ${why}`);
  if (path.length > MOST_LENGTH) throw wrong(`is ${path.length} characters long; at most ${MOST_LENGTH} can be asked for`);
  if (keys.length > MOST_KEYS) throw wrong(`has ${keys.length} names; at most ${MOST_KEYS} can be asked for`);
  for (const key of keys) {
    if (key === "") throw wrong("has an empty name");
    if (key.startsWith("$")) throw wrong(`names ${show(key)}, which begins as operators do`);
    if (inherited(key)) throw wrong(`names ${show(key)}, which every JavaScript object has`);
  }
  if (checked.size >= MOST_CHECKED) checked.clear();
  checked.set(path, keys);
  return keys;
}
