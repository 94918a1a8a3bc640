// Searches that wait for workers, any of which may answer them. A worker has two messages at a time, so that it does not wait for the next, and
// a message several searches where many wait.
import type { Explanation, Hit } from "../border/answers.js";
import type { BatchHits } from "../search/batch.js";
import { errorOf } from "../storage/told.js";
import { VicinalError } from "../words/errors.js";
import { heed } from "../words/options.js";
import type { Member } from "./member.js";
import type { Answer, Search } from "./words.js";

/** Messages that a worker has at a time. */
const AHEAD = 2;
/** Searches of a message. */
const TOGETHER = 32;
/** How often a search is asked again whose worker has died. */
const RETRIES = 1;

export type Found = Hit[] | BatchHits | Explanation;

/** Of members whose memory for searches can grow. */
export interface Rooms {
  /** Bytes that it has; 0 where that is no matter. */
  roomOf(member: Member): number;
  /** Whether it has more by now than `had`, so that a search is worth another try. */
  widen(member: Member, had: number): Promise<boolean>;
}

interface Item {
  readonly search: Search;
  /** Its answer is wanted by nobody any more, or has come. */
  done: boolean;
  tries: number;
  end(answer: { readonly found: Found } | { readonly error: unknown }): void;
}

export class Queue {
  readonly #most: number;
  readonly #rooms: Rooms | undefined;
  readonly #members = new Set<Member>();
  /** Some of them may be done. */
  #waiting: Item[] = [];
  /** Searches that have no answer yet; of a batch its first part. */
  #open = 0;
  #over: VicinalError | undefined;

  /** `most`: searches that may be without an answer at a time. */
  constructor(most: number, rooms?: Rooms) {
    this.#most = most;
    this.#rooms = rooms;
  }

  join(member: Member): void {
    this.#members.add(member);
    this.#send();
  }
  leave(member: Member): void {
    this.#members.delete(member);
  }

  /** Everything ends so, now and later. */
  end(why: VicinalError): void {
    this.#over ??= why;
    for (const item of this.#waiting.splice(0)) item.end({ error: this.#over });
  }

  /** `counts`: not where it is a part of a batch, another part of which does. */
  find(search: Search, signal: AbortSignal | undefined, counts: boolean): Promise<Found> {
    return new Promise<Found>((resolve, reject) => {
      if (this.#over) throw this.#over;
      heed(signal);
      if (counts && this.#open >= this.#most) {
        throw new VicinalError("BUSY", `${this.#open} searches wait for an answer, and queue is ${this.#most}: ask again later`);
      }
      if (counts) this.#open++;
      const item: Item = {
        search,
        done: false,
        tries: 0,
        end: (answer) => {
          if (item.done) return;
          item.done = true;
          if (counts) this.#open--;
          signal?.removeEventListener("abort", drop);
          if ("found" in answer) resolve(answer.found);
          else reject(answer.error);
        },
      };
      const drop = (): void => item.end({ error: signal?.reason });
      signal?.addEventListener("abort", drop, { once: true });
      this.#waiting.push(item);
      this.#send();
    });
  }

  #send(): void {
    for (;;) {
      const free = [...this.#members].filter(({ load }) => load < AHEAD).sort((a, b) => a.load - b.load)[0];
      if (!free) return;
      const share = Math.min(Math.ceil(this.#waiting.length / (AHEAD * this.#members.size)), TOGETHER);
      const items: Item[] = [];
      while (this.#waiting.length && items.length < share) {
        const item = this.#waiting.shift() as Item;
        if (!item.done) items.push(item);
        if (item.search.many && !item.done) break;
      }
      if (!items.length) return;
      void this.#ask(free, items);
    }
  }

  async #ask(member: Member, items: readonly Item[]): Promise<void> {
    const had = this.#rooms?.roomOf(member) ?? 0;
    member.load++;
    try {
      const answers = (await member.ask({ call: "find", searches: items.map(({ search }) => search) })) as Answer[];
      member.load--;
      await Promise.all(answers.map((answer, i) => this.#settle(member, items[i], answer, had)));
    } catch (error) {
      member.load--;
      // Unless it has died, what was asked could not be sent.
      for (const item of items) {
        if (member.dead && item.tries++ < RETRIES) this.#again(item);
        else item.end({ error });
      }
    }
    this.#send();
  }

  async #settle(member: Member, item: Item, answer: Answer, had: number): Promise<void> {
    if ("value" in answer) {
      item.end({ found: answer.value });
      return;
    }
    const error = errorOf(answer.error);
    const isShort = (error as VicinalError).code === "OUT_OF_MEMORY" && had > 0;
    if (isShort && (await this.#rooms?.widen(member, had).catch(() => false))) this.#again(item);
    else item.end({ error });
  }

  #again(item: Item): void {
    if (this.#over) item.end({ error: this.#over });
    else this.#waiting.unshift(item);
  }
}
