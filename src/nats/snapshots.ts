// A shard's documents as a compacted log: the same messages, all puts, in an object of the store or a file at a URL.
//
//   [bytes u32][parcel { collection, shard, shards, dimensions, metric, sequence }]
//   [bytes u32][message of the log] ...
//   [0 u32][documents u32]
//
// Documents go on changing while it is written: it has all up to `sequence` and some of what came later, and the log from there on,
// read over it, leaves the documents as they are. A message puts documents of one shard, of several partitions.
import { JetStreamApiCodes, jetstreamManager } from "@nats-io/jetstream";
import type { KV, KvEntry } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import { Objm } from "@nats-io/obj";
import type { WorkerCollection } from "../collection/worker.js";
import type { Shape } from "../input/vectors.js";
import { failure } from "../storage/failures.js";
import type { Bytes } from "../words/arrays.js";
import { VicinalError } from "../words/errors.js";
import { changesOf, putOf } from "./changes.js";
import { bucketOf, logFilter, overlap, partitionOf, type Shard, shardOf, streamOf } from "./names.js";
import { pack, unpack } from "./parcel.js";
import type { ShardMap } from "./shard-map.js";

/** What the KV bucket has of one, under snapshot.<shards>.<shard>. */
export interface SnapshotRecord extends Shard {
  readonly object: string;
  readonly sequence: number;
  readonly documents: number;
  readonly bytes: number;
  /** Up to here the log has nothing of the shard any more; 0 where it has all. */
  readonly purged: number;
  /** Replicas that had all of that when it went. */
  readonly counted: readonly string[];
  /** The object before, which replicas may still be reading; it goes with the next. */
  readonly previous?: string | undefined;
}

interface Head extends Shard {
  readonly collection: string;
  readonly dimensions: number;
  readonly metric: string;
  readonly sequence: number;
}

/** Documents put at once, and bytes of them, about. */
const TOGETHER = 256;
const CHUNK_BYTES = 256 << 10;
const OBJECT_CHUNK_BYTES = 512 << 10;
/** Where a snapshot is read and nothing comes. */
const SILENT_MS = 30_000;

const keyOf = ({ shard, shards }: Shard): string => `snapshot.${shards}.${shard}`;

export async function readRecords(kv: KV): Promise<SnapshotRecord[]> {
  const records: SnapshotRecord[] = [];
  const keys: string[] = [];
  for await (const key of await kv.keys("snapshot.>")) keys.push(key);
  for (const key of keys) {
    const record = recordOf(await kv.get(key));
    if (record) records.push(record);
  }
  return records;
}

/** What is no record is passed over: others may write there too. */
function recordOf(entry: KvEntry | null): SnapshotRecord | undefined {
  if (entry?.operation !== "PUT") return undefined;
  try {
    const record = entry.json<SnapshotRecord>();
    const { shard, shards, object, sequence, purged, counted } = record;
    const numbers = [shard, shards, sequence, purged].every((value) => Number.isSafeInteger(value) && value >= 0);
    return numbers && shard < shards && typeof object === "string" && Array.isArray(counted) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Puts a record in the place of what was read there; false where another has come since. */
async function putRecord(kv: KV, record: SnapshotRecord, at: KvEntry | null): Promise<boolean> {
  const text = JSON.stringify(record);
  try {
    await (at ? kv.update(keyOf(record), text, at.revision) : kv.create(keyOf(record), text));
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === JetStreamApiCodes.StreamWrongLastSequence) return false;
    throw error;
  }
}

/**
 * Writes one of a shard, and then removes the one before the one before. `sequence`: what is durable in it now. Errors: BUSY where the
 * log was purged beyond that meanwhile.
 */
export async function writeSnapshot(
  nc: NatsConnection,
  kv: KV,
  name: string,
  map: ShardMap,
  { shard, shards }: Shard,
  collection: WorkerCollection,
  sequence: number,
): Promise<SnapshotRecord> {
  const { dimensions, metric } = map;
  const store = await new Objm(nc).open(bucketOf(name));
  const object = `${shards}.${shard}.${sequence}.${crypto.randomUUID()}`;
  let documents = 0;
  let bytes = 0;
  async function* frames(): AsyncGenerator<Bytes> {
    yield framed(pack({ collection: name, shard, shards, dimensions, metric, sequence } satisfies Head));
    for await (const { payload, count } of putsOf(collection)) {
      documents += count;
      yield framed(payload);
    }
    const end = new DataView(new ArrayBuffer(8));
    end.setUint32(4, documents, true);
    yield new Uint8Array(end.buffer);
  }
  const source = frames();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await source.next();
      if (done) return controller.close();
      bytes += value.length;
      controller.enqueue(value);
    },
  });
  const chunk = Math.min(OBJECT_CHUNK_BYTES, (nc.info?.max_payload ?? 1 << 20) >> 1);
  await store.put({ name: object, options: { max_chunk_size: chunk } }, stream);
  for (;;) {
    const entry = await kv.get(keyOf({ shard, shards }));
    const before = recordOf(entry);
    const { purged, counted } = purgedOf(await readRecords(kv), { shard, shards });
    if (purged > sequence) {
      await store.delete(object);
      throw new VicinalError("BUSY", `the log of ${name} was purged to ${purged} while a snapshot up to ${sequence} was taken`);
    }
    const previous = before?.object;
    const record: SnapshotRecord = { shard, shards, object, sequence, documents, bytes, purged, counted, previous };
    if (!(await putRecord(kv, record, entry))) continue;
    if (before?.previous) await store.delete(before.previous).catch(() => {}); // it is in nobody's way
    return record;
  }
}

async function* putsOf(collection: WorkerCollection): AsyncGenerator<{ payload: Bytes; count: number }> {
  let some: { id: string | number; data: object; vector: Uint8Array }[] = [];
  let bytes = 0;
  for await (const { id, data, vector } of collection.scan({ vectors: true })) {
    const own = vector as Float32Array | Uint8Array;
    some.push({ id, data, vector: new Uint8Array(own.buffer, own.byteOffset, own.byteLength) });
    bytes += own.byteLength + 256;
    if (some.length < TOGETHER && bytes < CHUNK_BYTES) continue;
    yield { payload: putOf(some), count: some.length };
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield { payload: putOf(some), count: some.length };
}

function framed(bytes: Uint8Array): Bytes {
  const frame = new Uint8Array(4 + bytes.length);
  new DataView(frame.buffer).setUint32(0, bytes.length, true);
  frame.set(bytes, 4);
  return frame;
}

/** The snapshots that have all documents of a shard, of as few shards as there are; undefined where none have. */
export function covering(records: readonly SnapshotRecord[], shard: Shard): SnapshotRecord[] | undefined {
  const counts = [...new Set(records.map(({ shards }) => shards))].sort(
    (a, b) => Number(b === shard.shards) - Number(a === shard.shards) || a - b,
  );
  for (const shards of counts) {
    const some = records.filter((record) => record.shards === shards && overlap(record, shard));
    if (some.length === Math.max(1, shards / shard.shards)) return some;
  }
  return undefined;
}

/** Up to where the log lacks something of a shard, and the replicas that had it. */
export function purgedOf(records: readonly SnapshotRecord[], shard: Shard): Pick<SnapshotRecord, "purged" | "counted"> {
  const some = records.filter((record) => overlap(record, shard));
  const purged = Math.max(0, ...some.map((record) => record.purged));
  return { purged, counted: some.filter((record) => record.purged === purged).flatMap(({ counted }) => counted) };
}

/** The records of so many shards that have something of a shard. */
export async function recordsOf(kv: KV, shards: number, shard: Shard): Promise<SnapshotRecord[]> {
  const keys = Array.from({ length: shards }, (_, i) => ({ shard: i, shards })).filter((one) => overlap(one, shard));
  const entries = await Promise.all(keys.map((one) => kv.get(keyOf(one))));
  return entries.flatMap((entry) => recordOf(entry) ?? []);
}

/** Puts the documents of snapshots that are of a shard; returns the sequence after which the log is to be read. */
export async function loadSnapshots(
  nc: NatsConnection,
  name: string,
  records: readonly SnapshotRecord[],
  shard: Shard,
  collection: WorkerCollection,
  shape: Shape,
): Promise<number> {
  const store = await new Objm(nc).open(bucketOf(name));
  const sequences: number[] = [];
  for (const { object } of records) {
    const got = await store.get(object);
    if (!got) throw new VicinalError("MISSING", `the snapshot ${object} of ${name} is not in the object store`);
    sequences.push(await load(got.data, object, name, shard, collection, shape));
    const wrong = await got.error;
    if (wrong) throw failure("BAD_FILE", `the snapshot ${object} of ${name} is damaged: ${wrong.message}`, wrong);
  }
  return Math.min(...sequences);
}

/**
 * The same of one at a URL, which must have all of the shard. Errors: BAD_FILE; MISSING, also where the log has been purged beyond what
 * is in it.
 */
export async function loadUrl(
  url: string,
  name: string,
  shard: Shard,
  collection: WorkerCollection,
  shape: Shape,
  purged: number,
): Promise<number> {
  const response = await fetch(url);
  if (!response.ok || !response.body) throw new VicinalError("MISSING", `${url} answers ${response.status}`);
  return load(response.body as ReadableStream<Uint8Array>, url, name, shard, collection, shape, ({ sequence, ...head }) => {
    if (head.shards > shard.shards) {
      throw new VicinalError(
        "BAD_FILE",
        `the snapshot ${url} is of shard ${head.shard}/${head.shards}, which is a part of ${shard.shard}/${shard.shards} alone`,
      );
    }
    if (sequence < purged)
      throw new VicinalError("MISSING", `the snapshot ${url} ends at ${sequence}, and the log of ${name} begins after ${purged}`);
  });
}

async function load(
  from: ReadableStream<Uint8Array>,
  where: string,
  name: string,
  shard: Shard,
  collection: WorkerCollection,
  shape: Shape,
  check: (head: Head) => void = () => {},
): Promise<number> {
  const bad = (why: string): VicinalError => new VicinalError("BAD_FILE", `the snapshot ${where} ${why}`);
  const reading = new Frames(from, bad);
  const head = unpack(await reading.bytes(await reading.u32())).value as Head;
  if (head.collection !== name || head.dimensions !== shape.dimensions)
    throw bad(`is of ${head.collection} with ${head.dimensions} dimensions, not of ${name} with ${shape.dimensions}`);
  if (!overlap(head, shard))
    throw bad(`is of shard ${head.shard}/${head.shards}, which has nothing of ${shard.shard}/${shard.shards}`);
  check(head);
  let documents = 0;
  for (let length = await reading.u32(); length > 0; length = await reading.u32()) {
    const changes = changesOf(await reading.bytes(length), shape);
    if (changes.what !== "put") throw bad(`has a change ${changes.what}`);
    documents += changes.documents.length;
    await collection.upsert(changes.documents.filter(({ id }) => shardOf(partitionOf(id), shard.shards) === shard.shard));
  }
  const told = await reading.u32();
  if (told !== documents) throw bad(`has ${documents} documents and says ${told}`);
  return head.sequence;
}

/** Bytes of a stream, as many as are asked for. */
class Frames {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #bad: (why: string) => VicinalError;
  #have = new Uint8Array(0);

  constructor(from: ReadableStream<Uint8Array>, bad: (why: string) => VicinalError) {
    this.#reader = from.getReader();
    this.#bad = bad;
  }

  async bytes(n: number): Promise<Uint8Array> {
    const parts = [this.#have];
    let length = this.#have.length;
    while (length < n) {
      const { value, done } = await this.#read();
      if (done) throw this.#bad("ends in the midst of it");
      parts.push(value as never);
      length += value.length;
    }
    const all = parts.length === 1 ? this.#have : new Uint8Array(length);
    if (parts.length > 1) {
      let at = 0;
      for (const one of parts) {
        all.set(one, at);
        at += one.length;
      }
    }
    this.#have = all.subarray(n);
    return all.subarray(0, n);
  }

  /** An object that is removed while it is read falls silent. */
  async #read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silent = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(this.#bad(`has sent nothing for ${SILENT_MS} ms`));
        void this.#reader.cancel().catch(() => {}); // nobody waits for it any more
      }, SILENT_MS);
    });
    try {
      return await Promise.race([this.#reader.read(), silent]);
    } finally {
      clearTimeout(timer);
    }
  }

  async u32(): Promise<number> {
    const bytes = await this.bytes(4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  }
}

/** Removes those of other numbers of shards. */
export async function removeOthers(nc: NatsConnection, kv: KV, name: string, shards: number): Promise<void> {
  const store = await new Objm(nc).open(bucketOf(name));
  for (const record of await readRecords(kv)) {
    if (record.shards === shards) continue;
    await kv.purge(keyOf(record));
    await store.delete(record.object);
    if (record.previous) await store.delete(record.previous);
  }
}

/** How far a replica is. */
interface Reached {
  readonly replica: string;
  readonly applied: number;
}

/**
 * Takes out of the log what a snapshot and all these replicas have; returns how many messages that were, none where there is another
 * snapshot by now.
 */
export async function purge(
  nc: NatsConnection,
  kv: KV,
  name: string,
  record: SnapshotRecord,
  replicas: readonly Reached[],
): Promise<number> {
  const entry = await kv.get(keyOf(record));
  const now = recordOf(entry);
  if (!entry || now?.object !== record.object) return 0;
  const upTo = Math.min(record.sequence, ...replicas.map(({ applied }) => applied));
  if (upTo <= now.purged) return 0;
  // Said before it is done: whoever has less, or was not counted, begins from the snapshot.
  const said: SnapshotRecord = { ...now, purged: upTo, counted: replicas.map(({ replica }) => replica) };
  if (!(await putRecord(kv, said, entry))) return 0;
  const filter = logFilter(name, record);
  const { purged } = await (await jetstreamManager(nc)).streams.purge(streamOf(name), {
    seq: upTo + 1,
    ...(filter && { filter }),
  });
  return purged;
}
