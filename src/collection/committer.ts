// Changes on their way to the log, one group after the other: what waits while one group is written and synced is the next, so
// that many writers share a sync. A change is made in memory when its record is where `durability` wants it, and not before: what
// fails there has changed nothing.
import { VicinalError } from "../words/errors.js";
import { type Change, writeBatch } from "./batch.js";
import type { Files } from "./files.js";
import { FILE_HEAD_BYTES, frame, RECORD_HEAD_BYTES } from "./frame.js";
import type { DocumentId } from "./keys.js";
import { MOST_FILE_BYTES, type Spot } from "./places.js";
import { Writer } from "./writer.js";

/** A log is followed by another from here on. */
const LOG_BYTES = 64 << 20;
/** Of one group, about. */
const GROUP_BYTES = 4 << 20;

/** Changes that are made together, with what was asked for. */
export interface Request {
  /** What it changes, from what is there now; called when all requests before it have been made. */
  readonly changes: () => readonly Change[] | Promise<readonly Change[]>;
  /** Documents that `changes` looks at: "all" or by id; of none it may share a group with whatever comes before. */
  readonly reads: "all" | readonly DocumentId[] | undefined;
  /** Makes the changes in memory; `spots` say where each one's body is. */
  readonly apply: (changes: readonly Change[], spots: readonly Spot[]) => void;
}

interface Waiting {
  readonly request: Request;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Recorded extends Waiting {
  readonly changes: readonly Change[];
  readonly spots: Spot[];
  /** Undefined where nothing changes. */
  readonly payload: Uint8Array | undefined;
}

interface Log {
  readonly number: number;
  bytes: number;
  unsynced: boolean;
}

export class Committer {
  /** Why nothing can be written any more. */
  failure: VicinalError | undefined;
  /** Of the next record. */
  sequence: number;
  /** Bytes of logs since the snapshot. */
  logged: number;
  #log: Log | undefined;
  #queue: (Waiting | (() => Promise<void>))[] = [];
  #running = false;
  #payload = new Writer();

  /** `room` resolves when memory takes more; `wait`: a write waits for the medium. */
  constructor(
    readonly files: Files,
    readonly wait: boolean,
    readonly room: () => Promise<void> | undefined,
    sequence: number,
    logged: number,
  ) {
    this.sequence = sequence;
    this.logged = logged;
  }

  /** Resolves when the changes are made. */
  commit(request: Request): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      this.#run();
    });
  }

  /** Runs work between two groups, while nothing is being written. */
  between<T>(work: () => Promise<T> | T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#queue.push(async () => {
        try {
          resolve(await work());
        } catch (error) {
          reject(error);
        }
      });
      this.#run();
    });
  }

  /** The log's bytes so far are on the medium when it resolves. */
  async sync(): Promise<void> {
    const log = this.#log;
    if (!log?.unsynced) return;
    log.unsynced = false;
    try {
      await this.files.storage.sync(this.files.name("log", log.number));
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /**
   * Ends the log, so that the next record begins another; called between groups. Returns the number up to which all logs are
   * ended.
   */
  async seal(): Promise<number> {
    const log = this.#log;
    if (log) {
      await this.sync();
      const sealed = { bytes: log.bytes, next: this.sequence };
      await this.files.change((old) => ({
        ...old,
        logs: old.logs.map((one) => (one.number === log.number ? { ...one, sealed } : one)),
      }));
      this.#log = undefined;
    }
    return Math.max(0, ...this.files.manifest.logs.map(({ number }) => number));
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#loop();
  }

  async #loop(): Promise<void> {
    // What is asked for in the same turn as the first comes along with it.
    await undefined;
    while (this.#queue.length > 0) {
      if (typeof this.#queue[0] === "function") {
        await (this.#queue.shift() as () => Promise<void>)();
        continue;
      }
      await this.room();
      const group: Recorded[] = [];
      try {
        await this.#write(group);
      } catch (error) {
        for (const { reject } of group) reject(error);
        continue;
      }
      for (const one of group) this.#apply(one);
    }
    // In the turn in which the queue was seen to be empty: what comes after it begins another loop.
    this.#running = false;
  }

  #apply({ request, changes, spots, resolve, reject }: Recorded): void {
    try {
      request.apply(changes, spots);
      resolve();
    } catch (error) {
      this.#fail(error);
      reject(error);
    }
  }

  #fail(error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const code = error instanceof VicinalError ? error.code : "IO_ERROR";
    this.failure ??= new VicinalError(
      code,
      `the collection takes no more changes until it is opened again, since one failed: ${why}`,
    );
  }

  /** Collects a group in `group`, writes it, and waits until it is durable. */
  async #write(group: Recorded[]): Promise<void> {
    const refuse = (error: unknown): void => (this.#queue.shift() as Waiting).reject(error);
    const seen = new Set<DocumentId>();
    let bytes = 0;
    while (this.#queue.length > 0 && bytes < GROUP_BYTES) {
      const next = this.#queue[0];
      if (typeof next === "function") break;
      if (this.failure) {
        refuse(this.failure);
        continue;
      }
      const { reads } = next.request;
      if (group.length > 0 && reads && (reads === "all" || reads.some((id) => seen.has(id)))) break;
      try {
        const changes = await next.request.changes();
        this.#payload.at = 0;
        const bodies = writeBatch(this.#payload, changes);
        if (this.#payload.at > MOST_FILE_BYTES / 2) {
          throw new VicinalError(
            "TOO_LARGE",
            `${changes.length} changes at once are ${this.#payload.at} bytes, more than ${MOST_FILE_BYTES / 2}: make them in several calls`,
          );
        }
        for (const { id } of changes) seen.add(id);
        // Their file and final offset are known when the group is whole.
        const base = bytes + RECORD_HEAD_BYTES;
        const spots = bodies.map(({ offset, bytes }) => ({ file: 0, offset: base + offset, bytes }));
        const payload = changes.length > 0 ? this.#payload.done().slice() : undefined;
        group.push({ ...next, changes, spots, payload });
        if (payload) bytes += RECORD_HEAD_BYTES + payload.length;
        this.#queue.shift();
      } catch (error) {
        refuse(error);
      }
    }
    if (bytes > 0) await this.#append(group, bytes);
  }

  async #append(group: readonly Recorded[], bytes: number): Promise<void> {
    const log = await this.#room(bytes);
    const to = new Writer(bytes);
    let sequence = this.sequence;
    for (const { spots, payload } of group) {
      if (!payload) continue;
      spots.forEach((spot, j) => {
        spots[j] = { ...spot, file: log.number, offset: log.bytes + spot.offset };
      });
      frame(to, sequence++, log.number, payload);
    }
    await this.files.storage.append(this.files.name("log", log.number), to.done());
    log.bytes += bytes;
    log.unsynced = true;
    this.logged += bytes;
    this.sequence = sequence;
    if (this.wait) await this.sync();
  }

  /** The log that takes so many bytes. */
  async #room(bytes: number): Promise<Log> {
    if (this.#log && this.#log.bytes + bytes > LOG_BYTES && this.#log.bytes > FILE_HEAD_BYTES) await this.seal();
    if (this.#log) return this.#log;
    const { files, sequence } = this;
    const number = files.take();
    await files.begin("log", number, sequence);
    await files.storage.sync(files.name("log", number));
    await files.change((old) => ({ ...old, logs: [...old.logs, { number, first: sequence }] }));
    this.#log = { number, bytes: FILE_HEAD_BYTES, unsynced: false };
    return this.#log;
  }
}
