// Conditions on documents' fields, as slots that pass.

import { blocksOf, inOrder } from "./blocks.js";
import { checkBody, readBody } from "./body.js";
import type { Columns } from "./columns/columns.js";
import type { Match } from "./columns/match.js";
import type { Documents } from "./documents.js";
import type { Files } from "./files.js";
import { Passing } from "./passing.js";
import { type Expression, group } from "./where/expression.js";

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

  /** What conditions mean. Errors: BAD_WHERE. */
  parse(where: unknown): Expression {
    return this.#columns.parse(where);
  }

  /** That a field is there, for its column to be made. Errors: BAD_WHERE. */
  has(path: string): Expression {
    return this.#columns.parse({ [path]: { $exists: true } });
  }

  /** Whether columns are to be made first: asked again after that, as others may have gone for them. */
  lack(wanted: readonly Expression[]): boolean {
    return wanted.some((expression) => this.#columns.lacks(expression));
  }

  /** Makes the columns that these lack, from the documents' data: by one scan, and none goes for another of them. */
  async make(wanted: readonly Expression[]): Promise<void> {
    await this.#columns.build(group("and", wanted), (visit) => this.#scan(visit));
  }

  /** The documents that meet a condition whose columns are there. */
  match(expression: Expression): Match {
    return this.#columns.match(expression);
  }

  /** The same for indices to search with. */
  passing(expression: Expression): Passing {
    const match = this.match(expression);
    const { key } = expression;
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
