// A copy of the index in each worker; one, too. All changes are made by all of them, in one order.
import type { FilterSource } from "../search/filter.js";
import { failure } from "../storage/failures.js";
import type { VicinalError } from "../words/errors.js";
import { Feeding } from "./feeding.js";
import { type Fill, type Hands, type Hearing, type Over, reads } from "./hands.js";
import { Member, type Side } from "./member.js";
import { type Found, Queue } from "./queue.js";
import type { Asked, Facts, News, Origin, Piece, Search, Verb } from "./words.js";

export class Copied implements Hands, Side {
  facts!: Facts;
  readonly #members: Member[] = [];
  readonly #queue: Queue;
  readonly #over: Over;
  readonly #maxBytes: number | undefined;
  readonly #feeding = new Feeding();
  readonly #filters = new Map<number, FilterSource>();
  /** The change that is being made, and those that wait for it. */
  #turn: Promise<unknown> = Promise.resolve();
  #ended: VicinalError | undefined;

  private constructor(queue: number, maxBytes: number | undefined, over: Over) {
    this.#queue = new Queue(queue);
    this.#maxBytes = maxBytes;
    this.#over = over;
  }

  static async open(origin: Origin, copies: number, queue: number, over: Over): Promise<Copied> {
    const copied = new Copied(queue, "bytes" in origin ? origin.maxBytes : undefined, over);
    try {
      await Promise.all(Array.from({ length: copies }, () => copied.#hire(origin)));
    } catch (error) {
      copied.end(failure("CLOSED", "the pool was never open"));
      throw error;
    }
    return copied;
  }

  async #hire(origin: Origin): Promise<void> {
    const member = new Member(this);
    await member.ask({ call: "own", origin, readers: 0 });
    for (const [filter, source] of this.#filters) await member.ask({ call: "prepare", filter, source });
    if (this.#ended) return member.end(this.#ended);
    this.#members.push(member);
    this.#queue.join(member);
  }

  find(search: Search, signal: AbortSignal | undefined): Promise<Found> {
    return this.#queue.find(search, signal);
  }

  async do(verb: Verb, args: readonly unknown[], hearing: Hearing = {}): Promise<unknown> {
    if (reads(verb)) return this.#first().ask({ call: "do", verb, args }, hearing);
    return this.#all({ call: "do", verb, args }, hearing);
  }

  addAll(hasIds: boolean, fill: Fill, hearing: Hearing): Promise<void> {
    return this.#inTurn(() => this.#feeding.run(this.#members.length, hasIds, fill, (asked) => this.#each(asked, hearing)));
  }

  async prepare(filter: number, source: FilterSource): Promise<number> {
    const size = await this.#all({ call: "prepare", filter, source });
    this.#filters.set(filter, source);
    return size as number;
  }

  async forget(filter: number): Promise<void> {
    this.#filters.delete(filter);
    await this.#all({ call: "forget", filter });
  }

  end(why: VicinalError): void {
    this.#ended ??= why;
    this.#queue.end(this.#ended);
    for (const member of this.#members.splice(0)) member.end(this.#ended);
  }

  #first(): Member {
    const [first] = this.#members;
    if (first) return first;
    throw this.#ended ?? failure("BAD_RUNTIME", "the pool has no worker");
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #all(asked: Asked, hearing?: Hearing): Promise<unknown> {
    return this.#inTurn(() => this.#each(asked, hearing));
  }

  /** What all answer alike; those that die meanwhile do not count, as long as one is left. */
  async #each(asked: Asked, hearing: Hearing = {}): Promise<unknown> {
    this.#first();
    const members = [...this.#members];
    // One tells of what goes on: the others do the same.
    const answers = await Promise.allSettled(
      members.map((member, i) => member.ask(asked, i ? { signal: hearing.signal } : hearing)),
    );
    const counts = members.findIndex(({ dead }) => !dead);
    const answer = answers[Math.max(counts, 0)];
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  }

  piece(feed: number, number: number): Promise<Piece | undefined> {
    return this.#feeding.piece(feed, number);
  }

  news({ facts }: News): void {
    this.facts = facts;
  }

  died(member: Member): void {
    const at = this.#members.indexOf(member);
    if (at < 0 || this.#ended) return;
    this.#members.splice(at, 1);
    this.#queue.leave(member);
    if (this.#members.length === 0) {
      this.#lose(member.dead as VicinalError);
      return;
    }
    // Another takes its place, with what one of the others holds between two changes.
    this.#inTurn(async () => {
      const bytes = (await this.#first().ask({ call: "do", verb: "toBytes", args: [] })) as Uint8Array;
      await this.#hire({ bytes, maxBytes: this.#maxBytes });
    }).catch((error) => {
      if (!this.#members.length) this.#lose(error);
    });
  }

  #lose({ message }: Error): void {
    const why = failure("BAD_RUNTIME", `${message}, and nobody else had the index. Open the pool again`);
    this.end(why);
    this.#over(why);
  }
}
