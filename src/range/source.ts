// What is to be published, read once: vectors into a Flat index, whose ids are places in the rest.
import { VectorIndex } from "../base/vector-index.js";
import type { CollectionStats } from "../collection/health.js";
import type { DocumentId } from "../collection/keys.js";
import type { Data } from "../collection/reading.js";
import type { Document, ScanOptions } from "../collection/scanning.js";
import { Flat } from "../family/flat.js";
import { badOption, show } from "../words/errors.js";
import { DOT_METRICS, type Metric } from "../words/kinds.js";
import { heed } from "../words/options.js";
import type { About } from "./format.js";

/** What a Collection, a WorkerCollection and a SharedCollection have. */
export interface Documents {
  readonly dimensions: number;
  readonly size: number;
  scan(options: ScanOptions): AsyncIterable<Document>;
  stats(): Promise<CollectionStats>;
}

export interface Source {
  readonly metric: Metric;
  readonly ids: DocumentId[];
  readonly rows: Flat;
  /** Of a collection. */
  readonly datas: Data[] | undefined;
  readonly fields: About["fields"];
}

/** Vectors added at a time. */
const CHUNK = 1024;
/** A field is published unasked where its values are no longer than this, as JSON. */
const MOST_FIELD_BYTES = 64;

export type Tell = (done: number, total: number) => void;

export async function readSource(
  from: VectorIndex | Documents,
  names: readonly string[] | undefined,
  tell: Tell,
  signal: AbortSignal | undefined,
): Promise<Source> {
  if (from instanceof VectorIndex) {
    if (names?.length) throw badOption("fields are those of documents; an index has none");
    return readIndex(from, tell, signal);
  }
  if (typeof (from as Documents | undefined)?.scan === "function") return readCollection(from, names, tell, signal);
  throw badOption(`source is ${show(from)}; it must be an index or a collection`);
}

function checkMetric(metric: Metric): Metric {
  if (DOT_METRICS.includes(metric as "l2")) return metric;
  throw badOption(`an index with metric "${metric}" cannot be published; those with ${DOT_METRICS.join(", ")} can`);
}

/** Vectors on their way into a Flat index. */
class Filling {
  readonly #vectors: Float32Array;
  #n = 0;

  constructor(readonly rows: Flat) {
    this.#vectors = new Float32Array(CHUNK * rows.dimensions);
  }

  push(vector: ArrayLike<number>): void {
    this.#vectors.set(vector, this.#n++ * this.rows.dimensions);
    if (this.#n === CHUNK) this.flush();
  }

  flush(): void {
    if (this.#n > 0) this.rows.add(this.#vectors.subarray(0, this.#n * this.rows.dimensions));
    this.#n = 0;
  }
}

async function readIndex(index: VectorIndex, tell: Tell, signal: AbortSignal | undefined): Promise<Source> {
  const metric = checkMetric(index.metric);
  const filling = new Filling(await Flat.create({ dimensions: index.dimensions, metric }));
  // From here on nobody can change it.
  const ids = Array.from(index.ids().sort());
  for (const [i, id] of ids.entries()) {
    if (i % CHUNK === 0) {
      heed(signal);
      tell(i, ids.length);
    }
    filling.push(index.get(id) as Float32Array);
  }
  filling.flush();
  return { metric, ids, rows: filling.rows, datas: undefined, fields: {} };
}

async function readCollection(
  from: Documents,
  names: readonly string[] | undefined,
  tell: Tell,
  signal: AbortSignal | undefined,
): Promise<Source> {
  const stats = await from.stats();
  const metric = checkMetric(stats.metric as Metric);
  const filling = new Filling(await Flat.create({ dimensions: from.dimensions, metric }));
  const ids: DocumentId[] = [];
  const datas: Data[] = [];
  for await (const { id, data, vector } of from.scan({ vectors: true, signal })) {
    if (ids.length % CHUNK === 0) tell(ids.length, from.size);
    ids.push(id);
    datas.push(data);
    filling.push(vector as Float32Array);
  }
  filling.flush();
  const declared = stats.fields.filter(({ kind }) => kind !== "inferred" && kind !== "stored");
  const kinds = new Map(declared.map(({ path, kind }) => [path, kind]));
  const chosen =
    names ?? (declared.length > 0 ? [...new Set(declared.map(({ path }) => path.split(".")[0]))] : shortFields(datas));
  const fields = Object.fromEntries(chosen.map((name) => [name, kinds.get(name) ?? "any"])) as About["fields"];
  return { metric, ids, rows: filling.rows, datas, fields };
}

/** Names of members that are short in all documents. */
function shortFields(datas: readonly Data[]): string[] {
  const short = new Map<string, boolean>();
  for (const data of datas) {
    for (const name of Object.keys(data)) {
      if (short.get(name) === false) continue;
      short.set(name, JSON.stringify(data[name]).length <= MOST_FIELD_BYTES);
    }
  }
  return [...short].filter(([, is]) => is).map(([name]) => name);
}
