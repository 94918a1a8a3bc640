// What is done with a collection as a whole: snapshots, new main tiers, the log's end.

import { seatOf } from "../base/seat-of.js";
import { either } from "../input/either.js";
import type { Vector } from "../input/vectors.js";
import type { Metric } from "../words/kinds.js";
import { part } from "../words/part.js";
import type { Committer } from "./committer.js";
import type { Documents } from "./documents.js";
import type { Files } from "./files.js";
import { newFresh } from "./fresh.js";
import { loses, plansLoss } from "./main-tier.js";
import { drain } from "./merging.js";
import { mainOptions } from "./opening.js";
import type { Checked, MainOptions } from "./options.js";
import { closed } from "./reading.js";
import type { Written } from "./snapshot.js";
import { Tending } from "./tending.js";
import type { Vectors } from "./vectors.js";

/** How often the log is synced where changes do not wait for it. */
const INTERVAL_MS = 1000;
/** To read so much of a log takes longer than to load what it comes to. */
const LOGGED_AT_END = 1 << 20;

export interface Health {
  /**
   * "ready"; "failed": a change could not be written or made, and none is taken until the collection is opened again. Searches go
   * on.
   */
  state: "ready" | "failed";
  /** What went wrong: of "failed", or in the background, where it is tried again. */
  problem: string | undefined;
  /** What is done in the background. */
  doing: "idle" | "merging" | "building" | "compacting" | "snapshot";
  /** Documents whose vectors are scanned, and those in the main tier. */
  fresh: number;
  main: number;
  /** Bytes of the log, which the next open reads. */
  logBytes: number;
}

/** Learned anew when there are so many times as many documents. */
const LEARNED_FOR = 4;

interface Watching {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { done: number; total: number }) => void;
}

export class Keeping {
  readonly tending: Tending;
  /** What the main tier is made as. */
  index: MainOptions | undefined;
  /** The main tier that a file has, as it was then. */
  #written: Written | undefined;
  readonly #ended = new AbortController();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly checked: Checked,
    readonly files: Files,
    readonly documents: Documents,
    readonly committer: Committer,
    readonly vectors: Vectors,
    readonly metric: Metric,
    written: boolean,
  ) {
    this.index = checked.index ?? mainOptions(files.manifest);
    const { main, version } = documents.tiers;
    if (written && main) this.#written = { index: main, version };
    this.tending = new Tending(documents, committer, {
      rebuild: () => this.#rebuild(this.index, {}),
      snapshot: () => this.#take(false),
      capacity: () => this.#capacity(),
      snapshotBytes: () => this.snapshotBytes,
      newFresh: () => newFresh(files.manifest),
      signal: this.#ended.signal,
    });
    if (checked.waits) return;
    this.#timer = setInterval(() => void committer.sync().catch(() => {}), INTERVAL_MS);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  /** Bytes of the last snapshot. */
  get snapshotBytes(): number {
    const { table, main, fresh, data } = this.files.manifest;
    return [table, main, fresh, ...data].reduce((sum, file) => sum + (file?.bytes ?? 0), 0);
  }

  poke(): void {
    this.tending.poke();
  }

  room(): Promise<void> | undefined {
    return this.tending.room();
  }

  snapshot(all: boolean): Promise<void> {
    return this.tending.inTurn("snapshot", () => this.#take(all));
  }

  async #take(all: boolean): Promise<void> {
    const { takeSnapshot } = await part(import("./extras.js"));
    this.#written = await takeSnapshot(this, this.#written, all);
  }

  async compact(): Promise<void> {
    await this.tending.inTurn("compacting", async () => {
      const { tiers, shape } = this.documents;
      await drain(tiers, shape, this.#ended.signal, () => true);
      await tiers.main?.compact();
      tiers.version++;
    });
    await this.snapshot(true);
  }

  async reindex(index: MainOptions | undefined, watching: Watching): Promise<void> {
    const { files } = this;
    const next = index ?? this.index;
    const { signal, onProgress } = watching;
    await this.tending.inTurn("building", async () => {
      const both = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
      await this.#rebuild(next, both);
      this.index = next;
      const keepsVectors = this.#losesBy(next);
      const complete = keepsVectors && files.manifest.complete;
      await files.change((old) => ({ ...old, index: next && { ...next }, keepsVectors, complete }));
      await this.#take(!keepsVectors);
    });
  }

  /** What learned from few vectors is no good for many, and what was chosen to fit has no room for them. */
  #capacity(): number {
    const { main, built } = this.documents.tiers;
    if (!this.index && this.checked.maxBytes !== undefined) return 2 * built;
    const learns = main?.trained && seatOf(main).engine.state("trainAt") > 0;
    return learns ? LEARNED_FOR * Math.max(built, 1) : Infinity;
  }

  #losesBy(index: MainOptions | undefined): boolean {
    return plansLoss({ metric: this.metric, index, maxBytes: this.checked.maxBytes });
  }

  async #rebuild(index: MainOptions | undefined, watching: Watching): Promise<void> {
    const { checked, documents, files, metric, vectors } = this;
    // Bodies get their vectors as long as an index has them as they were given: before the next main tier is made.
    if (this.#losesBy(index) && !files.manifest.complete) {
      await files.change((old) => ({ ...old, keepsVectors: true }));
      await this.#take(true);
    }
    const { dimensions } = documents.shape;
    const { makeMain, rebuild } = await part(import("./extras.js"));
    const make = (expected: number) => makeMain({ dimensions, metric, index, maxBytes: checked.maxBytes }, Math.max(expected, 1));
    const { main } = documents.tiers;
    const originals =
      main && loses(main.codec, metric)
        ? (slots: readonly number[]): Promise<readonly (Vector | undefined)[]> =>
            Promise.all(slots.map((slot) => (documents.ids.has(slot) ? vectors.original(slot) : undefined)))
        : undefined;
    const { signal, end } = either(this.#ended.signal, watching.signal);
    try {
      await rebuild(documents.tiers, documents.shape, make, originals, { ...watching, signal });
    } finally {
      end();
    }
  }

  get health(): Health {
    const { committer, tending, documents } = this;
    const { fresh } = documents.tiers;
    const { failure } = committer;
    const problem = failure ?? tending.problem;
    return {
      state: failure ? "failed" : "ready",
      problem: problem === undefined ? undefined : problem instanceof Error ? problem.message : String(problem),
      doing: tending.now,
      fresh: fresh.size,
      main: documents.ids.size - fresh.size,
      logBytes: committer.logged,
    };
  }

  /** Ends it: what is queued is written, what is under way in the background stops. */
  async end(): Promise<void> {
    const { committer, documents, tending } = this;
    clearInterval(this.#timer);
    this.#ended.abort();
    await tending.end();
    try {
      // After all changes that were asked for; those that still wait for their vectors come too late.
      const failed = await committer.between(() => {
        const { failure } = committer;
        committer.failure ??= closed(this.files.storage.place);
        return failure;
      });
      if (failed) return;
      if (committer.logged > LOGGED_AT_END) await this.#take(false);
      await committer.between(() => committer.seal());
    } finally {
      documents.tiers.close();
    }
  }
}
