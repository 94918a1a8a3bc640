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

interface Item {
  readonly search: Search;
  tries: number;
  resolve(found: Found): void;
  reject(error: unknown): void;
}

export class Queue {
  readonly #most: number;
  readonly #members = new Set<Member>();
  #waiting: Item[] = [];
  /** Searches that have no answer yet. */
  #open = 0;
  #over: unknown;
  /** Told of a search that a member had too little memory for: whether it may be asked again. */
  readonly #widens: (member: Member) => Promise<boolean>;

  /** `most`: searches that may be without an answer at a time. */
  constructor(most: number, widens: (member: Member) => Promise<boolean> = async () => false) {
    this.#most = most;
    this.#widens = widens;
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
    for (const { reject } of this.#waiting.splice(0)) reject(this.#over);
  }

  find(search: Search, signal?: AbortSignal): Promise<Found> {
    return new Promise<Found>((resolve, reject) => {
      if (this.#over) throw this.#over;
      heed(signal);
      if (this.#open >= this.#most) {
        throw new VicinalError("BUSY", `${this.#open} searches wait for an answer, and queue is ${this.#most}: ask again later`);
      }
      this.#open++;
      const done = (): void => {
        this.#open--;
        signal?.removeEventListener("abort", drop);
      };
      const item: Item = {
        search,
        tries: 0,
        resolve: (found) => {
          done();
          resolve(found);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      // Where it is on its way, its answer is heard by nobody.
      const drop = (): void => {
        this.#waiting = this.#waiting.filter((one) => one !== item);
        item.resolve = () => {};
        item.reject = () => {};
        done();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", drop, { once: true });
      this.#waiting.push(item);
      this.#send();
    });
  }

  #send(): void {
    while (this.#waiting.length) {
      const free = [...this.#members].filter(({ load }) => load < AHEAD).sort((a, b) => a.load - b.load)[0];
      if (!free) return;
      const share = Math.ceil(this.#waiting.length / (AHEAD * this.#members.size));
      const several = this.#waiting[0].search.many ? 1 : Math.min(share, TOGETHER);
      const items = this.#waiting.splice(0, several);
      void this.#ask(free, items);
    }
  }

  async #ask(member: Member, items: readonly Item[]): Promise<void> {
    member.load++;
    try {
      const answers = (await member.ask({ call: "find", searches: items.map(({ search }) => search) })) as Answer[];
      member.load--;
      await Promise.all(answers.map((answer, i) => this.#settle(member, items[i], answer)));
    } catch (error) {
      member.load--;
      // Unless it has died, what was asked could not be sent.
      for (const item of items) {
        if (member.dead && !this.#over && item.tries++ < RETRIES) this.#waiting.unshift(item);
        else item.reject(error);
      }
    }
    this.#send();
  }

  async #settle(member: Member, item: Item, answer: Answer): Promise<void> {
    if ("value" in answer) return item.resolve(answer.value);
    const error = errorOf(answer.error);
    const again = (error as VicinalError).code === "OUT_OF_MEMORY" && (await this.#widens(member).catch(() => false));
    if (again && !this.#over) this.#waiting.unshift(item);
    else item.reject(error);
  }
}
