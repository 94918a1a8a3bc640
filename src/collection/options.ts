// What Collection.open takes, checked.
import type { IndexOptions } from "../base/create.js";
import type { FamilyOptions } from "../family/classes.js";
import type { Vectors } from "../input/vectors.js";
import type { Storage } from "../storage/storage.js";
import { badOption, show } from "../words/errors.js";
import { KIND_NAMES, type Kind, METRIC_NAMES, type Metric } from "../words/kinds.js";
import { LIMITS } from "../words/limits.js";
import { flag, integer, known, oneOf } from "../words/options.js";
import { checkFields, type Fields } from "./where/fields.js";

/**
 * The family of the main tier, `kind`, and what that family's `create` takes but for dimensions, metric, maxBytes and a rerank by
 * fetchVectors.
 */
export type MainOptions = {
  [K in Kind]: { readonly kind: K } & Omit<FamilyOptions[K], "dimensions" | "metric" | "maxBytes">;
}[Kind];

/** Makes vectors of texts: one per text, in order. */
export type Embed = (texts: string[], options: { signal?: AbortSignal }) => Promise<Vectors> | Vectors;

export interface CollectionOptions {
  /** Where it lives: `folder(path)` of "vicinal/storage/node", or of "vicinal/storage". */
  storage: Storage;
  /** Values of a vector, 1 to 65536. May be left out for a collection that is there already. */
  dimensions?: number;
  /** As of an index. Default: that of the collection, for a new one "cosine". */
  metric?: Metric;
  /**
   * What fields hold, by path: `{ lang: "keyword", year: "number", tags: "keyword[]" }`. Others are found out when they are asked
   * for. Default: those of the collection.
   */
  fields?: Fields;
  /** Makes the vectors of documents and queries that are given as text. */
  embed?: Embed;
  /**
   * "commit" (default): a change resolves when it is on the medium, synced. "interval": when it is written; it is synced a second
   * later, and a crash of the machine, though not of the process, may lose that second.
   */
  durability?: (typeof DURABILITIES)[number];
  /** Linear memory that the main tier may have. Without `index`, a family and codec that fit are chosen. Default 4 GiB. */
  maxBytes?: number;
  /**
   * What the main tier is, when it is built next: one that is there stays as it is until `reindex`. Default: as it was built last;
   * for a new collection a graph, `{ kind: "hnsw" }`, or what fits `maxBytes`.
   */
  index?: MainOptions;
  /** JSON of documents that is kept in memory, in bytes. Default 32 MiB. */
  cacheBytes?: number;
  worker?: false;
}

/**
 * With `worker: true` the whole collection is in a worker, made and ended with it, and the thread that asks stays free. A storage
 * of a browser is opened there, any other is asked for in this thread; `embed` and `rescore` are called in this thread.
 */
export type WorkerOptions = Omit<CollectionOptions, "worker"> & { worker: true };

export interface ReindexOptions {
  signal?: AbortSignal;
  onProgress?: (progress: { done: number; total: number }) => void;
}

const DURABILITIES = ["commit", "interval"] as const;
const NAMES = ["storage", "dimensions", "metric", "fields", "embed", "durability", "maxBytes", "index", "cacheBytes", "worker"];
const CACHE_BYTES = 32 << 20;
const NOT_OF_MAIN = ["dimensions", "metric", "maxBytes"];

/** What is known before the collection is looked at. */
export interface Checked {
  readonly storage: Storage;
  readonly dimensions: number | undefined;
  readonly metric: Metric | undefined;
  readonly fields: Fields | undefined;
  readonly embed: Embed | undefined;
  readonly waits: boolean;
  readonly maxBytes: number | undefined;
  readonly index: MainOptions | undefined;
  readonly cacheBytes: number;
}

export function checkMain(index: unknown): MainOptions {
  if (index === null || typeof index !== "object")
    throw badOption(`index is ${show(index)}; it must be options such as { kind: "hnsw" }`);
  const options = index as MainOptions & IndexOptions;
  oneOf("index.kind", options.kind, KIND_NAMES);
  for (const name of NOT_OF_MAIN) {
    if (name in options) throw badOption(`index has the option ${name}, which belongs beside it: it is the collection's`);
  }
  const { rerank } = options;
  if (rerank !== null && typeof rerank === "object" && rerank.fetchVectors) {
    throw badOption("index.rerank.fetchVectors cannot be given: a collection has its vectors itself");
  }
  return { ...options };
}

export function checkOptions(options: CollectionOptions | WorkerOptions): Checked {
  known("Collection.open", options, NAMES);
  const { storage, embed, dimensions, metric, fields, maxBytes, index } = options;
  if (typeof storage?.append !== "function") {
    throw badOption(`storage is ${show(storage)}; it must be a place such as folder("./docs") of "vicinal/storage/node"`);
  }
  flag("worker", options.worker);
  if (embed !== undefined && typeof embed !== "function")
    throw badOption(`embed is ${show(embed)}; it must be a function of texts`);
  return {
    storage,
    embed,
    dimensions: dimensions === undefined ? undefined : integer("dimensions", dimensions, ...LIMITS.dimensions),
    metric: metric === undefined ? undefined : oneOf("metric", metric, METRIC_NAMES),
    fields: fields === undefined ? undefined : checkFields(fields),
    waits: oneOf("durability", options.durability ?? "commit", DURABILITIES) === "commit",
    maxBytes: maxBytes === undefined ? undefined : integer("maxBytes", maxBytes, 1 << 16, 2 ** 32),
    index: index === undefined ? undefined : checkMain(index),
    cacheBytes: integer("cacheBytes", options.cacheBytes ?? CACHE_BYTES, 0, Number.MAX_SAFE_INTEGER),
  };
}
