// A replica's way through the log: messages in their order become changes of its collection, many on their way at a time, so that they
// share a sync. When one is durable its writer is told.
import {
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamManager,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { WorkerCollection } from "../collection/worker.js";
import type { Shape } from "../input/vectors.js";
import { failure, wordsOf } from "../storage/failures.js";
import { failureOf } from "../storage/told.js";
import { badOption, type ErrorCode, VicinalError } from "../words/errors.js";
import { ACK_TO, type Ack, type Refused } from "./asked.js";
import { type Changes, changesOf } from "./changes.js";
import { logFilter, logSubject, logSubjects, partitionOf, streamOf } from "./names.js";
import type { Position } from "./position.js";
import { onReconnect } from "./reconnecting.js";
import { tell } from "./telling.js";
import { type Step, Trail } from "./trail.js";

/** Messages and bytes on their way at a time. */
const MOST_MESSAGES = 128;
const MOST_BYTES = 16 << 20;
const AGAIN_MS = 200;
/** Writers do not wait for longer. */
const ACK_FOR_MS = 120_000;
/** Refused messages that are known, for writers whose acknowledgement was lost. */
const REFUSED = 8;

/** What is wrong with a message itself, on every replica alike: it is passed over. Anything else ends the reading. */
const POISON: readonly ErrorCode[] = [
  ...(["BAD_OPTION", "BAD_DIMENSION", "NOT_FINITE", "TOO_LARGE", "BAD_ID", "DUPLICATE_ID", "BAD_FIELD"] as const),
];

const ID = "Nats-Msg-Id";

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
}

export class Applying {
  /** Messages that say nothing that can be done. */
  poisoned = 0;
  /** What was wrong with the last of them, and where it is in the log. */
  poison: string | undefined;
  /** The last of those that were refused. */
  refused: readonly Refused[];
  /** Why nothing more is read. */
  problem: string | undefined;
  /** What went wrong here, which opening the collection anew may mend, and when; not where the log is another. */
  failed: { readonly error: VicinalError; readonly at: number } | undefined;
  /** Where the log, that has lost messages since, is still the one that was read. */
  resumesAt: Step | undefined;
  /** Of the last message that is durable here. */
  sequence: number;
  #id: string;
  readonly #trail = new Trail();
  /** The last that has come. */
  #received: number;
  #open = 0;
  #openBytes = 0;
  #pending = 0;
  /** Of the shard's last message when reading began: whoever has it has read the log. */
  #end = Infinity;
  /** The end of the log when reading began, and when that was written: nobody waits for what is much older, by the log's own times. */
  #old: { readonly sequence: number; readonly time: number } | undefined;
  #looked = -1;
  #settled: Promise<void> = Promise.resolve();
  #roomy: (() => void) | undefined;
  readonly #waiters = new Set<Waiter>();
  #caughtUp: () => void = () => {};
  /** Resolves when it has read the log to its end for the first time, or reads no more of it. */
  readonly ready: Promise<void>;
  #messages: ConsumerMessages | undefined;
  #ended = false;
  readonly #unhear: () => void;
  #manager: JetStreamManager | undefined;

  constructor(
    readonly nc: NatsConnection,
    readonly collection: WorkerCollection,
    readonly shape: Shape,
    readonly replica: string,
    readonly from: Position,
  ) {
    this.sequence = from.sequence;
    this.#received = from.sequence;
    this.#id = from.id;
    this.refused = from.refused ?? [];
    this.#trail.add(from);
    // The consumer lives in the server's memory: after the server was away there is none, and the client would find out late.
    this.#unhear = onReconnect(nc, () => void this.#messages?.close());
    this.ready = new Promise((resolve) => {
      this.#caughtUp = resolve;
    });
  }

  /** Where the documents are now. */
  get position(): Position {
    return { ...this.from, sequence: this.sequence, id: this.#id, refused: this.refused };
  }

  /** Messages that are in the log and not yet here, as far as is known. */
  get lag(): number {
    return this.#pending + this.#open;
  }

  /** Reads until `end`, or until something is wrong that reading again does not mend. */
  async run(): Promise<void> {
    while (!this.#ended && this.problem === undefined) {
      try {
        await this.#read(await this.#check());
      } catch (error) {
        if (error instanceof VicinalError) this.#stop(error);
        else await new Promise((resolve) => setTimeout(resolve, AGAIN_MS)); // the server is away, or about to be back
      }
    }
  }

  /** Goes on where the log is still the one that was read: what it has lost since is in the documents, what it got since is not. */
  async resume(): Promise<void> {
    await this.#settled;
    const { resumesAt } = this;
    if (!resumesAt) throw badOption(`this replica has not stopped, or cannot say where in the log it is`);
    this.#reach(resumesAt);
    this.resumesAt = undefined;
    this.problem = undefined;
    void this.run();
  }

  /** Waits for what is on its way. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#unhear();
    await this.#messages?.close();
    await this.#settled;
  }

  /** Whether all up to a sequence is here, within so many milliseconds. */
  async reaches(sequence: number, milliseconds: number): Promise<boolean> {
    if (this.sequence >= sequence) return true;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve();
      };
      const waiter = { sequence, resolve: done };
      const timer = setTimeout(done, milliseconds);
      this.#waiters.add(waiter);
    });
    return this.sequence >= sequence;
  }

  /** The log's end. Throws where the log is not the one that was read: a crash of the server's machine can take the end of it. */
  async #check(): Promise<Step> {
    this.#manager ??= await jetstreamManager(this.nc);
    const stream = streamOf(this.from.collection);
    const { created, state } = await this.#manager.streams.info(stream);
    const lost = (why: string): VicinalError =>
      failure(
        "STORAGE_LOST",
        `${why}: the server has lost what it had acknowledged. This replica has it, goes on answering, and takes nothing more: vicinal cluster repair`,
      );
    if (created !== this.from.created) throw lost(`the log of ${this.from.collection} was made anew, ${created}`);
    const idAt = async (sequence: number): Promise<string | undefined> => {
      if (sequence > state.last_seq) return undefined;
      if (sequence === 0) return "";
      const message = await this.#manager?.streams.getMessage(stream, { seq: sequence });
      return message?.header.get(ID) ?? "";
    };
    const id = await idAt(this.sequence);
    if (id === undefined || (id !== "" && this.#id !== "" && id !== this.#id)) {
      this.resumesAt = await this.#trail.lastIn(idAt);
      const now = id === undefined ? `ends at ${state.last_seq}` : `has ${id}`;
      throw lost(`the log ${now}, where message ${this.sequence}, ${this.#id}, was read`);
    }
    this.#old ??= { sequence: state.last_seq, time: Date.parse(state.last_ts) - ACK_FOR_MS };
    return { sequence: state.last_seq, id: (await idAt(state.last_seq)) ?? "" };
  }

  async #read(end: Step): Promise<void> {
    const filter = logFilter(this.from.collection, this.from);
    const consumer = await jetstream(this.nc).consumers.get(streamOf(this.from.collection), {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#received + 1,
      ...(filter && { filter_subjects: filter }),
    });
    this.#pending = (await consumer.info(true)).num_pending;
    // What a server before 2.10 says is pending can be wrong; where the shard's last message is cannot.
    this.#end = await this.#last();
    if (this.#end <= this.#received && this.#open === 0 && end.sequence > this.sequence) {
      // The rest is of other shards.
      this.#reach(end);
    }
    if (this.sequence >= this.#end) this.#caughtUp();
    this.#messages = await consumer.consume({ max_messages: MOST_MESSAGES });
    if (this.#ended) await this.#messages.close();
    for await (const message of this.#messages) {
      if (this.#ended || this.problem !== undefined) break;
      await this.#room();
      this.#take(message);
    }
  }

  /** The sequence of the shard's last message; 0 where the log has none. */
  async #last(): Promise<number> {
    const { collection } = this.from;
    const subject = logFilter(collection, this.from) ?? logSubjects(collection);
    const message = await this.#manager?.streams.getMessage(streamOf(collection), { last_by_subj: subject });
    return message?.seq ?? 0;
  }

  /** Looks whether what is said to be pending is, where nothing has come since it was looked last. */
  async look(): Promise<void> {
    const quiet = this.#received === this.#looked;
    this.#looked = this.#received;
    if (!quiet || this.#pending === 0 || this.problem !== undefined) return;
    if ((await this.#last()) <= this.#received) this.#pending = 0;
  }

  #reach(step: Step): void {
    this.sequence = step.sequence;
    this.#received = step.sequence;
    this.#id = step.id;
    this.#trail.add(step);
  }

  async #room(): Promise<void> {
    while (this.#open >= MOST_MESSAGES || (this.#open > 0 && this.#openBytes >= MOST_BYTES)) {
      await new Promise<void>((resolve) => {
        this.#roomy = resolve;
      });
    }
  }

  #take(message: JsMsg): void {
    const { seq, data } = message;
    this.#received = seq;
    this.#pending = message.info.pending;
    this.#open++;
    this.#openBytes += data.length;
    const made = this.#make(message);
    made.catch(() => {}); // looked at in its turn
    this.#settled = this.#settled.then(async () => {
      try {
        await this.#settle(message, made);
      } finally {
        this.#open--;
        this.#openBytes -= data.length;
        this.#roomy?.();
        if (this.sequence >= this.#end) this.#caughtUp();
      }
    });
  }

  /** Makes the changes of a message; returns how many documents they changed. Calls of a collection take effect in their order. */
  async #make(message: JsMsg): Promise<number> {
    const { collection } = this;
    const changes = changesOf(message.data, this.shape);
    const ids = changes.what === "remove" ? changes.ids : changes.documents.map(({ id }) => id);
    const stray = ids.find((id) => logSubject(this.from.collection, partitionOf(id)) !== message.subject);
    if (stray !== undefined) throw new RangeError(`the document ${JSON.stringify(stray)} is of another partition`);
    return changed(collection, changes);
  }

  async #settle(message: JsMsg, made: Promise<number>): Promise<void> {
    let count = 0;
    let error: unknown;
    try {
      count = await made;
    } catch (refused) {
      if (refused instanceof VicinalError && !POISON.includes(refused.code)) return this.#fail(refused);
      error = refused;
      this.poisoned++;
      this.poison = `message ${message.seq}: ${wordsOf(refused)}`;
      this.refused = [...this.refused, { sequence: message.seq, error: failureOf(refused) }].slice(-REFUSED);
    }
    if (this.problem !== undefined) return;
    this.sequence = message.seq;
    this.#id = message.headers?.get(ID) ?? "";
    this.#trail.add({ sequence: this.sequence, id: this.#id });
    for (const waiter of [...this.#waiters]) if (waiter.sequence <= this.sequence) waiter.resolve();
    this.#tell(message, count, error);
  }

  #tell(message: JsMsg, count: number, error: unknown): void {
    const to = message.headers?.get(ACK_TO);
    if (!to || (this.#old && message.seq <= this.#old.sequence && message.time.getTime() < this.#old.time)) return;
    const { replica, from } = this;
    const ack: Ack = {
      id: this.#id,
      replica,
      generation: from.generation,
      count,
      ...(error !== undefined && { error: failureOf(error) }),
    };
    tell(this.nc, to, JSON.stringify(ack));
  }

  #fail(error: VicinalError): void {
    this.failed ??= { error, at: performance.now() };
    this.#stop(error);
  }

  #stop(error: unknown): void {
    if (this.#ended) return;
    this.problem ??= wordsOf(error);
    this.#caughtUp();
  }
}

async function changed(collection: WorkerCollection, changes: Changes): Promise<number> {
  switch (changes.what) {
    case "put":
      await collection.upsert(changes.documents);
      return changes.documents.length;
    case "patch":
      return collection.update(changes.documents);
    case "remove":
      return collection.delete(changes.ids);
  }
}
