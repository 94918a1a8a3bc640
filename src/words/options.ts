// Checks at the door: each returns the value it has checked, nothing behind it checks again.
import { badOption, show } from "./errors.js";

export function integer(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw badOption(`${name} is ${show(value)}; it must be an integer from ${least} to ${most}`);
  }
  return value;
}

export function real(name: string, value: unknown, least: number, most: number): number {
  if (typeof value !== "number" || !(value >= least && value <= most)) {
    throw badOption(`${name} is ${show(value)}; it must be a number from ${least} to ${most}`);
  }
  return value;
}

export function flag(name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== "boolean") {
    throw badOption(`${name} is ${show(value)}; it must be true or false`);
  }
  return value === true;
}

/** What other libraries call it, without capitals and signs. */
const OTHERS: Readonly<Record<string, string>> = {
  dimensions: "dim dims size",
  metric: "space distance",
  k: "topk limit n nearest",
  l2: "euclidean euclid",
  dot: "ip innerproduct",
  cosine: "angular",
  ef: "efsearch",
  f32: "float32",
  sq8: "int8",
};

const bare = (word: string): string => word.toLowerCase().replace(/\W|_/g, "");
/** A word, and what it is without one of its letters. */
const shorter = (word: string): string[] => [word, ...Array.from(word, (_, i) => word.slice(0, i) + word.slice(i + 1))];

/** ` (did you mean "k"?)` where one of the names may be meant. */
function meant(word: unknown, names: readonly string[]): string {
  const said = typeof word === "string" ? bare(word) : "";
  const near = shorter(said);
  const name =
    names.find((name) => bare(name) === said || OTHERS[name]?.split(" ").includes(said)) ??
    names.find((name) => said.length > 3 && shorter(bare(name)).some((one) => near.includes(one)));
  return name === undefined ? "" : ` (did you mean ${show(name)}?)`;
}

export function oneOf<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  if (!choices.includes(value as T)) {
    throw badOption(`${name} is ${show(value)}${meant(value, choices)}; it must be one of ${choices.join(", ")}`);
  }
  return value as T;
}

/** Refuses a name that nothing would read: a misspelt option must not pass in silence. */
export function known(of: string, options: object, names: readonly string[]): void {
  if (options === null || typeof options !== "object") {
    throw badOption(`${of} takes an object of options, not ${show(options)}`);
  }
  for (const name in options) {
    if (names.includes(name)) continue;
    throw badOption(`${of} has no option ${show(name)}${meant(name, names)}; it has ${names.join(", ")}`);
  }
}

export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined || typeof signal?.addEventListener === "function") return;
  throw badOption(`signal is ${show(signal)}; it must be an AbortSignal`);
}

/** Throws where the signal is aborted. Not by its throwIfAborted(), which those of polyfills lack. */
export function heed(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason ?? new DOMException("This operation was aborted", "AbortError");
}
