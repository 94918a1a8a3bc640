// One index in a memory that all workers search: the first has it and changes it, by a lock that the others hold while they read.
import type { FilterSource } from "../search/filter.js";
import { failure } from "../storage/failures.js";
import type { VicinalError } from "../words/errors.js";
import { Feeding } from "./feeding.js";
import type { Fill, Hands, Hearing, Over } from "./hands.js";
import { isChanging, type LockWords, letGo, newLock } from "./lock.js";
import { Member, type Side } from "./member.js";
import { Prepared } from "./prepared.js";
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
  readonly #prepared = new Prepared();
  /** All that are there, those too that are about to begin. */
  readonly #all = new Set<Member>();
  /** The one that has the index; undefined while another is being hired. */
  #owner: Member | undefined;
  /** By their number; undefined while another is being hired, who has joined when the promise resolves. */
  readonly #readers: (Member | undefined)[];
  readonly #hiring: Promise<void>[];
  #shared: Shared | undefined;
  /** Until all readers search where the index is now. */
  #joining: Promise<unknown> = Promise.resolve();
  /** While an owner that has died is being followed. */
  #mending: Promise<unknown> = Promise.resolve();
  /** Of readers, while they get a larger region. */
  readonly #widening = new Map<number, Promise<unknown>>();
  #ended: VicinalError | undefined;

  private constructor(threads: number, queue: number, maxBytes: number | undefined, over: Over) {
    this.#lock = newLock(threads - 1);
    this.#readers = Array.from({ length: threads - 1 });
    this.#hiring = Array.from({ length: threads - 1 }, () => Promise.resolve());
    this.#queue = new Queue(queue, {
      roomOf: (member) => this.#shared?.regions[this.#readers.indexOf(member)]?.bytes ?? 0,
      widen: (member, had) => this.#widen(this.#readers.indexOf(member), had),
    });
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

  #hired(work: (member: Member) => Promise<unknown>): Promise<Member> {
    return Member.hired(this, (member) => this.#all.add(member), work);
  }

  async #hireOwner(origin: Origin): Promise<void> {
    const owner = await this.#hired(async (member) => {
      await member.ask({ call: "own", origin, readers: this.#readers.length, lock: this.#lock });
      await this.#prepared.again(member);
      await this.#joining;
    });
    if (this.#ended) return owner.end(this.#ended);
    this.#owner = owner;
    this.#queue.join(owner);
  }

  #hireReader(reader: number): Promise<void> {
    this.#hiring[reader] = this.#joined(reader).then((member) => {
      if (this.#ended) return member.end(this.#ended);
      this.#readers[reader] = member;
      if (this.#shared?.regions[reader]) this.#queue.join(member);
    });
    return this.#hiring[reader];
  }

  /** A new member that searches where the index is. */
  async #joined(reader: number): Promise<Member> {
    for (let tries = 1; ; tries++) {
      let made: Member | undefined;
      try {
        return await this.#hired(async (member) => {
          made = member;
          let shared: Shared | undefined;
          while (shared !== this.#shared) {
            shared = this.#shared;
            await this.#join(member, reader);
          }
        });
      } catch (error) {
        letGo(this.#lock, reader);
        if (!made?.dead || tries === MOST_TRIES || this.#ended) throw error;
        await new Promise((resolve) => setTimeout(resolve, tries * PAUSE_MS));
      }
    }
  }

  /** One for which there is no region does not search. */
  async #join(member: Member, reader: number): Promise<void> {
    const shared = this.#shared as Shared;
    if (shared.regions[reader]) await member.ask({ call: "join", shared, reader, lock: this.#lock });
  }

  find(search: Search, signal: AbortSignal | undefined, counts: boolean): Promise<Found> {
    return this.#queue.find(search, signal, counts);
  }

  do(verb: Verb, args: readonly unknown[], hearing?: Hearing): Promise<unknown> {
    return this.#ask({ call: "do", verb, args }, hearing);
  }

  async addAll(hasIds: boolean, fill: Fill, hearing: Hearing): Promise<void> {
    await this.#mending;
    const takers = this.#owner ? [this.#owner] : [];
    return this.#feeding.run(takers, hasIds, fill, (asked) => this.#ask(asked, hearing));
  }

  prepare(filter: number, source: FilterSource): Promise<number> {
    return this.#prepared.prepare(filter, source, (asked) => this.#ask(asked));
  }

  forget(filter: number): Promise<void> {
    return this.#prepared.forget(filter, (asked) => this.#ask(asked));
  }

  end(why: VicinalError): void {
    this.#ended ??= why;
    this.#queue.end(this.#ended);
    for (const member of this.#all) member.end(this.#ended);
    this.#all.clear();
  }

  /** Of the owner; when it answers, all readers know. */
  async #ask(asked: Asked, hearing?: Hearing): Promise<unknown> {
    await this.#mending;
    if (this.#ended || !this.#owner) throw this.#ended ?? failure("BAD_RUNTIME", "the pool has no worker");
    const answer = await this.#owner.ask(asked, hearing);
    await this.#joining;
    return answer;
  }

  /** Whether a reader has a larger region than it had, for a search that found that too small. One at a time: all of a message ask. */
  async #widen(reader: number, had: number): Promise<boolean> {
    await this.#widening.get(reader);
    const region = this.#shared?.regions[reader];
    if (!region) return false;
    if (region.bytes > had) return true;
    if (region.bytes >= MOST_REGION) return false;
    const widening = this.#ask({ call: "widen", reader, bytes: 2 * region.bytes });
    this.#widening.set(
      reader,
      widening.catch(() => {}),
    );
    await widening;
    return true;
  }

  piece(feed: number, number: number, member: Member): Promise<Piece | undefined> {
    return this.#feeding.piece(feed, number, member);
  }

  news({ facts, shared }: News): void {
    this.facts = facts;
    if (!shared) return;
    this.#shared = shared;
    const joining = this.#readers.map(async (member, reader) => {
      if (!member) return;
      try {
        if (!shared.regions[reader]) this.#queue.leave(member);
        await this.#join(member, reader);
        if (shared.regions[reader]) this.#queue.join(member);
      } catch (error) {
        // Of one that has died died() tells. One that has no room is never to search where the index was.
        if (!member.dead) member.fail(error as Error);
      }
    });
    this.#joining = Promise.all([this.#joining, ...joining]);
  }

  died(member: Member): void {
    this.#all.delete(member);
    this.#feeding.leave(member);
    if (this.#ended) return;
    this.#queue.leave(member);
    if (member === this.#owner) {
      this.#owner = undefined;
      this.#mending = this.#follow(member.dead as VicinalError);
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
    for (let tries = 1; !this.#owner && !this.#ended; tries++) {
      try {
        if (isChanging(this.#lock)) throw why;
        await Promise.allSettled(this.#hiring);
        const reader = this.#readers.find((one, i) => one && !one.dead && this.#shared?.regions[i]);
        if (!reader) throw why;
        const bytes = (await reader.ask({ call: "bytes" })) as Uint8Array;
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
