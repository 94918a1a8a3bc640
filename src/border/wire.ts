// Questions and answers between two threads, either of which may ask.
//
//   ask    id body told    told: whether the asker wants to hear of what goes on meanwhile
//   told   id body         which is this
//   drop   id              the asker does not want the answer any more
//   answer id value | error
//   news   body            of nobody's question
import { failure, wordsOf } from "../storage/failures.js";
import { failureOf, hearReply, type Pending, type Reply, type Told, type Wanting } from "../storage/told.js";
import type { VicinalError } from "../words/errors.js";
import { heed } from "../words/options.js";

/** A Worker of the web or of Node, or what such a worker talks through. */
export interface Port {
  postMessage(message: unknown, transfer?: never[]): void;
}

/** What it has besides: of the web the one, of Node the other. */
interface Events {
  addEventListener?(type: string, listener: (event: { data?: unknown; message?: string }) => void): void;
  on?(type: string, listener: (value: unknown) => void): void;
}

type Message =
  | { readonly kind: "ask"; readonly id: number; readonly body: unknown; readonly told: boolean }
  | { readonly kind: "drop"; readonly id: number }
  | Reply<number>
  | { readonly kind: "news"; readonly body: unknown };

/** What this side does. */
export interface Side {
  /** Called at once, in the order in which the other side has asked. A Uint8Array that it answers is the other side's from then on. */
  answer?(body: unknown, wanting: { readonly signal: AbortSignal; readonly told: Told | undefined }): unknown;
  news?(body: unknown): void;
  /** The other side is there no more. */
  died?(why: string): void;
  /** This side waits for answers, or does not any more. */
  waits?(waiting: boolean): void;
}

interface Process {
  getBuiltinModule?(name: string): { parentPort: Port | null } | undefined;
}

/** What a worker talks through to whoever has made it. */
export function ownPort(): Port {
  const { process } = globalThis as { process?: Process };
  return process?.getBuiltinModule?.("node:worker_threads")?.parentPort ?? (globalThis as unknown as Port);
}

/** Calls `heard` with each message. */
export function listen(port: Port, heard: (message: unknown) => void): void {
  const events = port as Events;
  if (events.on) events.on("message", heard);
  else events.addEventListener?.("message", ({ data }) => heard(data));
}

export class Wire {
  readonly #port: Port;
  readonly #side: Side;
  readonly #pending = new Map<number, Pending>();
  readonly #answering = new Map<number, AbortController>();
  #asked = 0;
  #over: VicinalError | undefined;

  constructor(port: Port, side: Side) {
    this.#port = port;
    this.#side = side;
    listen(port, (message) => this.#hear(message as Message));
    const events = port as Events;
    const died = (why: unknown): void => side.died?.(wordsOf(why));
    if (events.on) {
      events.on("error", died);
      events.on("exit", () => died("it has ended"));
    } else events.addEventListener?.("error", ({ message }) => died(message ?? "an error, or a script that may not run"));
  }

  /** What the other side answers. Errors: its; the signal's reason; BAD_OPTION for what is no plain data; that of `end`. */
  ask(body: unknown, { signal, told }: Wanting = {}, transfer: readonly ArrayBuffer[] = []): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#over) throw this.#over;
      heed(signal);
      const id = ++this.#asked;
      const done = (): void => {
        signal?.removeEventListener("abort", drop);
        this.#pending.delete(id);
        if (this.#pending.size === 0) this.#side.waits?.(false);
      };
      const drop = (): void => {
        done();
        this.#post({ kind: "drop", id });
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", drop, { once: true });
      if (this.#pending.size === 0) this.#side.waits?.(true);
      this.#pending.set(id, {
        told,
        resolve: (value) => {
          done();
          resolve(value);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      });
      try {
        this.#post({ kind: "ask", id, body, told: told !== undefined }, transfer);
      } catch (error) {
        done();
        throw failure("BAD_OPTION", `what is asked of a worker must be plain data: ${wordsOf(error)}`, error);
      }
    });
  }

  tell(news: unknown): void {
    this.#post({ kind: "news", body: news });
  }

  /** Nothing more is asked, nor answered: what is asked for is `error`, and so is all that had no answer, unless it is to wait for it. */
  end(error: VicinalError, { waits = false } = {}): void {
    this.#over ??= error;
    if (waits) return;
    for (const { reject } of [...this.#pending.values()]) reject(error);
    for (const controller of this.#answering.values()) controller.abort(error);
  }

  #post(message: Message, transfer: readonly ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transfer as never[]);
  }

  #hear(message: Message): void {
    switch (message?.kind) {
      case "ask":
        void this.#answer(message.id, message.body, message.told);
        return;
      case "drop":
        this.#answering.get(message.id)?.abort();
        return;
      case "told":
      case "answer":
        hearReply(this.#pending, message);
        return;
      case "news":
        this.#side.news?.(message.body);
    }
  }

  async #answer(id: number, body: unknown, told: boolean): Promise<void> {
    const controller = new AbortController();
    this.#answering.set(id, controller);
    try {
      const { signal } = controller;
      const tell = told ? (body: unknown): void => this.#post({ kind: "told", id, body }) : undefined;
      const value = await this.#side.answer?.(body, { signal, told: tell });
      const own = value instanceof Uint8Array && value.byteLength === value.buffer.byteLength;
      this.#post({ kind: "answer", id, value }, own ? [value.buffer as ArrayBuffer] : []);
    } catch (error) {
      // Also where the answer is no plain data.
      this.#post({ kind: "answer", id, error: failureOf(error) });
    } finally {
      this.#answering.delete(id);
    }
  }
}
