// An index in shards, one in each worker: a vector is in the shard that its id says. All are searched, and what they find is merged.
import { checkDifferent } from "../base/adding.js";
import type { IndexStats } from "../base/vector-index.js";
import type { Hit } from "../border/answers.js";
import { concatenated } from "../input/concatenated.js";
import { MAX_ID, rowElements, type Shape } from "../input/vectors.js";
import { type BatchHits, noHits } from "../search/batch.js";
import type { FilterSource } from "../search/filter.js";
import { mergeHits } from "../search/merging.js";
import { DEFAULT_K } from "../search/plan.js";
import { badOption, VicinalError } from "../words/errors.js";
import { NONE } from "../words/state.js";
import { Copied } from "./copied.js";
import type { Fill, Hands, Hearing, Over } from "./hands.js";
import type { Found } from "./queue.js";
import type { Facts, Origin, Piece, Search, Verb } from "./words.js";

/** Bytes of vectors that are linked together: more at a time would keep as many in memory twice. */
const TOGETHER = 8 << 20;
/** But those of a slow source do not wait for longer. */
const MOST_WAIT_MS = 250;

type Rows = Float32Array | Uint8Array;

export class Sharded implements Hands {
  readonly #shards: readonly Copied[];
  #nextId: number;

  private constructor(shards: readonly Copied[]) {
    this.#shards = shards;
    this.#nextId = Math.max(...shards.map(({ facts }) => facts.nextId));
  }

  static async open(origin: Origin, n: number, queue: number, over: Over): Promise<Sharded> {
    const opened = await Promise.allSettled(Array.from({ length: n }, () => Copied.open(origin, 1, queue, over)));
    const shards = opened.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    const failed = opened.find((one) => one.status === "rejected");
    const sharded = new Sharded(shards);
    try {
      if (failed) throw failed.reason;
      await Promise.all(shards.map((shard, i) => keepOwn(shard, (id) => sharded.#of(id) === i)));
    } catch (error) {
      sharded.end(error as VicinalError);
      throw error;
    }
    return sharded;
  }

  get facts(): Facts {
    const [{ facts }] = this.#shards;
    const size = this.#shards.reduce((sum, shard) => sum + shard.facts.size, 0);
    return { ...facts, size, nextId: this.#nextId };
  }

  /** The shard of an id. Multiplied first: ids that are all even, too, go everywhere. */
  #of(id: number): number {
    return ((Math.imul(id, 0x9e3779b1) >>> 16) * this.#shards.length) >>> 16;
  }

  async find(search: Search, signal: AbortSignal | undefined, counts: boolean): Promise<Found> {
    if (search.explained) throw badOption("explain is of one index, and this pool has its in shards");
    const found = await Promise.all(this.#shards.map((shard) => shard.find(search, signal, counts)));
    if (search.many) return mergedBatches(found as BatchHits[]);
    const { k, radius } = search.options as { k?: number; radius?: number };
    return mergeHits(found as Hit[][], k ?? (radius === undefined ? DEFAULT_K : undefined));
  }

  async do(verb: Verb, args: readonly unknown[], hearing: Hearing = {}): Promise<unknown> {
    const [first, second] = args;
    switch (verb) {
      case "add":
        return this.#add(first as Rows, second as Uint32Array | undefined, hearing);
      case "upsert":
        return this.#upsert(first as Rows, second as Uint32Array, hearing);
      case "remove": {
        const ids = typeof first === "number" ? [first] : Array.from(first as ArrayLike<number>);
        return sum(await this.#each((shard, i) => shard.do(verb, [ids.filter((id) => this.#of(id) === i)], hearing)));
      }
      case "get":
      case "has":
        return this.#shards[this.#of(first as number)].do(verb, args, hearing);
      case "ids": {
        const all = (await this.#each((shard) => shard.do(verb, args))) as Uint32Array[];
        return Uint32Array.from(all.flatMap((ids) => [...ids]));
      }
      case "toBytes":
        throw badOption("a pool of shards has no one file: add its vectors to an index, and save that");
      case "stats":
        return together((await this.#each((shard) => shard.do(verb, args))) as IndexStats[]);
      default:
        return (await this.#each((shard, i) => shard.do(verb, args, i ? { signal: hearing.signal } : hearing)))[0];
    }
  }

  async addAll(hasIds: boolean, fill: Fill, { told, signal }: Hearing): Promise<void> {
    const stop = new AbortController();
    let waiting: Piece[] = [];
    let bytes = 0;
    let done = 0;
    let adding: Promise<void> = Promise.resolve();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const addWaiting = async (): Promise<void> => {
      if (!waiting.length) return;
      const rows = concatenated(waiting.map((piece) => piece.rows));
      const ids = hasIds ? concatenated(waiting.map((piece) => piece.ids as Uint32Array)) : undefined;
      waiting = [];
      bytes = 0;
      await this.#add(rows, ids, { signal }, true);
      done += rows.length / this.#width(rows);
      told?.({ done });
    };
    const add = (): Promise<void> => {
      clearTimeout(timer);
      timer = undefined;
      adding = adding.then(addWaiting);
      return adding;
    };
    const give = async (piece: Piece): Promise<void> => {
      waiting.push(piece);
      bytes += piece.rows.byteLength;
      if (bytes >= TOGETHER) await add();
      else timer ??= setTimeout(() => void add().catch((error) => stop.abort(error)), MOST_WAIT_MS);
    };
    try {
      await fill({ give, stopped: stop.signal });
      await add();
    } finally {
      clearTimeout(timer);
    }
  }

  async prepare(filter: number, source: FilterSource): Promise<number> {
    const prepared = await Promise.allSettled(this.#shards.map((shard) => shard.prepare(filter, source)));
    const failed = prepared.find((one) => one.status === "rejected");
    if (!failed) return sum(prepared.map((one) => (one as PromiseFulfilledResult<number>).value));
    await this.#each(async (shard, i) => prepared[i].status === "fulfilled" && shard.forget(filter));
    throw failed.reason;
  }

  async forget(filter: number): Promise<void> {
    await this.#each((shard) => shard.forget(filter));
  }

  end(why: VicinalError): void {
    for (const shard of this.#shards) shard.end(why);
  }

  #each<T>(call: (shard: Copied, i: number) => Promise<T>): Promise<T[]> {
    return Promise.all(this.#shards.map(call));
  }

  #width(rows: Rows): number {
    const { dimensions } = this.#shards[0].facts;
    return rowElements({ dimensions, packed: rows.BYTES_PER_ELEMENT === 1 } satisfies Shape);
  }

  /** All of them, or where a shard refuses some, none. */
  async #add(rows: Rows, given: Uint32Array | undefined, hearing: Hearing, together = false): Promise<Uint32Array> {
    const ids = this.#idsFor(rows.length / this.#width(rows), given);
    const parts = this.#parts(rows, ids);
    const done = await Promise.allSettled(
      parts.map(async (part, i) => part.ids.length && this.#addTo(this.#shards[i], part, hearing, together)),
    );
    const failed = done.find((one) => one.status === "rejected");
    if (!failed) {
      this.#count(ids);
      return ids;
    }
    await this.#each(async (shard, i) => done[i].status === "fulfilled" && shard.do("remove", [parts[i].ids]));
    throw failed.reason;
  }

  #idsFor(n: number, given: Uint32Array | undefined): Uint32Array {
    const next = this.#nextId;
    if (!given && next + n - 1 > MAX_ID) {
      throw new VicinalError("BAD_ID", `no ids are left after ${next - 1}: give ids of your own`);
    }
    if (given) checkDifferent(n, given);
    return given ?? Uint32Array.from({ length: n }, (_, i) => next + i);
  }

  /** Ids that are there now. */
  #count(ids: Uint32Array): void {
    for (const id of ids) this.#nextId = Math.max(this.#nextId, id + 1);
  }

  #addTo(shard: Copied, { rows, ids }: Part, hearing: Hearing, together: boolean): Promise<unknown> {
    if (!together) return shard.do("add", [rows, ids], hearing);
    return shard.addAll(true, (feed) => feed.give({ rows, ids }), hearing);
  }

  async #upsert(rows: Rows, ids: Uint32Array, hearing: Hearing): Promise<number> {
    checkDifferent(rows.length / this.#width(rows), ids);
    const parts = this.#parts(rows, ids);
    const replaced = await this.#each(async (shard, i) =>
      parts[i].ids.length ? shard.do("upsert", [parts[i].rows, parts[i].ids], hearing) : 0,
    );
    this.#count(ids);
    return sum(replaced);
  }

  #parts(rows: Rows, ids: Uint32Array): Part[] {
    const width = this.#width(rows);
    return this.#shards.map((_, shard) => {
      const own = Array.from(ids.keys()).filter((i) => this.#of(ids[i]) === shard);
      const part = new (rows.constructor as Float32ArrayConstructor)(own.length * width);
      own.forEach((row, at) => {
        part.set(rows.subarray(row * width, (row + 1) * width), at * width);
      });
      return { rows: part, ids: Uint32Array.from(own, (i) => ids[i]) };
    });
  }
}

interface Part {
  readonly rows: Rows;
  readonly ids: Uint32Array;
}

/** Of a whole index, a shard keeps its own. */
async function keepOwn(shard: Copied, isOwn: (id: number) => boolean): Promise<void> {
  const others = ((await shard.do("ids", [])) as Uint32Array).filter((id) => !isOwn(id));
  if (!others.length) return;
  await shard.do("remove", [others]);
  await shard.do("compact", []);
}

function sum(counts: unknown[]): number {
  return (counts as number[]).reduce((all, one) => all + one, 0);
}

function mergedBatches(batches: readonly BatchHits[]): BatchHits {
  const [{ k, ids: first }] = batches;
  const { ids, distances } = noHits(first.length / k, k);
  for (let from = 0; from < first.length; from += k) {
    const lists = batches.map((batch) =>
      Array.from(batch.ids.subarray(from, from + k), (id, i) => ({ id, distance: batch.distances[from + i] })),
    );
    const hits = lists.map((list) => list.filter(({ id }) => id !== NONE));
    mergeHits(hits, k).forEach((hit, i) => {
      ids[from + i] = hit.id;
      distances[from + i] = hit.distance;
    });
  }
  return { ids, distances, k };
}

/** Of all shards: what counts is added up, and all have learned or not all. */
function together(stats: readonly IndexStats[]): IndexStats {
  const [size, deleted, bytes] = (["size", "deleted", "bytes"] as const).map((name) => sum(stats.map((one) => one[name])));
  const lost = stats.map(({ unreachable }) => unreachable).filter((one) => one !== undefined);
  return {
    ...{ ...stats[0], size, deleted, bytes, bytesPerVector: size ? bytes / size : 0 },
    trained: stats.every(({ trained }) => trained),
    ...(lost.length > 0 && { unreachable: sum(lost) }),
  };
}
