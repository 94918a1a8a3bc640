import { errors } from "@nats-io/nats-core";

/** Whether nobody listens on a subject, which the server says at once. */
export function isNobody(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  return error instanceof errors.NoRespondersError || cause instanceof errors.NoRespondersError;
}
