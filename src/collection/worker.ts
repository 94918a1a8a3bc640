// A collection in a worker: its calls go there and back, and the thread that has them stays free.
import { failure, wordsOf } from "../storage/failures.js";
import { errorOf, type Failure, failureOf } from "../storage/told.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { Answering, type Asked, type News } from "./answering.js";
import { AskedCollection } from "./asking.js";
import type { Collection } from "./collection.js";

/** A Worker of the web or of Node, or what such a worker talks through. */
export interface Port {
  postMessage(message: unknown): void;
}

/** What it has besides: of the web the one, of Node the other. */
interface Events {
  addEventListener?(type: string, listener: (event: { data?: unknown; message?: string }) => void): void;
  on?(type: string, listener: (value: unknown) => void): void;
}

type Message =
  | { readonly kind: "ask"; readonly id: number; readonly body: Asked | "close" }
  | { readonly kind: "drop"; readonly id: number }
  | { readonly kind: "answer"; readonly id: number; readonly value?: unknown; readonly error?: Failure }
  | { readonly kind: "news"; readonly body: News };

/** Calls `heard` with each message. */
function listen(port: Port, heard: (message: Message) => void): void {
  const events = port as Events;
  if (events.on) events.on("message", (value) => heard(value as Message));
  else events.addEventListener?.("message", ({ data }) => heard(data as Message));
}

function checkPort(port: unknown, name: string): Port {
  if (typeof (port as Port)?.postMessage === "function") return port as Port;
  throw badOption(
    `${name} is ${show(port)}; it must be a Worker, or what a worker talks through: self, or parentPort of node:worker_threads`,
  );
}

/**
 * In the worker: opens a collection and does what WorkerCollection asks for. `port`: default the worker's own, `self`; in Node it
 * is `parentPort` of node:worker_threads. What goes wrong in `open` is told to whoever asks.
 */
export function serve(open: () => Promise<Collection>, port: Port = globalThis as unknown as Port): void {
  if (typeof open !== "function") throw badOption(`open is ${show(open)}; it must be a function that opens the collection`);
  const to = checkPort(port, "port");
  const tell = (body: News): void => to.postMessage({ kind: "news", body } satisfies Message);
  const answering = open().then((collection) => new Answering(collection, tell));
  answering.catch(() => {}); // told below
  const dropping = new Map<number, AbortController>();
  const answer = async (id: number, body: Asked | "close"): Promise<void> => {
    const controller = new AbortController();
    dropping.set(id, controller);
    try {
      const leading = await answering;
      const value = await (body === "close" ? leading.close() : leading.answer(body, controller.signal));
      to.postMessage({ kind: "answer", id, value } satisfies Message);
    } catch (error) {
      to.postMessage({ kind: "answer", id, error: failureOf(error) } satisfies Message);
    } finally {
      dropping.delete(id);
    }
  };
  listen(to, (message) => {
    if (message?.kind === "ask") void answer(message.id, message.body);
    if (message?.kind === "drop") dropping.get(message.id)?.abort();
  });
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/**
 * A collection that a worker has open, by `serve`. Its calls are those of Collection, all with promises, and arguments must be
 * plain data.
 */
export class WorkerCollection extends AskedCollection {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  #asked = 0;
  #gone: VicinalError | undefined;

  private constructor(port: Port) {
    super();
    this.#port = port;
    listen(port, (message) => this.#hear(message));
    const died = (why: unknown): void =>
      this.#end(failure("BAD_RUNTIME", `the worker that has the collection has died: ${wordsOf(why)}`));
    const events = port as Events;
    if (events.on) {
      events.on("error", died);
      events.on("exit", () => died("it has ended"));
    } else events.addEventListener?.("error", ({ message }) => died(message ?? "an error"));
  }

  /**
   * Asks the worker, in which `serve` was called. Errors: BAD_OPTION; those of the `open` there; BAD_RUNTIME where the worker
   * cannot start.
   */
  static async open(worker: Port): Promise<WorkerCollection> {
    return new WorkerCollection(checkPort(worker, "worker")).greet();
  }

  /** Closes the collection; the worker is left to whoever made it. Any later use is CLOSED. */
  async close(): Promise<void> {
    if (this.#gone) return;
    const closed = this.#ask("close");
    this.#gone = new VicinalError("CLOSED", "the collection in a worker is closed");
    await closed.catch(() => {}); // it was never open, or has died
  }

  /** @internal */
  protected override request(asked: Asked, signal?: AbortSignal): Promise<unknown> {
    return this.#ask(asked, signal);
  }

  #ask(body: Asked | "close", signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#gone) throw this.#gone;
      if (signal?.aborted) throw signal.reason;
      const id = ++this.#asked;
      const drop = (): void => {
        this.#pending.delete(id);
        this.#port.postMessage({ kind: "drop", id } satisfies Message);
        reject((signal as AbortSignal).reason);
      };
      const done = (): void => signal?.removeEventListener("abort", drop);
      signal?.addEventListener("abort", drop, { once: true });
      this.#pending.set(id, {
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
        this.#port.postMessage({ kind: "ask", id, body } satisfies Message);
      } catch (error) {
        this.#pending
          .get(id)
          ?.reject(failure("BAD_OPTION", `what is asked of a worker must be plain data: ${wordsOf(error)}`, error));
        this.#pending.delete(id);
      }
    });
  }

  #hear(message: Message): void {
    if (message?.kind === "news") this.heard(message.body);
    if (message?.kind !== "answer") return;
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.error) pending?.reject(errorOf(message.error));
    else pending?.resolve(message.value);
  }

  #end(error: VicinalError): void {
    this.#gone ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }
}
