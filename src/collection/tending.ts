// What a collection does by itself, one thing at a time, when nobody asks: new vectors move to the main tier, room of removed
// ones is given back, a log that has grown becomes a snapshot. Whatever must not run beside these takes its turn here too.
import type { Flat } from "../family/flat.js";
import { breath } from "../input/slices.js";
import type { Committer } from "./committer.js";
import type { Documents } from "./documents.js";
import { drain } from "./merging.js";
import { vectorBytes } from "./rows.js";

/** A scan of so many bytes takes some tenths of a millisecond: until there is more, there is no main tier. */
const FRESH_BYTES = 4 << 20;
/** Changes wait while more than this is in the fresh tier, and moving. */
const MOST_FRESH_BYTES = 8 << 20;
/** And while more than this is there, and a main tier is being built: a scan of it takes about as long as ten searches of a graph. */
const MOST_BUILDING_BYTES = 64 << 20;
/** Memory of an empty fresh tier beyond which it is given back. */
const KEPT_BYTES = 8 << 20;
/** Of removed vectors in the main tier. */
const MOST_DELETED = 0.25;
/** A log is not worth a snapshot below this. */
const LEAST_LOGGED = 32 << 20;
/** Nor below so much of what the last snapshot takes. */
const LOGGED_SHARE = 0.5;
/** After a failure, before the next attempt; twice as long after each that follows, up to a minute. */
const PAUSE_MS = 1000;
const LONGEST_MS = 60_000;
/** So many vectors are many. */
const MANY = 512;
/** It is quiet when nothing has come for so long. */
const QUIET_MS = 100;

/** What else there is to do. */
export interface Chores {
  /** Builds another main tier of all documents. */
  rebuild(): Promise<void>;
  snapshot(): Promise<void>;
  /** The main tier was made for so many documents and no more; Infinity: for any number. */
  capacity(): number;
  /** Bytes of the last snapshot. */
  snapshotBytes(): number;
  /** A new index like the fresh tier. */
  newFresh(): Promise<Flat>;
  /** Aborted when the end has come. */
  readonly signal: AbortSignal;
}

export class Tending {
  /** What went wrong the last time, until it went well. */
  problem: unknown;
  /** What is being done. */
  now: "idle" | "merging" | "building" | "compacting" | "snapshot" = "idle";
  #turn: Promise<unknown> = Promise.resolve();
  #tending = false;
  #ended = false;
  #pause: ReturnType<typeof setTimeout> | undefined;
  /** It rests a while, as it went wrong so many times in a row. */
  #resting = false;
  #failures = 0;
  /** When something was changed last. */
  #changed = 0;

  constructor(
    readonly documents: Documents,
    readonly committer: Committer,
    readonly chores: Chores,
  ) {}

  /** Runs work when nothing else does that changes tiers or files as a whole. */
  inTurn<T>(what: Tending["now"], work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(async () => {
      this.now = what;
      try {
        return await work();
      } finally {
        this.now = "idle";
      }
    });
    this.#turn = done.catch(() => {});
    return done;
  }

  /** Something has changed. */
  poke(): void {
    this.#changed = performance.now();
    if (!this.#resting) this.#start();
  }

  #start(): void {
    if (this.#tending || this.#ended) return;
    this.#tending = true;
    this.#resting = false;
    void this.#tend();
  }

  /** Moving has to stop soon: others want their turn, or the end has come. */
  get #moves(): boolean {
    return !this.#ended && this.committer.logged < this.#mostLogged;
  }

  /** Resolves when memory takes more changes; undefined where it does. */
  room(): Promise<void> | undefined {
    return this.#isFull() ? this.#room() : undefined;
  }

  async #room(): Promise<void> {
    while (this.#isFull()) await breath();
  }

  /** While what is done will make room, and without the committer, which waits meanwhile. */
  #isFull(): boolean {
    const { tiers, shape } = this.documents;
    const bytes = tiers.waiting * vectorBytes(shape);
    return (this.now === "merging" && bytes > MOST_FRESH_BYTES) || (tiers.touched !== undefined && bytes > MOST_BUILDING_BYTES);
  }

  get #mostLogged(): number {
    return Math.max(LEAST_LOGGED, LOGGED_SHARE * this.chores.snapshotBytes());
  }

  async #tend(): Promise<void> {
    try {
      // Whoever waits for what has just been done goes on first.
      await breath();
      for (let chore = this.#next(); chore && !this.#ended; chore = this.#next()) {
        await this.inTurn(...chore);
        this.problem = undefined;
        this.#failures = 0;
        await breath();
      }
    } catch (error) {
      this.problem = error;
      this.#resting = true;
      this.#wait(Math.min(PAUSE_MS * 2 ** this.#failures++, LONGEST_MS));
    } finally {
      this.#tending = false;
    }
  }

  #next(): [Tending["now"], () => Promise<void>] | undefined {
    const { documents, committer, chores } = this;
    const { tiers, shape } = documents;
    if (committer.failure) return undefined;
    if (committer.logged >= this.#mostLogged) return ["snapshot", () => chores.snapshot()];
    if (tiers.wantsMain(FRESH_BYTES / vectorBytes(shape))) return ["building", () => chores.rebuild()];
    if (tiers.main && documents.ids.size > chores.capacity()) return ["building", () => chores.rebuild()];
    if (tiers.main && tiers.waiting > 0 && this.#isWorthwhile(tiers.waiting))
      return ["merging", () => drain(tiers, shape, chores.signal, () => this.#moves)];
    if (tiers.main && tiers.main.deleted > 64 + MOST_DELETED * tiers.main.size) {
      return ["compacting", () => (tiers.main as NonNullable<typeof tiers.main>).compact().then(() => void tiers.version++)];
    }
    if (tiers.fresh.size === 0 && tiers.fresh.bytes > KEPT_BYTES) return ["compacting", () => this.#renew()];
    return undefined;
  }

  /** Many vectors move faster than few at a time: few wait until nothing has come for a while. */
  #isWorthwhile(waiting: number): boolean {
    const left = QUIET_MS - (performance.now() - this.#changed);
    if (waiting >= MANY || left <= 0) return true;
    this.#wait(left);
    return false;
  }

  /** Looks again so much later. */
  #wait(ms: number): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#start();
    }, ms);
    (this.#pause as { unref?: () => void }).unref?.();
  }

  async #renew(): Promise<void> {
    const { tiers } = this.documents;
    const fresh = await this.chores.newFresh();
    if (tiers.fresh.size > 0) fresh.close();
    else {
      tiers.fresh.close();
      tiers.fresh = fresh;
    }
  }

  /** No more; what is under way ends soon. */
  async end(): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#pause);
    await this.#turn;
  }
}
