// Errors on their way from one thread or tab to another, which would lose their codes.
import type { ErrorCode } from "../words/errors.js";
import { failure, wordsOf } from "./failures.js";

export interface Failure {
  readonly code?: string | undefined;
  readonly name: string;
  readonly message: string;
}

export function failureOf(error: unknown): Failure {
  const { code, name = "Error" } = error as { code?: unknown; name?: string };
  return { code: typeof code === "string" ? code : undefined, name, message: wordsOf(error) };
}

export function errorOf({ code, name, message }: Failure): Error {
  if (name === "VicinalError") return failure(code as ErrorCode, message);
  return Object.assign(new Error(message), { name }, code === undefined ? {} : { code });
}
