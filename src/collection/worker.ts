// A collection in a worker: its calls go there and back, and the thread that has them stays free.

import { type Port, Wire } from "../border/wire.js";
import { failure } from "../storage/failures.js";
import type { Wanting } from "../storage/told.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import { Answering, type Asked, type News, type Served } from "./answering.js";
import { AskedCollection } from "./asking.js";

/** What is asked of the worker. */
type Body = Asked | { readonly call: "close" };

function checkPort(port: unknown, name: string): Port {
  if (typeof (port as Port)?.postMessage === "function") return port as Port;
  throw badOption(
    `${name} is ${show(port)}; it must be a Worker, or what a worker talks through: self, or parentPort of node:worker_threads`,
  );
}

/**
 * In a worker's script of yours: opens a collection and does what WorkerCollection asks for. `port`: default the worker's own,
 * `self`; in Node it is `parentPort` of node:worker_threads. What goes wrong in `open` is told to whoever asks.
 */
export function serve(open: () => Promise<Served>, port: Port = globalThis as unknown as Port): void {
  if (typeof open !== "function") throw badOption(`open is ${show(open)}; it must be a function that opens the collection`);
  serveOn(checkPort(port, "port"), open);
}

/** @internal The same; `open` may ask the other side. */
export function serveOn(port: Port, open: (wire: Wire) => Promise<Served>): void {
  const wire = new Wire(port, {
    async answer(body, { signal, told }) {
      const leading = await answering;
      const asked = body as Body;
      return asked.call === "close" ? leading.close() : leading.answer(asked, signal, told);
    },
  });
  const answering = Promise.resolve(wire)
    .then(open)
    .then((collection) => new Answering(collection, (news) => wire.tell(news)));
  answering.catch(() => {}); // told to whoever asks
}

/** @internal What a worker is to whoever has made it. */
export interface Keeper {
  /** Words for messages: "collection in folder ./docs". */
  readonly what: string;
  /** What the worker asks for. */
  answer(body: unknown, wanting: Wanting & { readonly signal: AbortSignal }): unknown;
  /** The process is not to end before there are answers. */
  waits(waiting: boolean): void;
  /** Called once, when the collection is closed or the worker has died. */
  ended(): Promise<void>;
}

/**
 * A collection that a worker has open: of `Collection.open` with `worker: true`, or by `serve`. Its calls are those of Collection,
 * all with promises, and arguments must be plain data.
 */
export class WorkerCollection extends AskedCollection {
  readonly #wire: Wire;
  readonly #keeper: Keeper | undefined;
  #closing: Promise<void> | undefined;
  #ended: Promise<void> | undefined;
  /** Why nothing can be asked any more. */
  #over: VicinalError | undefined;

  private constructor(port: Port, keeper?: Keeper) {
    super();
    this.#keeper = keeper;
    this.#wire = new Wire(port, {
      ...(keeper && { answer: (body, wanting) => keeper.answer(body, wanting), waits: (waiting) => keeper.waits(waiting) }),
      news: (body) => this.heard(body as News),
      died: (why) => this.#died(why),
    });
  }

  /**
   * Asks the worker, in which `serve` was called. Errors: BAD_OPTION; those of the `open` there; BAD_RUNTIME where the worker
   * cannot start.
   */
  static async open(worker: Port): Promise<WorkerCollection> {
    return new WorkerCollection(checkPort(worker, "worker")).greet();
  }

  /** @internal The same of a worker that goes with the collection. */
  static async kept(worker: Port, keeper: Keeper): Promise<WorkerCollection> {
    return new WorkerCollection(worker, keeper).greet();
  }

  /**
   * Closes the collection, and ends the worker that `worker: true` has made; any other is left to whoever made it. Any later use is
   * CLOSED.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = this.#wire.ask({ call: "close" } satisfies Body);
    this.#over = new VicinalError("CLOSED", `the ${this.#keeper?.what ?? "collection in a worker"} is closed`);
    this.#wire.end(this.#over, { waits: true });
    try {
      await closed.catch((error) => {
        // Unless it was never open, or the worker has died.
        if (this.greeted && !this.#ended) throw error;
      });
    } finally {
      this.#wire.end(this.#over);
      await this.#end();
    }
  }

  #died(why: string): void {
    if (this.#ended) return;
    this.#end().catch(() => {}); // what it had open is told by the next open
    const what = this.greeted
      ? `the worker that has the collection has died: ${why}. Open the collection again`
      : `the worker of the collection could not start: ${why}. A Content-Security-Policy must have worker-src blob:, or take serve() of "vicinal/worker"`;
    this.#over = failure("BAD_RUNTIME", what);
    this.#wire.end(this.#over);
  }

  /** @internal */
  protected override check(): void {
    if (this.#over) throw this.#over;
  }

  #end(): Promise<void> {
    this.#ended ??= this.#keeper?.ended() ?? Promise.resolve();
    return this.#ended;
  }

  /** @internal */
  protected override request(asked: Asked, wanting: Wanting): Promise<unknown> {
    return this.#wire.ask(asked, wanting);
  }
}
