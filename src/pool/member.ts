// A worker of a pool, as the thread that has made it sees it.
import WORKER from "vicinal-worker:pool/worker-script";
import { Wire } from "../border/wire.js";
import { type Thread, threadOf } from "../border/workers.js";
import { failure, wordsOf } from "../storage/failures.js";
import type { Wanting } from "../storage/told.js";
import type { VicinalError } from "../words/errors.js";
import { wasmText } from "./builds.js";
import type { Asked, News, Piece, Wanted } from "./words.js";

const CSP = "A Content-Security-Policy must have worker-src blob:";

export interface Side {
  /** What is added by a feed of this number. */
  piece(feed: number, number: number, member: Member): Promise<Piece | undefined>;
  news(news: News, member: Member): void;
  died(member: Member): void;
}

export class Member {
  readonly #side: Side;
  readonly #thread: Thread;
  readonly #wire: Wire;
  /** Whether it has said anything. */
  #begun = false;
  /** Messages with searches that it has not answered yet. */
  load = 0;
  /** Why it is there no more. */
  dead: VicinalError | undefined;

  /** Throws BAD_RUNTIME where there are no workers. */
  constructor(side: Side) {
    this.#side = side;
    this.#thread = started();
    this.#wire = new Wire(this.#thread.port, {
      answer: (body) => {
        this.#begun = true;
        const wanted = body as Wanted;
        if (wanted.call === "piece") return side.piece(wanted.feed, wanted.number, this);
        return wasmText(wanted.build, wanted.variant);
      },
      news: (body) => {
        this.#begun = true;
        side.news(body as News, this);
      },
      waits: (waiting) => this.#thread.holds(waiting),
      died: (why) => {
        if (this.dead) return;
        const what = this.#begun
          ? `a worker of the pool has died: ${why}`
          : `a worker of the pool could not start: ${why}. ${CSP}`;
        this.end(failure("BAD_RUNTIME", what));
        side.died(this);
      },
    });
    this.#thread.holds(false);
  }

  /** A new member, of which `made` hears at once, when `work` with it is done; where that fails it is ended. */
  static async hired(side: Side, made: (member: Member) => void, work: (member: Member) => Promise<unknown>): Promise<Member> {
    const member = new Member(side);
    made(member);
    try {
      await work(member);
      if (member.dead) throw member.dead;
      return member;
    } catch (error) {
      member.end(error as VicinalError);
      throw error;
    }
  }

  ask(asked: Asked, wanting?: Wanting, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    return this.#wire.ask(asked, wanting, transfer);
  }

  /** It cannot go on, though it lives: as if it had died. */
  fail(why: Error): void {
    if (this.dead) return;
    this.end(failure("BAD_RUNTIME", `a worker of the pool could not go on: ${why.message}`));
    this.#side.died(this);
  }

  /** All that it was asked ends so. */
  end(why: VicinalError): void {
    this.dead ??= why;
    this.#wire.end(this.dead);
    this.#thread.end();
  }
}

function started(): Thread {
  try {
    return threadOf(WORKER);
  } catch (error) {
    throw failure("BAD_RUNTIME", `no worker can be made here: ${wordsOf(error)}. ${CSP}`, error);
  }
}
