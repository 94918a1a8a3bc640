import { InvalidArgumentError } from "commander";

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

export function positiveInts(text: string): number[] {
  return text.split(",").map((part) => positiveInt(part.trim()));
}
