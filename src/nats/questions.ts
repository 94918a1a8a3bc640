// A replica's answers. So many questions wait and no more: the next is told at once to go elsewhere. They are answered in a worker,
// and this thread, which is the connection's, stays free.
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import type { DocumentId } from "../collection/keys.js";
import type { CollectionSearchOptions } from "../collection/searching.js";
import type { WorkerCollection } from "../collection/worker.js";
import type { Shape } from "../input/vectors.js";
import { failureOf } from "../storage/told.js";
import type { Bytes } from "../words/arrays.js";
import { badOption, show, VicinalError } from "../words/errors.js";
import type { Applying } from "./applying.js";
import type { Answer, Ask, Ids, Question, Tended } from "./asked.js";
import { vectorAt } from "./changes.js";
import { Latencies } from "./latencies.js";
import { bytesOfJson, pack, unpack } from "./parcel.js";
import type { SnapshotRecord } from "./snapshots.js";
import { tell } from "./telling.js";

/** In the worker at a time: one that is searched for, and one that waits there. */
const TOGETHER = 2;
/** Left of a message for what is not its payload. */
const SPARE_BYTES = 1024;

/** What is done with a replica as a whole. */
export interface Tend {
  snapshot(): Promise<SnapshotRecord>;
  resume(): Promise<void>;
  anew(): void;
}

interface Value {
  readonly value: unknown;
  readonly bytes?: Uint8Array;
}

interface Waiting {
  readonly message: Msg;
  readonly question: Question;
  readonly bytes: Bytes;
  readonly came: number;
}

export class Questions {
  readonly latencies = new Latencies();
  asked = 0;
  failed = 0;
  busy = 0;
  /** Milliseconds, of all answers. */
  spent = 0;
  #running = 0;
  /** Those that wait for a write, which keep nobody else from the worker. */
  #held = 0;
  #waiting: Waiting[] = [];

  constructor(
    readonly nc: NatsConnection,
    readonly collection: WorkerCollection,
    readonly applying: Applying,
    readonly shape: Shape,
    readonly most: number,
    readonly tend: Tend,
  ) {}

  get queue(): number {
    return this.#running + this.#waiting.length + this.#held;
  }

  /** `tends`: what came on the subject of those who may tend replicas. */
  hear(message: Msg, tends: boolean): void {
    const came = performance.now();
    let question: Question;
    let bytes: Bytes;
    try {
      const asked = unpack(message.data);
      question = asQuestion(asked.value);
      bytes = asked.bytes;
    } catch (error) {
      this.#answer(message, { error: failureOf(error) });
      return;
    }
    const waiting: Waiting = { message, question, bytes, came };
    if (tends) void this.#run(waiting, () => this.#tended(question.ask));
    else if (question.sequence !== undefined && question.sequence > this.applying.sequence) void this.#hold(waiting);
    else this.#enter(waiting);
  }

  /** Until what it is to have is here, or half of its time is over. */
  async #hold(waiting: Waiting): Promise<void> {
    const { message, question } = waiting;
    const { sequence = 0, within } = question;
    let reached = false;
    if (this.#held < this.most) {
      this.#held++;
      reached = await this.applying.reaches(sequence, within / 2);
      this.#held--;
    }
    if (reached) return this.#enter(waiting);
    this.asked++;
    this.#answer(message, { elsewhere: "behind" });
  }

  #enter(waiting: Waiting): void {
    if (this.#running + this.#waiting.length >= this.most) {
      this.busy++;
      this.#answer(waiting.message, { elsewhere: "busy" });
      return;
    }
    this.#waiting.push(waiting);
    this.#next();
  }

  #next(): void {
    while (this.#running < TOGETHER) {
      const next = this.#waiting.shift();
      if (!next) return;
      // Whoever asked has gone.
      if (performance.now() - next.came > next.question.within) continue;
      this.#running++;
      void this.#run(next, () => this.#found(next.question.ask, next.bytes)).finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }

  async #run({ message, question, came }: Waiting, find: () => Promise<Value>): Promise<void> {
    const { ask } = question;
    this.asked++;
    try {
      const { value, bytes: more } = await find();
      this.#answer(message, { value }, more);
    } catch (error) {
      this.failed++;
      this.#answer(message, { error: failureOf(error) });
    } finally {
      const took = performance.now() - came;
      this.spent += took;
      if (ask.call === "search") this.latencies.add(took);
    }
  }

  async #found(ask: Ask | Tended, bytes: Bytes): Promise<Value> {
    const { collection, shape } = this;
    switch (ask.call) {
      case "search": {
        const options = ask.options as CollectionSearchOptions;
        if (ask.n === 1) return { value: [await collection.search(vectorAt(bytes, 0, 1, shape), options)] };
        const queries = Array.from({ length: ask.n }, (_, i) => vectorAt(bytes, i, ask.n, shape));
        return { value: await collection.searchBatch(queries, options) };
      }
      case "get": {
        const document = await collection.get(ask.id, { vector: ask.vector });
        if (!document) return { value: null };
        const { vector, ...value } = document;
        return { value, ...(vector && { bytes: new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength) }) };
      }
      case "count":
        return { value: await collection.count(ask.where === undefined ? {} : { where: ask.where as never }) };
      case "ids": {
        const ids: DocumentId[] = [];
        let room = this.#mostBytes / 2;
        let more = false;
        for await (const { id } of collection.scan({ where: ask.where as never, select: [] })) {
          ids.push(id);
          room -= bytesOfJson(id) + 1;
          more = ids.length === ask.most || room <= 0;
          if (more) break;
        }
        return { value: { ids, more } satisfies Ids };
      }
      default:
        throw badOption(`a question cannot be ${show(ask.call)}`);
    }
  }

  async #tended(ask: Ask | Tended): Promise<Value> {
    if (ask.call === "snapshot" || ask.call === "resume" || ask.call === "anew") return { value: await this.tend[ask.call]() };
    throw badOption(`a replica cannot be told to ${show(ask.call)}`);
  }

  get #mostBytes(): number {
    return (this.nc.info?.max_payload ?? 1 << 20) - SPARE_BYTES;
  }

  #answer(message: Msg, answer: Answer, bytes?: Uint8Array): void {
    const parcel = pack(answer, bytes);
    const most = this.#mostBytes;
    if (parcel.length <= most) {
      tell(this.nc, message.reply, parcel);
      return;
    }
    const error = new VicinalError(
      "TOO_LARGE",
      `the answer is ${parcel.length} bytes, more than the ${most} that the server takes (max_payload): ask for fewer at once, or for less of their data with select`,
    );
    tell(this.nc, message.reply, pack({ error: failureOf(error) } satisfies Answer));
  }
}

function asQuestion(value: unknown): Question {
  const { ask, within } = (value ?? {}) as Question;
  if (typeof within === "number" && typeof ask?.call === "string") return value as Question;
  throw badOption(`a question is ${show(value)}; it must be { ask, within }`);
}
