// Which replicas of which shards there are, by what they tell once a second, and which of them is asked next.
import type { NatsConnection, Subscription } from "@nats-io/nats-core";
import type { Beat } from "./asked.js";
import { beatSubject, whoSubject } from "./names.js";

/** One that has told nothing for so long is asked last. */
const STALE_MS = 2500;
/** And after so long it is forgotten. */
const FORGOTTEN_MS = 60_000;

interface Known {
  beat: Beat;
  at: number;
  /** Questions of this coordinator that it has not answered. */
  open: number;
}

export class Alive {
  readonly #known = new Map<string, Known>();
  readonly #nc: NatsConnection;
  readonly #who: string;
  readonly #heard: Subscription;
  #first: (() => void) | undefined;

  constructor(nc: NatsConnection, name: string, generation: number) {
    this.#nc = nc;
    this.#who = whoSubject(name, generation);
    this.#heard = nc.subscribe(beatSubject(name, generation), {
      callback: (error, message) => {
        if (error) return;
        const beat = message.json<Beat>();
        this.#known.set(beat.replica, { beat, at: performance.now(), open: this.#known.get(beat.replica)?.open ?? 0 });
        this.#first?.();
      },
    });
    this.refresh();
  }

  /** Waits until each of so many shards has one that answers, but no longer than that. */
  async greet(shards: number, milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      const look = (): void => {
        for (let shard = 0; shard < shards; shard++) if (!this.of(shard).some(({ ready }) => ready)) return;
        clearTimeout(timer);
        resolve();
      };
      this.#first = look;
      look();
    });
    this.#first = undefined;
  }

  /** Has all replicas tell how they are. */
  refresh(): void {
    this.#nc.publish(this.#who);
  }

  of(shard: number): Beat[] {
    const now = performance.now();
    for (const [replica, { at }] of this.#known) if (now - at > FORGOTTEN_MS) this.#known.delete(replica);
    return [...this.#known.values()].filter(({ beat }) => beat.shard === shard).map(({ beat }) => beat);
  }

  /** The one with the least to do among those that are not `tried`; undefined where there is none. */
  next(shard: number, tried: ReadonlySet<string>): string | undefined {
    const now = performance.now();
    let best: { replica: string; cost: number } | undefined;
    for (const [replica, { beat, at, open }] of this.#known) {
      if (beat.shard !== shard || tried.has(replica)) continue;
      const late = now - at > STALE_MS || !beat.ready;
      const cost = (late ? 1e6 : 0) + open + Math.random();
      if (!best || cost < best.cost) best = { replica, cost };
    }
    return best?.replica;
  }

  began(replica: string): void {
    const known = this.#known.get(replica);
    if (known) known.open++;
  }

  ended(replica: string): void {
    const known = this.#known.get(replica);
    if (known) known.open--;
  }

  /** There is nobody of that name any more. */
  gone(replica: string): void {
    this.#known.delete(replica);
  }

  /** Documents of all shards, each as its furthest replica has it. */
  get size(): number {
    const shards = new Map<number, Beat>();
    for (const { beat } of this.#known.values()) {
      const before = shards.get(beat.shard);
      if (!before || before.applied < beat.applied) shards.set(beat.shard, beat);
    }
    return [...shards.values()].reduce((sum, { size }) => sum + size, 0);
  }

  close(): void {
    this.#heard.unsubscribe();
  }
}
