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

  ask(asked: Asked, wanting?: Wanting, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    return this.#wire.ask(asked, wanting, transfer);
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
