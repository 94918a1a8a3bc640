// A copy of the index in each worker; one, too. All changes are made by all of them, in one order: one waits for the other, but where there
// is one worker alone.
import type { FilterSource } from "../search/filter.js";
import { failure } from "../storage/failures.js";
import type { VicinalError } from "../words/errors.js";
import { Feeding } from "./feeding.js";
import { type Fill, type Hands, type Hearing, type Over, reads } from "./hands.js";
import { Member, type Side } from "./member.js";
import { Prepared } from "./prepared.js";
import { type Found, Queue } from "./queue.js";
import type { Asked, Facts, News, Origin, Piece, Search, Verb } from "./words.js";

export class Copied implements Hands, Side {
  facts!: Facts;
  readonly #copies: number;
  readonly #members: Member[] = [];
  /** Those that have no index yet. */
  readonly #hiring = new Set<Member>();
  readonly #queue: Queue;
  readonly #over: Over;
  readonly #maxBytes: number | undefined;
  readonly #feeding = new Feeding();
  readonly #prepared = new Prepared();
  /** The change that is being made, and those that wait for it. */
  #turn: Promise<unknown> = Promise.resolve();
  #ended: VicinalError | undefined;

  private constructor(copies: number, queue: number, maxBytes: number | undefined, over: Over) {
    this.#copies = copies;
    this.#queue = new Queue(queue);
    this.#maxBytes = maxBytes;
    this.#over = over;
  }

  static async open(origin: Origin, copies: number, queue: number, over: Over): Promise<Copied> {
    const copied = new Copied(copies, queue, "bytes" in origin ? origin.maxBytes : undefined, over);
    try {
      await Promise.all(Array.from({ length: copies }, () => copied.#hire(origin)));
    } catch (error) {
      copied.end(failure("CLOSED", "the pool was never open"));
      throw error;
    }
    return copied;
  }

  async #hire(origin: Origin): Promise<void> {
    let made: Member | undefined;
    const making = (member: Member): void => {
      made = member;
      this.#hiring.add(member);
    };
    try {
      const hired = await Member.hired(this, making, async (member) => {
        await member.ask({ call: "own", origin, readers: 0 });
        await this.#prepared.again(member);
      });
      if (this.#ended) return hired.end(this.#ended);
      this.#members.push(hired);
      this.#queue.join(hired);
    } finally {
      if (made) this.#hiring.delete(made);
    }
  }

  find(search: Search, signal: AbortSignal | undefined, counts: boolean): Promise<Found> {
    return this.#queue.find(search, signal, counts);
  }

  async do(verb: Verb, args: readonly unknown[], hearing: Hearing = {}): Promise<unknown> {
    if (reads(verb)) return this.#first().ask({ call: "do", verb, args }, hearing);
    return this.#all({ call: "do", verb, args }, hearing);
  }

  addAll(hasIds: boolean, fill: Fill, hearing: Hearing): Promise<void> {
    return this.#inTurn(() => this.#feeding.run(this.#members, hasIds, fill, (asked) => this.#each(asked, hearing)));
  }

  prepare(filter: number, source: FilterSource): Promise<number> {
    return this.#prepared.prepare(filter, source, (asked) => this.#all(asked));
  }

  forget(filter: number): Promise<void> {
    return this.#prepared.forget(filter, (asked) => this.#all(asked));
  }

  end(why: VicinalError): void {
    this.#ended ??= why;
    this.#queue.end(this.#ended);
    for (const member of [...this.#members.splice(0), ...this.#hiring]) member.end(this.#ended);
  }

  #first(): Member {
    const [first] = this.#members;
    if (first) return first;
    throw this.#ended ?? failure("BAD_RUNTIME", "the pool has no worker");
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#copies === 1) return work();
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => {});
    return done;
  }

  #all(asked: Asked, hearing?: Hearing): Promise<unknown> {
    return this.#inTurn(() => this.#each(asked, hearing));
  }

  /** What the first answers. Those that die meanwhile do not count, as long as one is left; others are made alike where they may not be. */
  async #each(asked: Asked, hearing: Hearing = {}): Promise<unknown> {
    this.#first();
    const members = [...this.#members];
    const answers = await Promise.allSettled(
      // One tells of what goes on: the others do the same.
      members.map((member, i) => member.ask(asked, i ? { signal: hearing.signal } : hearing)),
    );
    const counts = Math.max(
      members.findIndex(({ dead }) => !dead),
      0,
    );
    const answer = answers[counts];
    const partly = asked.call === "addAll" || (asked.call === "do" && asked.verb === "train");
    const alike = answers.every(({ status }, i) => status === answer.status || members[i].dead);
    if (!alike || (partly && answer.status === "rejected")) await this.#alike(members[counts]);
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  }

  /** The others are replaced by copies of one: each may have come as far as it liked when a change ended early. */
  async #alike(one: Member): Promise<void> {
    if (one.dead || this.#ended) return;
    const others = this.#members.filter((member) => member !== one);
    if (!others.length) return;
    for (const other of others) {
      this.#members.splice(this.#members.indexOf(other), 1);
      this.#queue.leave(other);
      other.end(failure("BAD_RUNTIME", "a worker of the pool was replaced"));
    }
    const bytes = (await one.ask({ call: "do", verb: "toBytes", args: [] })) as Uint8Array;
    await Promise.all(others.map(() => this.#hire({ bytes, maxBytes: this.#maxBytes })));
  }

  piece(feed: number, number: number, member: Member): Promise<Piece | undefined> {
    return this.#feeding.piece(feed, number, member);
  }

  news({ facts }: News, member: Member): void {
    if (!this.#members.length || member === this.#members[0]) this.facts = facts;
  }

  died(member: Member): void {
    this.#feeding.leave(member);
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
