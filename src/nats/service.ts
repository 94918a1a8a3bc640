// What monitors of NATS ask of a service (ADR-32, micro): PING, INFO and STATS under $SRV, of all services, of this one by name, of one
// instance. Written here since it is sixty lines, and @nats-io/services on npm is of another core.
import type { Msg, NatsConnection, Subscription } from "@nats-io/nats-core";
import { tell } from "./telling.js";

export const SERVICE = "vicinal";
const VERSION = "1.0.0";
const TYPE = "io.nats.micro.v1";

export interface Endpoint {
  readonly subject: string;
  readonly queue: string;
  readonly metadata: Readonly<Record<string, string>>;
  stats(): { asked: number; failed: number; spentMs: number; data: object };
}

/** Answers for an instance until the returned function is called. */
export function announce(nc: NatsConnection, id: string, endpoint: Endpoint): () => void {
  const started = new Date().toISOString();
  const { subject, queue, metadata } = endpoint;
  const head = (type: string): object => ({ type: `${TYPE}.${type}_response`, name: SERVICE, id, version: VERSION, metadata });
  const verbs: Record<string, () => object> = {
    PING: () => head("ping"),
    INFO: () => ({
      ...head("info"),
      description: "a replica of a shard of a collection",
      endpoints: [{ name: "ask", subject, queue_group: queue }],
    }),
    STATS: () => {
      const { asked, failed, spentMs, data } = endpoint.stats();
      const nanoseconds = Math.round(spentMs * 1e6);
      const one = {
        ...{ name: "ask", subject, queue_group: queue, num_requests: asked, num_errors: failed, data },
        ...{ processing_time: nanoseconds, average_processing_time: Math.round(nanoseconds / Math.max(asked, 1)) },
      };
      return { ...head("stats"), started, endpoints: [one] };
    },
  };
  const subscriptions: Subscription[] = [];
  for (const [verb, answer] of Object.entries(verbs)) {
    const callback = (_: Error | null, message: Msg): void => tell(nc, message?.reply, JSON.stringify(answer()));
    for (const of of ["", `.${SERVICE}`, `.${SERVICE}.${id}`])
      subscriptions.push(nc.subscribe(`$SRV.${verb}${of}`, { callback }));
  }
  return () => {
    for (const subscription of subscriptions) subscription.unsubscribe();
  };
}
