// What replicas tell others goes to inboxes alone: to any other subject, the log's among them, it would go with a replica's rights.
import type { NatsConnection } from "@nats-io/nats-core";

const INBOX = /^_INBOX\.[^\s*>]+$/;

/** Nothing is told where there is no such inbox: whoever named it hears nothing. */
export function tell(nc: NatsConnection, to: string | undefined, payload: Uint8Array | string): void {
  if (to === undefined || !INBOX.test(to) || nc.isClosed()) return;
  try {
    nc.publish(to, payload);
  } catch {
    // The connection is about to close, or the server's limits are lower than they were.
  }
}
