// The seat of an index's engine. Others take it while the index is in use (succession.ts), and some wait meanwhile.

import type { Engine } from "../border/engine.js";
import type { Instance } from "../border/instance.js";
import { enlist } from "../border/tenants.js";
import type { Rows } from "../input/vectors.js";
import type { Fetcher } from "../search/fetching.js";
import { admission, type PreparedFilter } from "../search/filter.js";
import { NO_WORK, type Profile, profileOf } from "../search/plan.js";
import { VicinalError } from "../words/errors.js";
import { KIND_NAMES, METRIC_NAMES } from "../words/kinds.js";
import { addRows } from "./adding.js";
import { replaceRows } from "./replacing.js";

/** How an untrained index comes to have learned (learner.ts). */
export interface Learning {
  /** add() does not wait for it. */
  readonly inBackground: boolean;
  /** Whether n more vectors are enough to learn from. */
  isDue(engine: Engine, n: number): boolean;
  /** Where that will live, with the threads that will build it; whoever takes the seat there has them. */
  readonly home: Instance | undefined;
  /** Has an engine that has learned take the seat, with all that the one before holds and more rows. */
  grow(seat: Seat, rows: Rows, ids: Uint32Array): void;
  /** The same in slices, from what the seat's engine holds. */
  train(seat: Seat): Promise<unknown>;
}

/** An index just made or loaded, on its way into its class. */
export class Opened {
  constructor(
    readonly engine: Engine,
    /** Where the exact rows are the caller's. */
    readonly fetcher: Fetcher | undefined,
    /** While the index is untrained. */
    readonly learner: Learning | undefined,
    readonly why?: string,
  ) {}
}

export class Seat {
  readonly profile: Profile;
  readonly fetcher: Fetcher | undefined;
  /** While the index is untrained. */
  learner: Learning | undefined;
  /** What replaces the engine, while it runs: one at a time. */
  moving: Promise<unknown> | undefined;
  compacting: Promise<void> | undefined;
  /** Those that are open, each with its address in the engine. */
  filters = new Map<PreparedFilter, number>();
  /** Those that link what waits for it, in slices: add() leaves it to them. */
  linking = 0;
  /** While vectors move to another engine: ids added or removed since. */
  touched: Set<number> | undefined;
  /** What waits for others, each called when the index is closed. */
  readonly waiting = new Set<() => void>();
  /** Says how long a slice of addAll is now, in milliseconds, where that is not as ever. */
  sliceMs: (() => number) | undefined;
  lastStats = NO_WORK;
  #engine: Engine | undefined;

  constructor({ engine, fetcher, learner }: Opened) {
    this.#engine = engine;
    enlist(engine);
    this.fetcher = fetcher;
    this.learner = learner;
    const [kind, metric] = [KIND_NAMES[engine.state("kind")], METRIC_NAMES[engine.state("metric")]];
    this.profile = profileOf(kind, metric, engine.state("dimensions"), engine.state("rerankFactor"), fetcher !== undefined);
  }

  get engine(): Engine {
    if (!this.#engine) throw new VicinalError("CLOSED", `this ${this.profile.kind} index is closed`);
    return this.#engine;
  }

  /** A new engine takes the place of the old one; the filters are in it. */
  replace(engine: Engine, filters: Seat["filters"]): void {
    this.#engine?.endThreads?.();
    this.#engine = engine;
    this.filters = filters;
    enlist(engine);
    if (engine.state("trained")) this.learner = undefined;
  }

  /** Adds all rows or, where it throws, none. */
  add(rows: Rows, ids: Uint32Array): void {
    const { engine } = this;
    const due = !this.moving && this.learner?.isDue(engine, rows.n) ? this.learner : undefined;
    const admit = admission(this, ids);
    try {
      if (due && !due.inBackground) due.grow(this, rows, ids);
      else addRows(engine, rows, ids, this.linking > 0);
    } finally {
      admit();
    }
    this.touch(ids);
    if (due?.inBackground) due.train(this).catch(() => {});
  }

  /** Nothing is being linked any more. */
  settle(): void {
    this.#engine?.exports.stopLinking?.();
  }

  /** Adds rows that are its own in place of those that have their ids, or, where it throws, none; returns how many those were. */
  upsert(rows: Rows, ids: Uint32Array): number {
    const { engine } = this;
    const gone = ids.filter((id) => engine.has(id));
    const admit = admission(this, ids);
    replaceRows(engine, rows, ids, gone);
    admit();
    this.touch(ids);
    this.learnLate();
    return gone.length;
  }

  /** Where there is enough to learn from now. What cannot be learned is no error: searches stay exact, and the next add() says why. */
  private learnLate(): void {
    const due = !this.moving && this.learner?.isDue(this.engine, 0) ? this.learner : undefined;
    due?.train(this).catch(() => {});
  }

  touch(ids: Uint32Array): void {
    for (const id of this.touched ? ids : []) this.touched?.add(id);
  }

  close(): void {
    this.#engine?.close();
    this.#engine = undefined;
    this.learner?.home?.endThreads?.();
    this.learner = undefined;
    this.filters.clear();
    for (const hear of this.waiting) hear();
  }
}
