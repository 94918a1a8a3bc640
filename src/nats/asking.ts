// One question to one shard: to the replica with the least to do; to another where that is busy, behind or gone, and also where it has
// not answered after the time in which 95 of 100 answers come. The first answer counts.
import { errors, type NatsConnection } from "@nats-io/nats-core";
import { failure } from "../storage/failures.js";
import { errorOf } from "../storage/told.js";
import type { Bytes } from "../words/arrays.js";
import { VicinalError } from "../words/errors.js";
import type { Alive } from "./alive.js";
import type { Answer, Question } from "./asked.js";
import { Latencies } from "./latencies.js";
import { askSubject, replicaSubject } from "./names.js";
import { pack, unpack } from "./parcel.js";

/** A second request goes out so soon while few answers have been seen. */
const HEDGE_MS = 50;
const LEAST_HEDGE_MS = 2;
const SEEN = 32;
/** Where everything is slow second requests make it slower: but for one in ten questions they wait for so long. */
const SHARE = 0.1;
const MOST_SAVED = 20;
const LATE_MS = 100;
/** After all replicas were tried, before they are again. */
const PAUSE_MS = 20;
/** After all were asked and none has answered, before one is asked again; then twice as long. */
const RESEND_MS = 250;

export interface Found {
  readonly value: unknown;
  readonly bytes: Bytes;
}

export interface AskedShard {
  readonly name: string;
  readonly generation: number;
  readonly shard: number;
}

export class Asking {
  readonly latencies = new Latencies();
  /** Requests that went out beside one that had no answer yet, and those in place of one that was sent away. */
  hedged = 0;
  again = 0;
  /** Second requests that may go out at once. */
  #saved = MOST_SAVED;

  constructor(readonly nc: NatsConnection) {}

  /** When the second request goes out. */
  get hedgeMs(): number {
    return this.latencies.count < SEEN ? HEDGE_MS : Math.max(LEAST_HEDGE_MS, this.latencies.quantile(0.95));
  }

  /** Whether a second request may go out now; `late`: after LATE_MS. */
  mayHedge(late: boolean): boolean {
    if (this.#saved < 1) return late;
    this.#saved--;
    return true;
  }

  /** Errors: NO_ANSWER; TOO_LARGE; those of the replica, where every one would say the same. */
  async ask(of: AskedShard, alive: Alive, question: Question, bytes?: Uint8Array): Promise<Found> {
    const payload = pack(question, bytes);
    const most = this.nc.info?.max_payload ?? 1 << 20;
    if (payload.length > most) {
      throw new VicinalError(
        "TOO_LARGE",
        `the question is ${payload.length} bytes, more than the ${most} that the server takes (max_payload): ask less at once, or by fewer conditions`,
      );
    }
    this.#saved = Math.min(MOST_SAVED, this.#saved + SHARE);
    return new Promise((resolve, reject) => new One(this, of, alive, question, payload, resolve, reject).begin());
  }
}

class One {
  readonly #tried = new Set<string>();
  readonly #ends: number;
  readonly #said = new Map<string, number>();
  #timers: ReturnType<typeof setTimeout>[] = [];
  #done = false;

  constructor(
    readonly asking: Asking,
    readonly of: AskedShard,
    readonly alive: Alive,
    readonly question: Question,
    readonly payload: Bytes,
    readonly resolve: (found: Found) => void,
    readonly reject: (error: unknown) => void,
  ) {
    this.#ends = performance.now() + question.within;
  }

  begin(): void {
    this.#later(this.question.within, () => this.#end(() => this.reject(this.#noAnswer())));
    this.#send();
    this.#hedge();
  }

  #hedge(waited = 0): void {
    const { hedgeMs } = this.asking;
    this.#later(hedgeMs, () => {
      if (this.alive.next(this.of.shard, this.#tried) === undefined) return this.#resend(RESEND_MS);
      const late = waited + hedgeMs >= LATE_MS;
      if (!this.asking.mayHedge(late)) return this.#hedge(waited + hedgeMs);
      this.asking.hedged++;
      this.#send();
      this.#hedge();
    });
  }

  /** All have been asked, and none answers: what was on its way when the server went is lost. */
  #resend(milliseconds: number): void {
    this.#later(milliseconds, () => {
      this.#tried.clear();
      this.asking.again++;
      this.#send();
      this.#resend(2 * milliseconds);
    });
  }

  #later(milliseconds: number, then: () => void): void {
    this.#timers.push(setTimeout(() => !this.#done && then(), milliseconds));
  }

  #send(): void {
    const { name, generation, shard } = this.of;
    const replica = this.alive.next(shard, this.#tried);
    if (replica !== undefined) this.#tried.add(replica);
    const subject =
      replica === undefined ? askSubject(name, generation, shard) : replicaSubject(name, generation, shard, replica);
    void this.#request(subject, replica);
  }

  async #request(subject: string, replica: string | undefined): Promise<void> {
    const { nc, latencies } = this.asking;
    const began = performance.now();
    if (replica !== undefined) this.alive.began(replica);
    try {
      const message = await nc.request(subject, this.payload, { timeout: Math.max(1, this.#ends - began) });
      const { value, bytes } = unpack(message.data);
      const answer = value as Answer;
      if ("elsewhere" in answer) return this.#elsewhere(answer.elsewhere);
      latencies.add(performance.now() - began);
      this.#end(() => ("error" in answer ? this.reject(errorOf(answer.error)) : this.resolve({ value: answer.value, bytes })));
    } catch (error) {
      if (nc.isClosed()) return this.#end(() => this.reject(error));
      if (!isNobody(error)) return; // the time is over, or the server away until then
      if (replica !== undefined) this.alive.gone(replica);
      this.#elsewhere("gone");
    } finally {
      if (replica !== undefined) this.alive.ended(replica);
    }
  }

  /** To another at once; where there is none that was not tried, to all again a little later. */
  #elsewhere(why: string): void {
    if (this.#done) return;
    this.#said.set(why, (this.#said.get(why) ?? 0) + 1);
    this.asking.again++;
    if (this.alive.next(this.of.shard, this.#tried) !== undefined) {
      this.#send();
      return;
    }
    this.#later(PAUSE_MS, () => {
      this.#tried.clear();
      this.#send();
    });
  }

  #end(then: () => void): void {
    if (this.#done) return;
    this.#done = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    then();
  }

  #noAnswer(): VicinalError {
    const { name, shard, generation } = this.of;
    const said = [...this.#said].map(([why, times]) => `${why} ${times} times`).join(", ");
    return failure(
      "NO_ANSWER",
      `shard ${shard} of ${name} (generation ${generation}) has not answered within ${this.question.within} ms${said && `: ${said}`}; ${this.#tried.size} replicas are known`,
    );
  }
}

/** Whether nobody listens on a subject, which the server says at once. */
function isNobody(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  return error instanceof errors.NoRespondersError || cause instanceof errors.NoRespondersError;
}
