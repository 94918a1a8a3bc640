// Conditions on documents' fields, as slots that pass.

import { blocksOf, inOrder } from "./blocks.js";
import { checkBody, readBody } from "./body.js";
import type { Columns } from "./columns/columns.js";
import type { Match } from "./columns/match.js";
import type { Documents } from "./documents.js";
import type { Files } from "./files.js";
import { Passing } from "./passing.js";

/** Filters that indices have ready; the one used longest ago goes first. */
const MOST_READY = 64;

export class Conditions {
  /** By the expression's key, in order of use. */
  readonly #ready = new Map<string, { readonly version: number; readonly passing: Passing }>();
  constructor(
    readonly documents: Documents,
    readonly files: Files,
  ) {}

  get #columns(): Columns {
    return this.documents.columns;
  }

  /** Makes what columns these lack, from the documents' data. Errors: BAD_WHERE. */
  async ready(where: unknown, groupBy: string | undefined): Promise<void> {
    const columns = this.#columns;
    const wanted = [];
    if (where !== undefined) wanted.push(columns.parse(where));
    if (groupBy !== undefined) wanted.push(columns.parse({ [groupBy]: { $exists: true } }));
    for (const expression of wanted) {
      if (columns.lacks(expression)) await columns.build(expression, (visit) => this.#scan(visit));
    }
  }

  /** The documents that meet a condition whose columns are there. */
  match(where: unknown): Match {
    return this.#columns.match(this.#columns.parse(where));
  }

  /** The same for indices to search with. */
  passing(where: unknown): Passing {
    const match = this.match(where);
    const { key } = match.expression;
    const known = this.#ready.get(key);
    this.#ready.delete(key);
    const ready =
      known?.version === match.version
        ? known
        : { version: match.version, passing: new Passing(match.words.slice(), match.count) };
    if (known !== ready) known?.passing.close();
    this.#ready.set(key, ready);
    if (this.#ready.size > MOST_READY) {
      const [[oldest, { passing }]] = this.#ready;
      passing.close();
      this.#ready.delete(oldest);
    }
    return ready.passing;
  }

  /** All documents, in order of where they lie. */
  async #scan(visit: (slot: number, data: unknown) => void): Promise<void> {
    const { places, texts } = this.documents;
    const list = inOrder(places, places.slots, () => true);
    for (const block of blocksOf(list)) {
      // What has moved since is in a newer place; what has changed is known to the columns, and what is visited of it is not
      // believed.
      const there = block.list.filter(({ slot, spot }) => places.isAt(slot, spot));
      const moved = block.list.filter((one) => !there.includes(one));
      const bytes = there.length > 0 ? await this.files.bytes(block.file, block.from, block.to) : new Uint8Array();
      for (const { slot, spot } of there) {
        const body = bytes.subarray(spot.offset - block.from, spot.offset - block.from + spot.bytes);
        checkBody(body, () => this.files.whereBody(spot));
        visit(slot, JSON.parse(readBody(body).text));
      }
      for (const { slot } of moved) {
        const text = texts.get(slot);
        const spot = places.at(slot);
        if (spot) visit(slot, JSON.parse(text ?? readBody(await this.files.body(spot)).text));
      }
    }
  }
}
