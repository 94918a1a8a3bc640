// The calls of a collection that another tab or thread has open: each goes there and back.
import type { Vector, Vectors } from "../input/vectors.js";
import { DEFAULT_K } from "../search/plan.js";
import type { Searchable } from "../search/searchable.js";
import { badOption, show } from "../words/errors.js";
import { checkSignal, heed } from "../words/options.js";
import type { Asked, Call, Hello, News, Page } from "./answering.js";
import type { DocumentInput, DocumentPatch } from "./changing.js";
import type { CollectionStats, VerifyReport } from "./health.js";
import type { DocumentId } from "./keys.js";
import type { MainOptions } from "./options.js";
import { rescored } from "./rescored.js";
import type { Document, ScanOptions } from "./scanning.js";
import type { CollectionSearchOptions, DocumentHit } from "./searching.js";
import type { Where } from "./where/parse.js";

/** What a call may say beside what it asks for. */
export interface Waiting {
  signal?: AbortSignal;
}

/** As of a search's `rescore`, which stays here. */
const CANDIDATES = 100;

export abstract class AskedCollection implements Searchable<DocumentId> {
  readonly #listeners = new Set<() => void>();
  #hello: Hello = { size: 0, dimensions: 0 };
  #scans = 0;

  /** @internal What the one who has it open answers. */
  protected abstract request(asked: Asked, signal?: AbortSignal): Promise<unknown>;

  abstract close(): Promise<void>;

  /** @internal Asks what there is to know; where that fails, all is given back. */
  protected async greet(): Promise<this> {
    try {
      this.#hello = (await this.request({ call: "hello" })) as Hello;
      return this;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** @internal Something has changed. */
  protected heard(news: News): void {
    this.#hello = { ...this.#hello, size: news.size };
    for (const listener of this.#listeners) listener();
  }

  get dimensions(): number {
    return this.#hello.dimensions;
  }

  /** Documents, as was heard last; `count()` asks. */
  get size(): number {
    return this.#hello.size;
  }

  /** Calls the listener after every change, whoever has made it; what it returns ends that. */
  onChange(listener: () => void): () => void {
    if (typeof listener !== "function") throw badOption(`listener is ${show(listener)}; it must be a function`);
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  async upsert(documents: DocumentInput | readonly DocumentInput[], options: Waiting = {}): Promise<void> {
    await this.#call("upsert", [documents], options);
  }

  async update(id: DocumentId, data: object): Promise<number>;
  async update(documents: readonly DocumentPatch[]): Promise<number>;
  async update(...args: unknown[]): Promise<number> {
    return (await this.#call("update", args)) as number;
  }

  async delete(what: DocumentId | readonly DocumentId[] | { readonly where: Where }): Promise<number> {
    return (await this.#call("delete", [what])) as number;
  }

  async get(id: DocumentId, options: { vector?: boolean } = {}): Promise<Document | undefined> {
    return (await this.#call("get", [id, options])) as Document | undefined;
  }

  async has(id: DocumentId): Promise<boolean> {
    return (await this.#call("has", [id])) as boolean;
  }

  async count(options: { where?: Where } = {}): Promise<number> {
    return (await this.#call("count", [options])) as number;
  }

  /** As of Collection. Where another answers in the midst of it, it begins again there, and leaves out what it has given. */
  async *scan(options: ScanOptions = {}): AsyncGenerator<Document, void, void> {
    const { signal, ...rest } = options;
    checkSignal(signal);
    const scan = `${crypto.randomUUID()}:${++this.#scans}`;
    const given = new Set<DocumentId>();
    let begins = true;
    try {
      for (;;) {
        const page = (await this.request({ call: "scan", scan, begins, options: rest }, signal)) as Page | null;
        begins = !page;
        if (!page) continue;
        for (const document of page.documents) {
          if (given.has(document.id)) continue;
          given.add(document.id);
          yield document;
        }
        if (page.done) return;
      }
    } finally {
      if (!begins) this.request({ call: "end", scan }).catch(() => {}); // it was closed
    }
  }

  async search(query: Vector | string, options: CollectionSearchOptions = {}): Promise<DocumentHit[]> {
    const { rescore, candidates, k, signal, ...rest } = options;
    if (rescore === undefined) return (await this.#call("search", [query, withoutSignal(options)], options)) as DocumentHit[];
    if (typeof rescore !== "function") throw badOption(`rescore is ${show(rescore)}; it must be a function of hits`);
    if (rest.after !== undefined) throw badOption("after goes on with hits by distance: not with rescore");
    const asked = { ...rest, k: candidates ?? Math.max(CANDIDATES, k ?? 0) };
    const hits = (await this.#call("search", [query, asked], { signal })) as DocumentHit[];
    if (hits.length === 0) return hits;
    const scores = await rescore(hits.slice(), query);
    heed(signal);
    return rescored(hits, scores, k ?? (rest.radius === undefined ? DEFAULT_K : undefined));
  }

  /** As of Collection, but for `rescore`. */
  async searchBatch(
    queries: Vectors | readonly (Vector | string)[],
    options: CollectionSearchOptions = {},
  ): Promise<DocumentHit[][]> {
    return (await this.#call("searchBatch", [queries, withoutSignal(options)], options)) as DocumentHit[][];
  }

  async snapshot(): Promise<void> {
    await this.#call("snapshot", []);
  }

  async compact(): Promise<void> {
    await this.#call("compact", []);
  }

  async reindex(index?: MainOptions, options: Waiting = {}): Promise<void> {
    await this.#call("reindex", [index], options);
  }

  async verify(): Promise<VerifyReport> {
    return (await this.#call("verify", [])) as VerifyReport;
  }

  async stats(): Promise<CollectionStats> {
    return (await this.#call("stats", [])) as CollectionStats;
  }

  #call(call: Call, args: readonly unknown[], { signal }: Waiting = {}): Promise<unknown> {
    checkSignal(signal);
    return this.request({ call, args }, signal);
  }
}

function withoutSignal({ signal: _, ...options }: CollectionSearchOptions): CollectionSearchOptions {
  return options;
}
