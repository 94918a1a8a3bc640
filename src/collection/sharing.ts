// One collection in several tabs: the tab that leads has it open, the calls of the others go there and back.
import type { Vector, Vectors } from "../input/vectors.js";
import { DEFAULT_K } from "../search/plan.js";
import type { Searchable } from "../search/searchable.js";
import { Tabs } from "../storage/tabs.js";
import { badOption, show } from "../words/errors.js";
import { checkSignal, heed } from "../words/options.js";
import { Answering, type Asked, type Call, type Hello, type News, type Page } from "./answering.js";
import type { DocumentInput, DocumentPatch } from "./changing.js";
import type { Collection } from "./collection.js";
import type { CollectionStats, VerifyReport } from "./health.js";
import type { DocumentId } from "./ids.js";
import type { MainOptions } from "./options.js";
import { rescored } from "./rescored.js";
import type { Document, ScanOptions } from "./scanning.js";
import type { CollectionSearchOptions, DocumentHit } from "./searching.js";
import type { Where } from "./where/parse.js";

/** What a call may say beside what it asks for. */
export interface Waiting {
  signal?: AbortSignal;
}

/** As of a search's `rescore`, which stays in its tab. */
const CANDIDATES = 100;

/**
 * A collection that tabs of a site share. Its calls are those of Collection, all with promises, and arguments must be plain data. Whichever tab leads is
 * closed, they go on: what had no answer is done by the next, at least once and perhaps twice, which changes nothing but the number that `update` and
 * `delete` return.
 */
export class SharedCollection implements Searchable<DocumentId> {
  readonly #tabs: Tabs;
  readonly #listeners = new Set<() => void>();
  #hello: Hello = { size: 0, dimensions: 0 };
  #scans = 0;

  private constructor(name: string, open: () => Promise<Collection>) {
    const heard = (news: News): void => {
      this.#hello = { ...this.#hello, size: news.size };
      for (const listener of this.#listeners) listener();
    };
    this.#tabs = new Tabs({
      name: `collection:${name}`,
      place: `the shared collection ${name}`,
      async lead(tell) {
        const collection = await open();
        return new Answering(collection, (news) => {
          tell(news);
          heard(news);
        });
      },
      hear: (news) => heard(news as News),
    });
  }

  /**
   * Joins the tabs that share the collection `name`, whose first opens it by `open`; so does, later, whichever leads next: all give the
   * same. `openShared("docs", () => Collection.open({ storage: opfs("docs"), dimensions: 384 }))`. Errors: BAD_OPTION; NO_STORAGE where there
   * are no Web Locks; those of `open`.
   */
  static async open(name: string, open: () => Promise<Collection>): Promise<SharedCollection> {
    if (typeof name !== "string" || name === "") throw badOption(`name is ${show(name)}; it must be text, the same in all tabs`);
    if (typeof open !== "function") throw badOption(`open is ${show(open)}; it must be a function that opens the collection`);
    const shared = new SharedCollection(name, open);
    try {
      shared.#hello = (await shared.#request({ call: "hello" })) as Hello;
      return shared;
    } catch (error) {
      await shared.close();
      throw error;
    }
  }

  /** Whether it is this tab that has the collection open. */
  get leads(): boolean {
    return this.#tabs.leads;
  }

  get dimensions(): number {
    return this.#hello.dimensions;
  }

  /** Documents, as this tab has heard last; `count()` asks. */
  get size(): number {
    return this.#hello.size;
  }

  /** Calls the listener after every change that any tab has made; what it returns ends that. */
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

  /** As of Collection. Where another tab leads in the midst of it, it begins again there, and leaves out what it has given. */
  async *scan(options: ScanOptions = {}): AsyncGenerator<Document, void, void> {
    const { signal, ...rest } = options;
    checkSignal(signal);
    const scan = `${crypto.randomUUID()}:${++this.#scans}`;
    const given = new Set<DocumentId>();
    let begins = true;
    try {
      for (;;) {
        const page = (await this.#request({ call: "scan", scan, begins, options: rest }, signal)) as Page | null;
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
      if (!begins) this.#request({ call: "end", scan }).catch(() => {}); // the tab was closed
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

  /** Leaves the other tabs: where this one leads it closes the collection, and the next opens it. Any later use is CLOSED. */
  async close(): Promise<void> {
    await this.#tabs.leave();
  }

  #call(call: Call, args: readonly unknown[], { signal }: Waiting = {}): Promise<unknown> {
    checkSignal(signal);
    return this.#request({ call, args }, signal);
  }

  #request(asked: Asked, signal?: AbortSignal): Promise<unknown> {
    return this.#tabs.request(asked, signal);
  }
}

function withoutSignal({ signal: _, ...options }: CollectionSearchOptions): CollectionSearchOptions {
  return options;
}
