// Writes on their way to the log and to replicas. A message is published until the server has it, by one id, so that it is there once;
// then so many replicas have to tell that it is durable with them: the server itself acknowledges what it has not synced.
import { jetstream } from "@nats-io/jetstream";
import { createInbox, headers, type NatsConnection, type Subscription } from "@nats-io/nats-core";
import { failure } from "../storage/failures.js";
import { errorOf } from "../storage/told.js";
import { VicinalError } from "../words/errors.js";
import { ACK_TO, type Ack, type Beat } from "./asked.js";
import type { Message } from "./changes.js";
import { logSubject, PARTITIONS } from "./names.js";

/** What has been written: JSON, which may go to another process to be read there too. */
export interface Written {
  /** Documents that were put, or were there to be changed. */
  readonly count: number;
  /** By partition, the last sequence in the log. */
  readonly sequences: Readonly<Record<number, number>>;
}

/** Before the same message is published again. */
const PUBLISH_MS = 1000;
const AGAIN_MS = 50;
/** Replicas whose acknowledgement was lost are asked how far they are so often. */
const ASK_MS = 1000;

/** How long writes wait, and for how many. */
export interface Waits {
  readonly replicas: number;
  readonly within: number;
}

/** How far replicas of a partition's shard are. */
export type HowFar = (partition: number) => Promise<readonly Pick<Beat, "replica" | "applied" | "refused">[]>;

interface Waiting {
  readonly replicas: Set<string>;
  count: number;
  heard: () => void;
  error: unknown;
}

export class Writing {
  readonly #inbox: string;
  readonly #heard: Subscription;
  readonly #waiting = new Map<string, Waiting>();
  /** The last of each partition: the next is published when the server has it, so that their order is that of the calls. */
  readonly #last: Promise<unknown>[] = Array.from({ length: PARTITIONS }, () => Promise.resolve());
  readonly #prefix = crypto.randomUUID();
  #made = 0;
  #closed = false;

  /** `counts`: whether replicas of that generation count. */
  constructor(
    readonly nc: NatsConnection,
    readonly name: string,
    readonly counts: (generation: number) => boolean,
    readonly howFar: HowFar,
  ) {
    this.#inbox = createInbox();
    this.#heard = nc.subscribe(this.#inbox, {
      callback: (error, message) => {
        if (error) return;
        const ack = message.json<Ack>();
        const waiting = this.#waiting.get(ack.id);
        if (!waiting || !this.counts(ack.generation)) return;
        waiting.replicas.add(ack.replica);
        waiting.count = ack.count;
        if (ack.error) waiting.error = errorOf(ack.error);
        waiting.heard();
      },
    });
  }

  /** Resolves when all of it is durable. Errors: NO_ANSWER and CLOSED, after which some of it may be there; what replicas refuse. */
  async write(messages: readonly Message[], waits: Waits): Promise<Written> {
    const ends = performance.now() + waits.within;
    const sequences: Record<number, number> = {};
    let count = 0;
    const written = await Promise.allSettled(
      messages.map(async ({ partition, payload }) => {
        const one = await this.#write(partition, payload, waits, ends);
        count += one.count;
        sequences[partition] = Math.max(sequences[partition] ?? 0, one.sequence);
      }),
    );
    for (const one of written) if (one.status === "rejected") throw one.reason;
    return { count, sequences };
  }

  async #write(partition: number, payload: Uint8Array, waits: Waits, ends: number): Promise<{ sequence: number; count: number }> {
    const id = `${this.#prefix}-${++this.#made}`;
    const waiting: Waiting = { replicas: new Set(), count: 0, heard: () => {}, error: undefined };
    this.#waiting.set(id, waiting);
    try {
      const published = this.#last[partition].then(() => this.#publish(partition, id, payload, waits, ends));
      this.#last[partition] = published.catch(() => {});
      const sequence = await this.#inTime(published, waiting, waits, ends);
      await this.#durable(partition, sequence, waiting, waits, ends);
      return { sequence, count: waiting.count };
    } finally {
      this.#waiting.delete(id);
    }
  }

  /** What is published, unless time is over before its turn has come. */
  async #inTime(published: Promise<number>, waiting: Waiting, { within }: Waits, ends: number): Promise<number> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ended = new Promise<never>((_, reject) => {
      const late = new VicinalError("NO_ANSWER", `the log of ${this.name} has not taken a write within ${within} ms`);
      timer = setTimeout(() => reject(late), Math.max(0, ends - performance.now()));
      waiting.heard = () => waiting.error !== undefined && reject(waiting.error);
    });
    try {
      return await Promise.race([published, ended]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #publish(partition: number, id: string, payload: Uint8Array, waits: Waits, ends: number): Promise<number> {
    const to = headers();
    to.set(ACK_TO, this.#inbox);
    for (;;) {
      const left = ends - performance.now();
      try {
        if (this.#closed) throw this.#isClosed();
        if (left <= 0) throw new Error(`${waits.within} ms are over`);
        const { seq } = await jetstream(this.nc).publish(logSubject(this.name, partition), payload, {
          msgID: id,
          headers: to,
          timeout: Math.max(1, Math.min(PUBLISH_MS, left)),
          retries: 1,
        });
        return seq;
      } catch (error) {
        if (this.#closed) throw error;
        if (this.nc.isClosed() || ends - performance.now() <= AGAIN_MS)
          throw failure(
            "NO_ANSWER",
            `the log of ${this.name} has not taken a write within ${waits.within} ms: ${(error as Error).message}`,
            error,
          );
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  async #durable(partition: number, sequence: number, waiting: Waiting, waits: Waits, ends: number): Promise<void> {
    const enough = (): boolean => waiting.error !== undefined || waiting.replicas.size >= waits.replicas;
    while (!enough()) {
      const left = ends - performance.now();
      if (left <= 0) {
        throw new VicinalError(
          "NO_ANSWER",
          `message ${sequence} of ${this.name} is in the log, and durable with ${waiting.replicas.size} replicas of the ${waits.replicas} asked for within ${waits.within} ms`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(ASK_MS, left));
        waiting.heard = () => {
          if (!enough()) return;
          clearTimeout(timer);
          resolve();
        };
        waiting.heard();
      });
      if (enough()) break;
      for (const { replica, applied, refused } of await this.howFar(partition).catch(() => [])) {
        if (applied < sequence) continue;
        const why = refused.find((one) => one.sequence === sequence);
        if (why) waiting.error = errorOf(why.error);
        waiting.replicas.add(replica);
      }
    }
    if (waiting.error !== undefined) throw waiting.error;
  }

  #isClosed(): VicinalError {
    return new VicinalError("CLOSED", `the collection ${this.name} was closed while a write waited`);
  }

  /** What waits is CLOSED; it may be written. */
  close(): void {
    this.#closed = true;
    for (const waiting of this.#waiting.values()) {
      waiting.error = this.#isClosed();
      waiting.heard();
    }
    this.#heard.unsubscribe();
  }
}
