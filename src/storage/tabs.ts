// Several tabs on one thing that one alone may have open: the leader has it, by a Web Lock, and the others ask it by a BroadcastChannel. When it
// leaves, crashes or is closed, the next in the lock's queue opens it; what had no answer is asked again.
//
//   who                      a tab that has come asks for the leader
//   leads  term              the leader, when it can answer: each leader has a term of its own
//   ask    term id body told of a tab to that leader and no other, so that nobody does a thing twice in a term
//   told   id body           of the leader, what goes on until there is an answer, where that is wanted
//   drop   term id           the tab does not want the answer any more
//   answer id value | error
//   news   body              of the leader to all others
//
// Whatever was asked is done at least once: a leader that dies after doing it and before saying so leaves it to the next, who does it again.
import { failure, wordsOf } from "./failures.js";
import { waitForLock } from "./locks.js";
import { failureOf, hearReply, type Pending, type Reply, type Told, type Wanting } from "./told.js";

/** What the leader has open. */
export interface Leading {
  /** Does what a tab, this or another, has asked for. Called in the order in which each tab asked. */
  answer(body: unknown, signal: AbortSignal, told?: Told): Promise<unknown>;
  /** Called when all answers are given. */
  close(): Promise<void>;
}

export interface TabsOptions {
  /** Tabs of this name, of one site, belong together. */
  readonly name: string;
  /** Words for messages. */
  readonly place: string;
  /** Called where this tab becomes the leader; `tell` sends news to the others. */
  readonly lead: (tell: (news: unknown) => void) => Promise<Leading>;
  /** Hears the news, where another leads. */
  readonly hear?: (news: unknown) => void;
}

type Message =
  | { readonly kind: "who" }
  | { readonly kind: "leads"; readonly term: string }
  | { readonly kind: "ask"; readonly term: string; readonly id: string; readonly body: unknown; readonly told: boolean }
  | { readonly kind: "drop"; readonly term: string; readonly id: string }
  | Reply<string>
  | { readonly kind: "news"; readonly body: unknown };

/** A request, to be asked again of another leader. */
interface Request extends Pending {
  readonly body: unknown;
  readonly signal: AbortSignal;
}

/** A tab that has died may have what it had open for a moment longer than its place in the queue. */
const PATIENCE_MS = 5000;

export class Tabs {
  readonly #options: TabsOptions;
  readonly #channel: BroadcastChannel;
  readonly #me = crypto.randomUUID();
  readonly #leaving = new AbortController();
  /** What this tab has asked for, in its order, whoever leads. */
  readonly #pending = new Map<string, Request>();
  /** What the leader, this tab, is doing for others. */
  readonly #serving = new Map<string, { readonly dropping: AbortController; readonly done: Promise<void> }>();
  #leading: Leading | undefined;
  /** Of the leader that this tab knows of. */
  #term: string | undefined;
  #queued: Promise<void> | undefined;
  #asked = 0;

  /** Joins the tabs of that name; the first leads. Errors: NO_STORAGE where there are no Web Locks. */
  constructor(options: TabsOptions) {
    this.#options = options;
    this.#channel = new BroadcastChannel(`vicinal-tabs:${options.name}`);
    this.#channel.onmessage = ({ data }) => this.#hear(data as Message);
    this.#post({ kind: "who" });
    this.#queue();
  }

  /** Whether this tab is the leader. */
  get leads(): boolean {
    return this.#leading !== undefined;
  }

  /** What the leader answers. Errors: its; the reason of `signal`; CLOSED where this tab leaves meanwhile, or has left. */
  request(body: unknown, { signal = new AbortController().signal, told }: Wanting = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      if (this.#leaving.signal.aborted) throw this.#closed();
      const id = `${this.#me}:${++this.#asked}`;
      const dropped = (): void => {
        this.#pending.delete(id);
        if (this.#term && !this.#leading) this.#post({ kind: "drop", term: this.#term, id });
        reject(signal.reason);
      };
      signal.addEventListener("abort", dropped, { once: true });
      const done = (): void => {
        this.#pending.delete(id);
        signal.removeEventListener("abort", dropped);
      };
      this.#pending.set(id, {
        body,
        signal,
        told,
        resolve(value) {
          done();
          resolve(value);
        },
        reject(error) {
          done();
          reject(error);
        },
      });
      this.#queue();
      this.#ask(id);
    });
  }

  /** Leaves the tabs: the leader answers first what it has begun, closes what it has open, and the next leads. */
  async leave(): Promise<void> {
    if (!this.#leaving.signal.aborted) {
      this.#leaving.abort(this.#closed());
      for (const { reject } of this.#pending.values()) reject(this.#closed());
    }
    await this.#queued;
    this.#channel.close();
  }

  #closed(): Error {
    return failure("CLOSED", `${this.#options.place} has been closed in this tab`);
  }

  #post(message: Message): void {
    this.#channel.postMessage(message);
  }

  /** Waits in the lock's queue, and leads from when it is this tab's turn until it leaves. */
  #queue(): void {
    this.#queued ??= this.#lead()
      .catch((error) => {
        // Whoever asks again tries again.
        for (const { reject } of this.#pending.values()) reject(error);
      })
      .finally(() => {
        this.#queued = undefined;
      });
  }

  async #lead(): Promise<void> {
    const { name, place, lead } = this.#options;
    const left = this.#leaving.signal;
    const release = await waitForLock(`vicinal-tabs:${name}`, place, left).catch((error) => {
      if (!left.aborted) throw error;
    });
    if (!release) return;
    try {
      // The last leader is gone, whose answers will not come.
      this.#term = undefined;
      const leading = await patiently(() => lead((body) => this.#post({ kind: "news", body })), left);
      if (!leading) return;
      try {
        this.#leading = leading;
        this.#term = crypto.randomUUID();
        this.#post({ kind: "leads", term: this.#term });
        for (const id of [...this.#pending.keys()]) this.#ask(id);
        await new Promise<void>((resolve) => {
          if (left.aborted) resolve();
          left.addEventListener("abort", () => resolve(), { once: true });
        });
        this.#term = undefined;
        await Promise.all([...this.#serving.values()].map(({ done }) => done));
      } finally {
        this.#leading = undefined;
        await leading.close();
      }
    } finally {
      await release();
    }
  }

  /** Asks whoever leads, if anybody does; a leader yet to come is asked when it says so. */
  #ask(id: string): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    const { body, signal, told } = pending;
    if (this.#leading) this.#leading.answer(body, signal, told).then(pending.resolve, pending.reject);
    else if (this.#term) {
      try {
        this.#post({ kind: "ask", term: this.#term, id, body, told: told !== undefined });
      } catch (error) {
        pending.reject(failure("BAD_OPTION", `what is asked of another tab must be plain data: ${wordsOf(error)}`, error));
      }
    }
  }

  #hear(message: Message): void {
    switch (message.kind) {
      case "who":
        if (this.#leading && this.#term) this.#post({ kind: "leads", term: this.#term });
        return;
      case "leads":
        if (message.term === this.#term) return;
        this.#term = message.term;
        // One that could not lead before may when this one is gone.
        this.#queue();
        for (const id of [...this.#pending.keys()]) this.#ask(id);
        return;
      case "ask":
        if (message.term === this.#term && this.#leading) this.#serve(this.#leading, message);
        return;
      case "drop":
        this.#serving.get(message.id)?.dropping.abort();
        return;
      case "told":
      case "answer":
        hearReply(this.#pending, message);
        return;
      case "news":
        if (!this.#leading) this.#options.hear?.(message.body);
    }
  }

  #serve(leading: Leading, { id, body, told }: Message & { kind: "ask" }): void {
    const dropping = new AbortController();
    const tell = told ? (body: unknown): void => this.#post({ kind: "told", id, body }) : undefined;
    const done = leading
      .answer(body, dropping.signal, tell)
      .then((value) => this.#post({ kind: "answer", id, value }))
      // Also where the answer is no plain data.
      .catch((error) => this.#post({ kind: "answer", id, error: failureOf(error) }))
      .finally(() => this.#serving.delete(id));
    this.#serving.set(id, { dropping, done });
  }
}

/** Tries again while what it opens is still held by who has died. Undefined where `left` is aborted meanwhile. */
async function patiently<T>(work: () => Promise<T>, left: AbortSignal): Promise<T | undefined> {
  for (const from = performance.now(); !left.aborted; ) {
    try {
      return await work();
    } catch (error) {
      if ((error as { code?: unknown }).code !== "LOCKED" || performance.now() - from > PATIENCE_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return undefined;
}
