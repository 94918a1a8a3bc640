// One collection in several tabs: the tab that leads has it open, the calls of the others go there and back.
import { Tabs } from "../storage/tabs.js";
import type { Wanting } from "../storage/told.js";
import { badOption, show } from "../words/errors.js";
import { Answering, type Asked, type News, type Served } from "./answering.js";
import { AskedCollection } from "./asking.js";

/**
 * A collection that tabs of a site share. Its calls are those of Collection, all with promises, and arguments must be plain data.
 * Whichever tab leads is closed, they go on: what had no answer is done by the next, at least once and perhaps twice, which
 * changes nothing but the number that `update` and `delete` return.
 */
export class SharedCollection extends AskedCollection {
  readonly #tabs: Tabs;

  private constructor(name: string, open: () => Promise<Served>) {
    super();
    this.#tabs = new Tabs({
      name: `collection:${name}`,
      place: `the shared collection ${name}`,
      lead: async (tell) => {
        const collection = await open();
        return new Answering(collection, (news) => {
          tell(news);
          this.heard(news);
        });
      },
      hear: (news) => this.heard(news as News),
    });
  }

  /**
   * Joins the tabs that share the collection `name`, whose first opens it by `open`; so does, later, whichever leads next: all
   * give the same. `openShared("docs", () => Collection.open({ storage: opfs("docs"), dimensions: 384 }))`. Errors: BAD_OPTION;
   * NO_STORAGE where there are no Web Locks; those of `open`.
   */
  static async open(name: string, open: () => Promise<Served>): Promise<SharedCollection> {
    if (typeof name !== "string" || name === "") throw badOption(`name is ${show(name)}; it must be text, the same in all tabs`);
    if (typeof open !== "function") throw badOption(`open is ${show(open)}; it must be a function that opens the collection`);
    return new SharedCollection(name, open).greet();
  }

  /** Whether it is this tab that has the collection open. */
  get leads(): boolean {
    return this.#tabs.leads;
  }

  /** Leaves the other tabs: where this one leads it closes the collection, and the next opens it. Any later use is CLOSED. */
  async close(): Promise<void> {
    await this.#tabs.leave();
  }

  /** @internal */
  protected override request(asked: Asked, wanting: Wanting): Promise<unknown> {
    return this.#tabs.request(asked, wanting);
  }
}
