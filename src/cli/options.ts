import { InvalidArgumentError } from "commander";
import { UsageError } from "./errors.js";

/** Argument parsers for commander: each refuses, with the reason, what it cannot take. */

export function positiveInt(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError("Expected a whole number from 1.");
  return value;
}

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new InvalidArgumentError("Expected a whole number from 0.");
  return Number(text);
}

export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}

export function factor(text: string): number {
  const value = finiteNumber(text);
  if (value < 1) throw new InvalidArgumentError("Expected a number from 1.");
  return value;
}

/** What `parse` takes, or one word that stands for a value. */
export function orWord<T, W>(parse: (text: string) => T, word: string, value: W): (text: string) => T | W {
  return (text) => {
    if (text === word) return value;
    try {
      return parse(text);
    } catch (error) {
      throw error instanceof InvalidArgumentError
        ? new InvalidArgumentError(error.message.replace(/\.$/, `, or "${word}".`))
        : error;
    }
  };
}

/** Several, by commas. */
export function listOf<T>(parse: (text: string) => T): (text: string) => T[] {
  return (text) => text.split(",").map((part) => parse(part.trim()));
}

/** Of an option that may be given again: what a field holds, by its path. */
export function fieldOf(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.lastIndexOf(":");
  if (at < 1) throw new UsageError(`--field is ${text}; it must be a path and a kind, such as lang:keyword`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** The value of an option that is JSON; undefined where it is not given. */
export function jsonOf(option: string, text: string | undefined, example: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${option} is no JSON (${(error as Error).message}): write it as '${example}'`);
  }
}
