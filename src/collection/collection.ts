// Documents with vectors that last: the calls. What they are made of: committer.ts writes changes, documents.ts has them in
// memory, tiers.ts finds vectors, conditions.ts fields, snapshot.ts and tending.ts keep files and tiers in shape.

import type { VectorIndex } from "../base/vector-index.js";
import { rowsOf, type Vector, type Vectors } from "../input/vectors.js";
import type { Searchable } from "../search/searchable.js";
import { checkSignal, flag, known } from "../words/options.js";
import { part } from "../words/part.js";
import { Changing, type DocumentInput, type DocumentPatch, type UpsertOptions } from "./changing.js";
import { Committer } from "./committer.js";
import { Conditions } from "./conditions.js";
import { embedded } from "./embedding.js";
import type { CollectionStats, VerifyReport } from "./health.js";
import { type Health, Keeping } from "./keeping.js";
import { checkDocumentId, type DocumentId, keyOf } from "./keys.js";
import { openCollection } from "./opening.js";
import {
  type Checked,
  type CollectionOptions,
  checkMain,
  checkOptions,
  type MainOptions,
  type ReindexOptions,
  type WorkerOptions,
} from "./options.js";
import { closed, Reading } from "./reading.js";
import { newRows } from "./rows.js";
import { checkScan, type Document, Scanning, type ScanOptions } from "./scanning.js";
import { type CollectionSearchOptions, type DocumentHit, Searching, wishOf } from "./searching.js";
import { Vectors as Originals } from "./vectors.js";
import type { Where } from "./where/parse.js";
import type { WorkerCollection } from "./worker.js";

/** What an open collection consists of. */
interface Inside {
  readonly checked: Checked;
  readonly release: () => Promise<void>;
  readonly keeping: Keeping;
  readonly changing: Changing;
  readonly scanning: Scanning;
  readonly searching: Searching;
  readonly conditions: Conditions;
}

export class Collection implements Searchable<DocumentId> {
  #inside: Inside | undefined;
  #closing: Promise<void> | undefined;
  readonly #place: string;

  private constructor(inside: Inside) {
    this.#inside = inside;
    this.#place = inside.checked.storage.place;
  }

  /**
   * Opens the collection in a place, or makes one there. One at a time may have a place open: for another process or tab that is
   * LOCKED. Errors: BAD_OPTION; LOCKED; BAD_FILE where a file is missing or damaged, with which and where: nothing has been
   * changed then; those of the storage. With `worker: true` also BAD_RUNTIME, where there are no workers or none may be made.
   */
  static open(options: WorkerOptions): Promise<WorkerCollection>;
  static open(options: CollectionOptions): Promise<Collection>;
  static async open(options: CollectionOptions | WorkerOptions): Promise<Collection | WorkerCollection> {
    const checked = checkOptions(options);
    if (options.worker) {
      const { openInWorker } = await part(import("./own-worker.js"));
      return openInWorker(options);
    }
    const release = await checked.storage.lock();
    try {
      const { files, documents, metric, sequence, logged, written } = await openCollection(checked);
      const reading = new Reading(documents, files);
      const vectors = new Originals(documents, reading, metric);
      const conditions = new Conditions(documents, files);
      const room = (): Promise<void> | undefined => keeping.room();
      const committer = new Committer(files, checked.waits, room, sequence, logged);
      const keeping: Keeping = new Keeping(checked, files, documents, committer, vectors, metric, written);
      const changing = new Changing(documents, committer, reading, vectors, conditions, checked.embed, () => keeping.poke());
      const scanning = new Scanning(documents, reading, vectors, conditions);
      const searching = new Searching(documents, reading, conditions);
      keeping.poke();
      return new Collection({ checked, release, keeping, changing, scanning, searching, conditions });
    } catch (error) {
      await checked.storage.close();
      await release();
      throw error;
    }
  }

  get #open(): Inside {
    if (!this.#inside) throw closed(this.#place);
    return this.#inside;
  }

  /** Documents. */
  get size(): number {
    return this.#open.keeping.documents.ids.size;
  }

  get dimensions(): number {
    return this.#open.keeping.documents.shape.dimensions;
  }

  /** @internal For the doctor: what most searches go to. */
  protected get main(): VectorIndex | undefined {
    return this.#open.keeping.documents.tiers.main;
  }

  /**
   * Puts documents in, in place of those with their ids: all of them or, where it fails, none. Resolves when they last
   * (`durability`) and are found. Errors: BAD_OPTION, BAD_ID, DUPLICATE_ID, BAD_FIELD, BAD_DIMENSION, NOT_FINITE, TOO_LARGE,
   * CLOSED, those of the storage.
   */
  async upsert(documents: DocumentInput | readonly DocumentInput[], options: UpsertOptions = {}): Promise<void> {
    const { changing } = this.#open;
    const list = Array.isArray(documents) ? documents : [documents];
    return changing.upsert(list, options);
  }

  /**
   * Changes fields of a document, whose vector stays: members of objects are merged, null removes one, all else replaces (RFC
   * 7396). Of many: `[{ id, data }]`, all or none. Returns how many of the documents were there. Errors: as upsert.
   */
  async update(id: DocumentId, data: object): Promise<number>;
  async update(documents: readonly DocumentPatch[]): Promise<number>;
  async update(what: DocumentId | readonly DocumentPatch[], data?: object): Promise<number> {
    const { changing } = this.#open;
    if (Array.isArray(what)) return changing.update(what);
    return changing.update([{ id: checkDocumentId(what, "id"), data: data as object }]);
  }

  /**
   * Removes documents by id, or those that meet conditions; ids that are not there are passed over. Returns how many were.
   * Errors: BAD_ID, BAD_WHERE.
   */
  async delete(what: DocumentId | readonly DocumentId[] | { readonly where: Where }): Promise<number> {
    return this.#open.changing.delete(what);
  }

  /** A document, or undefined. `vector: false` leaves its vector out. Errors: BAD_ID, BAD_FILE. */
  async get(id: DocumentId, options: { vector?: boolean } = {}): Promise<Document | undefined> {
    known("get", options, ["vector"]);
    const withVector = options.vector === undefined || flag("vector", options.vector);
    return this.#open.scanning.get(checkDocumentId(id, "id"), withVector);
  }

  has(id: DocumentId): boolean {
    return this.#open.keeping.documents.ids.find(keyOf(checkDocumentId(id, "id"))) >= 0;
  }

  /** How many documents there are, or meet conditions. Errors: BAD_WHERE. */
  async count(options: { where?: Where } = {}): Promise<number> {
    const { conditions } = this.#open;
    known("count", options, ["where"]);
    if (options.where === undefined) return this.size;
    const condition = conditions.parse(options.where);
    while (conditions.lack([condition])) await conditions.make([condition]);
    return conditions.match(condition).count;
  }

  /**
   * Documents one after the other, in no promised order; those that come or change meanwhile may be among them or not. Errors:
   * BAD_OPTION, BAD_WHERE, CLOSED.
   */
  scan(options: ScanOptions = {}): AsyncGenerator<Document, void, void> {
    const { scanning } = this.#open;
    checkScan(options);
    return scanning.scan(options, () => this.#open);
  }

  /**
   * The documents nearest to a vector, or to a text by `embed`, nearest first. Errors: BAD_OPTION, BAD_WHERE, BAD_DIMENSION,
   * NOT_FINITE, TOO_LARGE, CLOSED; the signal's reason.
   */
  async search(query: Vector | string, options: CollectionSearchOptions = {}): Promise<DocumentHit[]> {
    const { searching } = this.#open;
    const wish = wishOf(options);
    return searching.search(typeof query === "string" ? (await this.#embedded([query], options.signal))[0] : query, query, wish);
  }

  /** The same for many queries, in their order: vectors and texts in an array, or n * dimensions numbers. */
  async searchBatch(
    given: Vectors | readonly (Vector | string)[],
    options: CollectionSearchOptions = {},
  ): Promise<DocumentHit[][]> {
    const { searching } = this.#open;
    const wish = wishOf(options);
    const queries = this.#queries(given);
    const texts = queries.filter((query): query is string => typeof query === "string");
    const vectors = texts.length > 0 ? await this.#embedded(texts, options.signal) : [];
    const hits: DocumentHit[][] = [];
    let next = 0;
    for (const query of queries)
      hits.push(await searching.search(typeof query === "string" ? vectors[next++] : query, query, wish));
    return hits;
  }

  #queries(given: unknown): readonly (Vector | string)[] {
    const { shape } = this.#open.keeping.documents;
    if (Array.isArray(given) && given.some((one) => typeof one === "string")) return given;
    const rows = rowsOf(given, shape, "queries");
    const own = newRows(shape, rows.n);
    const width = own.length / Math.max(rows.n, 1);
    for (let i = 0; i < rows.n; i++) rows.write(i, own, i * width);
    return Array.from({ length: rows.n }, (_, i) => own.subarray(i * width, (i + 1) * width));
  }

  #embedded(texts: readonly string[], signal: AbortSignal | undefined): Promise<Vector[]> {
    const { checked, keeping } = this.#open;
    return embedded(checked.embed, texts, keeping.documents.shape, { signal });
  }

  /** Writes all anew, so that the next open reads no log: done by itself when that has grown, and by close. */
  async snapshot(): Promise<void> {
    return this.#open.keeping.snapshot(false);
  }

  /** Gives back what removed and replaced documents still take, in memory and on the medium. */
  async compact(): Promise<void> {
    return this.#open.keeping.compact();
  }

  /**
   * Builds the main tier anew, of another family or codec if `index` says so, beside the one that goes on being searched; then
   * takes its place. `{}` with the options it has. Errors: BAD_OPTION, OUT_OF_MEMORY, and then the old one stays; the signal's
   * reason.
   */
  async reindex(index?: MainOptions, options: ReindexOptions = {}): Promise<void> {
    const { keeping } = this.#open;
    known("reindex", options, ["signal", "onProgress"]);
    checkSignal(options.signal);
    return keeping.reindex(index === undefined ? undefined : checkMain(index), options);
  }

  /** Reads every byte of what is stored, and looks whether all fits. Changes nothing; searches and changes go on. */
  async verify(): Promise<VerifyReport> {
    const { keeping } = this.#open;
    const { verify } = await part(import("./extras.js"));
    return keeping.tending.inTurn("idle", () => verify(keeping));
  }

  /** How it is at the moment. */
  get health(): Health {
    return this.#open.keeping.health;
  }

  async stats(): Promise<CollectionStats> {
    const { keeping } = this.#open;
    const { statsOf } = await part(import("./extras.js"));
    return statsOf(keeping);
  }

  /**
   * Waits for what is being written, takes a snapshot where the log has grown, and gives the place back. Any later use is CLOSED.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { keeping, checked, release } = this.#open;
    this.#inside = undefined;
    try {
      await keeping.end();
    } finally {
      await checked.storage.close();
      await release();
    }
  }
}
