// An index in shards, one in each worker: a vector is in the shard that its id says. All are searched, and what they find is merged.
import type { IndexStats } from "../base/vector-index.js";
import type { Hit } from "../border/answers.js";
import { rowElements, type Shape } from "../input/vectors.js";
import type { BatchHits } from "../search/batch.js";
import type { FilterSource } from "../search/filter.js";
import { badOption, type VicinalError } from "../words/errors.js";
import { NONE } from "../words/state.js";
import { Copied } from "./copied.js";
import type { Feed } from "./feed.js";
import type { Fill, Hands, Hearing, Over } from "./hands.js";
import type { Found } from "./queue.js";
import type { Facts, Origin, Piece, Search, Verb } from "./words.js";

/** Vectors that are linked together: more at a time would keep as many in memory twice. */
const TOGETHER = 8192;

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

  async find(search: Search, signal: AbortSignal | undefined): Promise<Found> {
    if (search.explained) throw badOption("explain is of one index, and this pool has its in shards");
    const found = await Promise.all(this.#shards.map((shard) => shard.find(search, signal)));
    if (search.many) return mergedBatches(found as BatchHits[]);
    const { k, radius } = search.options as { k?: number; radius?: number };
    return nearest((found as Hit[][]).flat(), k ?? (radius === undefined ? 10 : Infinity));
  }

  async do(verb: Verb, args: readonly unknown[], hearing: Hearing = {}): Promise<unknown> {
    const [first, second] = args;
    switch (verb) {
      case "add":
        return this.#add(first as Rows, second as Uint32Array | undefined, hearing);
      case "upsert":
        return sum(await this.#parted(verb, first as Rows, second as Uint32Array, hearing));
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

  async addAll(hasIds: boolean, fill: Fill, hearing: Hearing): Promise<void> {
    let waiting: Piece[] = [];
    let done = 0;
    const { told, ...rest } = hearing;
    const add = async (): Promise<void> => {
      const rows = joined(waiting.map((piece) => piece.rows));
      const ids = hasIds ? joined(waiting.map((piece) => piece.ids as Uint32Array)) : undefined;
      waiting = [];
      const n = rows.length / this.#width(rows);
      await this.#add(rows, ids, rest, true);
      done += n;
      told?.({ done });
    };
    const feed = {
      give: async (piece: Piece) => {
        waiting.push(piece);
        const n = waiting.reduce((all, { rows }) => all + rows.length / this.#width(rows), 0);
        if (n >= TOGETHER) await add();
      },
    };
    await fill(feed as Feed);
    if (waiting.length) await add();
  }

  async prepare(filter: number, source: FilterSource): Promise<number> {
    return sum(await this.#each((shard) => shard.prepare(filter, source)));
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
    const ids = given ?? Uint32Array.from({ length: rows.length / this.#width(rows) }, (_, i) => this.#nextId + i);
    for (const id of ids) this.#nextId = Math.max(this.#nextId, id + 1);
    const done = await Promise.allSettled(
      this.#parts(rows, ids).map((part, i) => this.#addTo(this.#shards[i], part, hearing, together)),
    );
    const failed = done.find((one) => one.status === "rejected");
    if (!failed) return ids;
    await Promise.all(
      done.map(async (one, i) => {
        if (one.status === "fulfilled") await this.#shards[i].do("remove", [ids.filter((id) => this.#of(id) === i)]);
      }),
    );
    throw failed.reason;
  }

  #addTo(shard: Copied, { rows, ids }: Required<Part>, hearing: Hearing, together: boolean): Promise<unknown> {
    if (!together) return shard.do("add", [rows, ids], hearing);
    return shard.addAll(true, (feed) => feed.give({ rows, ids }), hearing);
  }

  #parted(verb: Verb, rows: Rows, ids: Uint32Array, hearing: Hearing): Promise<unknown[]> {
    const parts = this.#parts(rows, ids);
    return this.#each((shard, i) => shard.do(verb, [parts[i].rows, parts[i].ids], hearing));
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

function joined<T extends Rows | Uint32Array>(arrays: readonly T[]): T {
  const ofItsKind = arrays[0].constructor as new (length: number) => T;
  const all = new ofItsKind(arrays.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const one of arrays) {
    all.set(one, at);
    at += one.length;
  }
  return all;
}

function nearest(hits: Hit[], k: number): Hit[] {
  return hits.sort((a, b) => a.distance - b.distance || a.id - b.id).slice(0, k);
}

function mergedBatches(batches: readonly BatchHits[]): BatchHits {
  const [{ k, ids: first }] = batches;
  const ids = new Uint32Array(first.length).fill(NONE);
  const distances = new Float32Array(first.length).fill(Infinity);
  for (let from = 0; from < first.length; from += k) {
    const hits = batches.flatMap((batch) =>
      Array.from(batch.ids.subarray(from, from + k), (id, i) => ({ id, distance: batch.distances[from + i] })),
    );
    nearest(
      hits.filter(({ id }) => id !== NONE),
      k,
    ).forEach((hit, i) => {
      ids[from + i] = hit.id;
      distances[from + i] = hit.distance;
    });
  }
  return { ids, distances, k };
}

/** Of all shards: what counts is added up. */
function together(stats: readonly IndexStats[]): IndexStats {
  const [size, deleted, bytes] = (["size", "deleted", "bytes"] as const).map((name) => sum(stats.map((one) => one[name])));
  return { ...stats[0], size, deleted, bytes, bytesPerVector: size ? bytes / size : 0 };
}
