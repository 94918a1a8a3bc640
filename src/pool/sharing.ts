// One index in a memory that all workers search: the first has it and changes it, by a lock that the others hold while they read.
import type { FilterSource } from "../search/filter.js";
import { failure } from "../storage/failures.js";
import type { VicinalError } from "../words/errors.js";
import { Feeding } from "./feeding.js";
import type { Fill, Hands, Hearing, Over } from "./hands.js";
import { isChanging, type LockWords, letGo, newLock } from "./lock.js";
import { Member, type Side } from "./member.js";
import { type Found, Queue } from "./queue.js";
import type { Asked, Facts, News, Origin, Piece, Search, Shared, Verb } from "./words.js";

/** Workers that are tried one after the other, where they die before they have begun. */
const MOST_TRIES = 5;
const PAUSE_MS = 100;
/** A region that a search finds too small is doubled, up to this. */
const MOST_REGION = 1 << 28;

export class Sharing implements Hands, Side {
  facts!: Facts;
  readonly #lock: LockWords;
  readonly #queue: Queue;
  readonly #over: Over;
  readonly #maxBytes: number | undefined;
  readonly #feeding = new Feeding();
  readonly #filters = new Map<number, FilterSource>();
  /** The one that has the index, or is about to. */
  #owner!: Member;
  #owns = false;
  /** By their number; undefined while another is being hired, who has joined when the promise resolves. */
  readonly #readers: (Member | undefined)[];
  readonly #hiring: Promise<void>[];
  #shared: Shared | undefined;
  /** Until all readers search where the index is now. */
  #joining: Promise<unknown> = Promise.resolve();
  /** While an owner that has died is being followed. */
  #mending: Promise<unknown> = Promise.resolve();
  #ended: VicinalError | undefined;

  private constructor(threads: number, queue: number, maxBytes: number | undefined, over: Over) {
    this.#lock = newLock(threads - 1);
    this.#readers = Array.from({ length: threads - 1 });
    this.#hiring = Array.from({ length: threads - 1 }, () => Promise.resolve());
    this.#queue = new Queue(queue, (member) => this.#widen(member));
    this.#maxBytes = maxBytes;
    this.#over = over;
  }

  static async open(origin: Origin, threads: number, queue: number, over: Over): Promise<Sharing> {
    const sharing = new Sharing(threads, queue, "bytes" in origin ? origin.maxBytes : undefined, over);
    try {
      await sharing.#hireOwner(origin);
      await Promise.all(sharing.#readers.map((_, reader) => sharing.#hireReader(reader)));
    } catch (error) {
      sharing.end(failure("CLOSED", "the pool was never open"));
      throw error;
    }
    return sharing;
  }

  async #hireOwner(origin: Origin): Promise<void> {
    const owner = new Member(this);
    this.#owner = owner;
    await owner.ask({ call: "own", origin, readers: this.#readers.length, lock: this.#lock });
    for (const [filter, source] of this.#filters) await owner.ask({ call: "prepare", filter, source });
    await this.#joining;
    this.#owns = true;
    this.#queue.join(owner);
  }

  #hireReader(reader: number): Promise<void> {
    this.#hiring[reader] = this.#joined(reader).then((member) => {
      if (this.#ended) return member.end(this.#ended);
      this.#readers[reader] = member;
      this.#queue.join(member);
    });
    return this.#hiring[reader];
  }

  /** A new member that searches where the index is. */
  async #joined(reader: number): Promise<Member> {
    for (let tries = 1; ; tries++) {
      const member = new Member(this);
      try {
        let shared: Shared | undefined;
        while (shared !== this.#shared) {
          shared = this.#shared;
          await this.#join(member, reader);
        }
        return member;
      } catch (error) {
        if (!member.dead || tries === MOST_TRIES || this.#ended) throw error;
        letGo(this.#lock, reader);
        await new Promise((resolve) => setTimeout(resolve, tries * PAUSE_MS));
      }
    }
  }

  #join(member: Member, reader: number): Promise<unknown> {
    return member.ask({ call: "join", shared: this.#shared as Shared, reader, lock: this.#lock });
  }

  find(search: Search, signal: AbortSignal | undefined): Promise<Found> {
    return this.#queue.find(search, signal);
  }

  do(verb: Verb, args: readonly unknown[], hearing?: Hearing): Promise<unknown> {
    return this.#ask({ call: "do", verb, args }, hearing);
  }

  addAll(hasIds: boolean, fill: Fill, hearing: Hearing): Promise<void> {
    return this.#feeding.run(1, hasIds, fill, (asked) => this.#ask(asked, hearing));
  }

  async prepare(filter: number, source: FilterSource): Promise<number> {
    const size = await this.#ask({ call: "prepare", filter, source });
    this.#filters.set(filter, source);
    return size as number;
  }

  async forget(filter: number): Promise<void> {
    this.#filters.delete(filter);
    await this.#ask({ call: "forget", filter });
  }

  end(why: VicinalError): void {
    this.#ended ??= why;
    this.#queue.end(this.#ended);
    for (const member of [this.#owner, ...this.#readers.splice(0)]) member?.end(this.#ended);
  }

  /** Of the owner; when it answers, all readers know. */
  async #ask(asked: Asked, hearing?: Hearing): Promise<unknown> {
    await this.#mending;
    if (this.#ended) throw this.#ended;
    const answer = await this.#owner.ask(asked, hearing);
    await this.#joining;
    return answer;
  }

  /** Whether a member has more memory now, for a search that it had too little for. */
  async #widen(member: Member): Promise<boolean> {
    const reader = this.#readers.indexOf(member);
    const region = this.#shared?.regions[reader];
    if (!region || region.bytes >= MOST_REGION) return false;
    await this.#ask({ call: "widen", reader, bytes: 2 * region.bytes });
    return true;
  }

  piece(feed: number, number: number): Promise<Piece | undefined> {
    return this.#feeding.piece(feed, number);
  }

  news({ facts, shared }: News, member: Member): void {
    if (member !== this.#owner) return;
    this.facts = facts;
    if (!shared) return;
    this.#shared = shared;
    const joining = this.#readers.map(async (reader, i) => reader && this.#join(reader, i));
    // Of one that dies meanwhile, died() tells.
    this.#joining = Promise.allSettled([this.#joining, ...joining]);
  }

  died(member: Member): void {
    if (this.#ended) return;
    this.#queue.leave(member);
    const why = member.dead as VicinalError;
    if (member === this.#owner) {
      // Of one that dies before it has the index, whoever hires it hears.
      if (this.#owns) this.#mending = this.#follow(why);
      return;
    }
    const reader = this.#readers.indexOf(member);
    if (reader < 0) return;
    this.#readers[reader] = undefined;
    letGo(this.#lock, reader);
    this.#hireReader(reader).catch(() => {}); // the others go on without it
  }

  /** Another owner gets what a reader finds where the index is, if it is whole. */
  async #follow(why: VicinalError): Promise<void> {
    this.#owns = false;
    for (let tries = 1; !this.#owns && !this.#ended; tries++) {
      try {
        await Promise.allSettled(this.#hiring);
        const reader = this.#readers.find((one) => one && !one.dead);
        if (isChanging(this.#lock) || !reader) throw why;
        const bytes = (await reader.ask({ call: "do", verb: "toBytes", args: [] })) as Uint8Array;
        await this.#hireOwner({ bytes, maxBytes: this.#maxBytes });
      } catch (error) {
        if (tries === MOST_TRIES || error === why) this.#lose(error as Error);
      }
    }
  }

  #lose({ message }: Error): void {
    if (this.#ended) return;
    const why = failure("BAD_RUNTIME", `${message}, and the index with it. Open the pool again`);
    this.end(why);
    this.#over(why);
  }
}
