import type { NatsConnection, Status } from "@nats-io/nats-core";

/** Calls `back` whenever the server is there again. What it returns ends that. */
export function onReconnect(nc: NatsConnection, back: () => void): () => void {
  const statuses = nc.status() as AsyncIterable<Status> & { stop(): void };
  void (async () => {
    for await (const { type } of statuses) if (type === "reconnect") back();
  })();
  return () => statuses.stop();
}
