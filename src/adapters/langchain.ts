// LangChain.js: a vector store that is a collection. A document's data is its metadata, with its text beside it, so that filters are
// conditions on metadata, and a collection that others have filled can be searched too.
import { Document, type DocumentInterface } from "@langchain/core/documents";
import type { EmbeddingsInterface } from "@langchain/core/embeddings";
import { type MaxMarginalRelevanceSearchOptions, SaveableVectorStore } from "@langchain/core/vectorstores";
import { Collection } from "../collection/collection.js";
import type { DocumentId } from "../collection/keys.js";
import type { CollectionOptions } from "../collection/options.js";
import type { Data } from "../collection/reading.js";
import type { DocumentHit } from "../collection/searching.js";
import type { FieldKind } from "../collection/where/fields.js";
import type { Where } from "../collection/where/parse.js";
import { memory } from "../storage/memory.js";
import type { Storage } from "../storage/storage.js";
import { badOption, show } from "../words/errors.js";
import type { Metric } from "../words/kinds.js";
import { known } from "../words/options.js";
import { part } from "../words/part.js";
import { checkOpened, type Opened } from "./opened.js";
import { similarityOf } from "./similarity.js";
import { various } from "./various.js";

/** Conditions on metadata, as a collection's `where`; or a function, which is asked about the nearest until enough pass. */
export type StoreFilter = Where | ((document: Document) => boolean);

export interface StoreOptions {
  collection: Opened;
  /** The member of a document's data that is its text; all others are its metadata. Default "pageContent". */
  textKey?: string;
}

/** What `Collection.open` takes; `embed` are the store's embeddings. */
export type StoreOpenOptions = Omit<CollectionOptions, "embed" | "worker"> & Pick<StoreOptions, "textKey">;

/** A folder's path (Node), or a storage. */
type Place = string | Storage;

/** Documents copied at a time by `save`. */
const BATCH = 256;
/** Hits that mmr chooses from, and how: LangChain's own defaults. */
const FETCH_K = 20;
const LAMBDA = 0.5;

export class VicinalStore extends SaveableVectorStore {
  declare FilterType: StoreFilter;
  readonly collection: Opened;
  readonly #textKey: string;
  #metric: Metric | undefined;

  /** On a collection that is open, whose dimensions are those of the embeddings. */
  constructor(embeddings: EmbeddingsInterface, options: StoreOptions) {
    super(embeddings, {});
    known("VicinalStore", options, ["collection", "textKey"]);
    this.collection = checkOpened(options.collection);
    this.#textKey = options.textKey ?? "pageContent";
  }

  /** Opens a collection, or makes one. Errors: those of Collection.open. */
  static async open(embeddings: EmbeddingsInterface, options: StoreOpenOptions): Promise<VicinalStore> {
    const { textKey, ...own } = options;
    return new VicinalStore(embeddings, { collection: await Collection.open(own), ...(textKey !== undefined && { textKey }) });
  }

  _vectorstoreType(): string {
    return "vicinal";
  }

  /**
   * Puts documents in, in place of those with their ids, all or none. Ids: `options.ids`, else a document's own, else random ones;
   * returned in the documents' order. Resolves when they are durable. Errors: those of a collection's upsert.
   */
  override async addDocuments(documents: DocumentInterface[], options?: { ids?: string[] }): Promise<string[]> {
    return this.addVectors(
      await this.embeddings.embedDocuments(documents.map(({ pageContent }) => pageContent)),
      documents,
      options,
    );
  }

  override async addVectors(
    vectors: number[][],
    documents: DocumentInterface[],
    options?: { ids?: string[] },
  ): Promise<string[]> {
    const given = options?.ids;
    for (const [name, list] of Object.entries({ vectors, ids: given })) {
      if (list && list.length !== documents.length)
        throw badOption(`there are ${documents.length} documents and ${list.length} ${name}`);
    }
    const ids = documents.map(({ id }, i) => given?.[i] ?? id ?? crypto.randomUUID());
    const rows = documents.map((document, i) => ({ id: ids[i], vector: vectors[i], data: this.#dataOf(document) }));
    await this.collection.upsert(rows);
    return ids;
  }

  /** By ids, by a filter of conditions, or all: one of the three. Ids that are not there are passed over. */
  override async delete(params: { ids?: string[]; filter?: Where; deleteAll?: boolean }): Promise<void> {
    known("delete", params, ["ids", "filter", "deleteAll"]);
    const { ids, filter, deleteAll } = params;
    if ([ids, filter, deleteAll || undefined].filter((one) => one !== undefined).length > 1)
      throw badOption("delete takes one of ids, filter and deleteAll");
    if (ids) await this.collection.delete(ids);
    else if (filter) await this.collection.delete({ where: filter });
    else if (deleteAll) await this.collection.delete({ where: {} });
    else throw badOption("delete takes { ids }, { filter } or { deleteAll: true }");
  }

  /** Those that are there, in the order of their ids. */
  async getByIds(ids: readonly string[]): Promise<Document[]> {
    const found = await Promise.all(ids.map((id) => this.collection.get(id, { vector: false })));
    return found.flatMap((one) => (one ? [this.#documentOf(one.id, one.data)] : []));
  }

  /** The nearest k with their similarities, more being nearer: the cosine, the inner product, or 1 / (1 + distance). */
  override async similaritySearchVectorWithScore(
    query: number[],
    k: number,
    filter?: this["FilterType"],
  ): Promise<[Document, number][]> {
    const metric = await this.#knownMetric();
    const found = await this.#passing(k, filter, (options) => this.collection.search(query, options));
    return found.map(([document, hit]) => [document, similarityOf(metric, hit.distance)]);
  }

  /** `fetchK` (20) of the nearest, and of those `k` by maximal marginal relevance, `lambda` (0.5) being how much relevance counts. */
  override async maxMarginalRelevanceSearch(
    query: string,
    { k, fetchK = FETCH_K, lambda = LAMBDA, filter }: MaxMarginalRelevanceSearchOptions<this["FilterType"]>,
  ): Promise<Document[]> {
    if (typeof filter === "function") throw badOption("mmr takes a filter of conditions, not a function");
    const vector = await this.embeddings.embedQuery(query);
    const where = filter && { where: filter as Where };
    const hits = await various(this.collection, vector, { candidates: fetchK, lambda }, { k, ...where });
    return hits.map(({ id, data }) => this.#documentOf(id, data as Data));
  }

  /** Hits that pass, with their documents. */
  async #passing(
    k: number,
    filter: StoreFilter | undefined,
    search: (options: { k: number; where?: Where }) => Promise<DocumentHit[]>,
  ): Promise<[Document, DocumentHit][]> {
    const withDocuments = (hits: DocumentHit[]): [Document, DocumentHit][] =>
      hits.map((hit) => [this.#documentOf(hit.id, hit.data as Data), hit]);
    if (typeof filter !== "function") return withDocuments(await search({ k, ...(filter && { where: filter }) }));
    for (let n = 4 * k; ; n *= 2) {
      const hits = await search({ k: n });
      const passing = withDocuments(hits).filter(([document]) => filter(document));
      if (passing.length >= k || hits.length < n) return passing.slice(0, k);
    }
  }

  #dataOf({ pageContent, metadata }: DocumentInterface): Data {
    if (Object.hasOwn(metadata, this.#textKey))
      throw badOption(
        `a document's metadata has ${show(this.#textKey)}, which is where its text is kept: open the store with another textKey`,
      );
    return { ...metadata, [this.#textKey]: pageContent };
  }

  #documentOf(id: DocumentId, data: Data): Document {
    const { [this.#textKey]: text, ...metadata } = data;
    return new Document({ id: String(id), pageContent: typeof text === "string" ? text : "", metadata });
  }

  async #knownMetric(): Promise<Metric> {
    this.#metric ??= (await this.collection.stats()).metric as Metric;
    return this.#metric;
  }

  /**
   * Copies the store to another place, in which nothing else is left then. What has a folder of its own, or a browser's storage, is
   * kept there at all times and need not be saved: for that place this is a snapshot.
   */
  override async save(place: Place): Promise<void> {
    const storage = await storageOf(place);
    const { place: own, metric, dimensions, fields } = await this.collection.stats();
    // All memories have one name.
    if (storage.place === own && own !== memory().place) return this.collection.snapshot();
    const declared = fields.filter(({ kind }) => kind !== "inferred").map(({ path, kind }) => [path, kind as FieldKind]);
    const options = { dimensions, metric: metric as Metric, fields: Object.fromEntries(declared) };
    const copy = await Collection.open({ storage, ...options });
    try {
      await copy.delete({ where: {} });
      let some: Parameters<typeof copy.upsert>[0] & object[] = [];
      for await (const one of this.collection.scan({ vectors: true })) {
        if (some.push(one) < BATCH) continue;
        await copy.upsert(some);
        some = [];
      }
      await copy.upsert(some);
    } finally {
      await copy.close();
    }
  }

  /** Opens what was saved, or is kept, in a place. */
  static override async load(
    place: Place,
    embeddings: EmbeddingsInterface,
    options: Omit<StoreOpenOptions, "storage"> = {},
  ): Promise<VicinalStore> {
    return VicinalStore.open(embeddings, { storage: await storageOf(place), ...options });
  }

  /** A store of texts; without `storage` in memory, until `save`. `metadatas`: one per text, or one for all. */
  static override async fromTexts(
    texts: string[],
    metadatas: object[] | object,
    embeddings: EmbeddingsInterface,
    options: Partial<StoreOpenOptions> = {},
  ): Promise<VicinalStore> {
    const documents = texts.map(
      (pageContent, i) => new Document({ pageContent, metadata: Array.isArray(metadatas) ? metadatas[i] : metadatas }),
    );
    return VicinalStore.fromDocuments(documents, embeddings, options);
  }

  /** The same of documents. */
  static override async fromDocuments(
    documents: DocumentInterface[],
    embeddings: EmbeddingsInterface,
    options: Partial<StoreOpenOptions> = {},
  ): Promise<VicinalStore> {
    const vectors = await embeddings.embedDocuments(documents.map(({ pageContent }) => pageContent));
    const dimensions = options.dimensions ?? (vectors[0] ?? (await embeddings.embedQuery("dimensions"))).length;
    const store = await VicinalStore.open(embeddings, { storage: memory(), ...options, dimensions });
    await store.addVectors(vectors, documents);
    return store;
  }
}

async function storageOf(place: Place): Promise<Storage> {
  if (typeof place !== "string") return place;
  const { folder } = await part(import("../storage/node.js"));
  return folder(place);
}
