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

export function oneOf<T extends string>(name: string, value: unknown, choices: readonly T[]): T {
  if (!choices.includes(value as T)) {
    throw badOption(`${name} is ${show(value)}; it must be one of ${choices.join(", ")}`);
  }
  return value as T;
}

/** Refuses a name that nothing would read: a misspelt option must not pass in silence. */
export function known(of: string, options: object, names: readonly string[]): void {
  if (options === null || typeof options !== "object") {
    throw badOption(`${of} takes an object of options, not ${show(options)}`);
  }
  for (const name in options) {
    if (!names.includes(name)) throw badOption(`${of} has no option ${show(name)}; it has ${names.join(", ")}`);
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
