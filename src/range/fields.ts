// The fields of documents, list by list, as JSON: { name: { values: [each that is there, once], at: [per document, a place in values, -1
// where the field is missing] } }. Conditions are asked of them by the columns of a collection, and so mean the same.

import { eachSlot } from "../collection/columns/bits.js";
import { Columns } from "../collection/columns/columns.js";
import type { Data } from "../collection/reading.js";
import { type Expression, needsOf } from "../collection/where/expression.js";
import type { Fields } from "../collection/where/fields.js";
import { VicinalError } from "../words/errors.js";
import type { About } from "./format.js";

const MISSING = -1;

/** Values of one field of many: each once, and which of them each of the many has. */
export interface Coded {
  readonly values: unknown[];
  readonly at: number[];
}

export function coded(datas: readonly Data[], name: string): Coded {
  const places = new Map<string, number>();
  const values: unknown[] = [];
  const at = datas.map((data) => {
    if (!Object.hasOwn(data, name)) return MISSING;
    const text = JSON.stringify(data[name]);
    const known = places.get(text);
    if (known !== undefined) return known;
    places.set(text, values.length);
    return values.push(data[name]) - 1;
  });
  return { values, at };
}

/** The fields of a list's documents. */
export function fieldsText(datas: readonly Data[], names: readonly string[]): string {
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, coded(datas, name)])));
}

export class PublishedFields {
  readonly #names: readonly string[];
  readonly #columns: Columns;
  /** By place; of lists that are not here, nothing. */
  readonly #datas: (Data | undefined)[] = [];
  readonly #here = new Set<number>();

  constructor({ fields }: Pick<About, "fields">) {
    this.#names = Object.keys(fields);
    this.#columns = new Columns(Object.fromEntries(Object.entries(fields).filter(([, kind]) => kind !== "any")) as Fields);
  }

  /** Errors: BAD_WHERE. */
  parse(where: unknown): Expression {
    const expression = this.#columns.parse(where);
    for (const { path } of needsOf(expression)) {
      const [name] = path.split(".");
      if (this.#names.includes(name)) continue;
      const have = this.#names.length ? `it was published with ${this.#names.join(", ")}` : "it was published without fields";
      throw new VicinalError("BAD_WHERE", `where asks for ${path}, which this index cannot be asked for: ${have}`);
    }
    return expression;
  }

  has(list: number): boolean {
    return this.#here.has(list);
  }

  /** The fields of a list of n documents whose first has this place; no text where it was published without. */
  arrive(list: number, first: number, n: number, text: string): void {
    if (this.has(list)) return;
    const fields = text ? Object.entries(JSON.parse(text) as Record<string, Coded>) : [];
    for (let i = 0; i < n; i++) {
      const data: Data = {};
      for (const [name, { values, at }] of fields) if (at[i] !== MISSING) define(data, name, values[at[i]]);
      this.#datas[first + i] = data;
      this.#columns.set(first + i, data);
    }
    this.#here.add(list);
  }

  /** The places of all documents that are here and pass, in order. */
  async passing(expression: Expression): Promise<Uint32Array> {
    while (this.#columns.lacks(expression)) {
      await this.#columns.build(expression, (visit) => {
        this.#datas.forEach((data, place) => void visit(place, data));
      });
    }
    const places: number[] = [];
    eachSlot(this.#columns.match(expression).words, (place) => void places.push(place));
    return Uint32Array.from(places);
  }

  get bytes(): number {
    return this.#columns.bytes;
  }
}

/** Also a name that means something else in an assignment: __proto__. */
function define(to: Data, name: string, value: unknown): void {
  Object.defineProperty(to, name, { value, writable: true, enumerable: true, configurable: true });
}
