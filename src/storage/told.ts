// What one thread or tab tells another of its questions, errors among it, which would lose their codes on the way.
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

/** Hears of what goes on while an answer is made. */
export type Told = (body: unknown) => void;

/** What a question may have besides itself. */
export interface Wanting {
  readonly signal?: AbortSignal | undefined;
  readonly told?: Told | undefined;
}

/** A question that has no answer yet. */
export interface Pending {
  readonly told: Told | undefined;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export type Reply<Id> =
  | { readonly kind: "told"; readonly id: Id; readonly body: unknown }
  | { readonly kind: "answer"; readonly id: Id; readonly value?: unknown; readonly error?: Failure };

/** Of questions by their ids; one that nobody waits for is passed over. */
export function hearReply<Id>(pending: ReadonlyMap<Id, Pending>, reply: Reply<Id>): void {
  const question = pending.get(reply.id);
  if (reply.kind === "told") question?.told?.(reply.body);
  else if (reply.error) question?.reject(errorOf(reply.error));
  else question?.resolve(reply.value);
}
