// Documents that are at hand, asked for their fields as a collection asks its own.
import { has } from "./columns/bits.js";
import type { Value } from "./columns/column.js";
import { Columns } from "./columns/columns.js";
import type { Data } from "./reading.js";
import type { Expression } from "./where/expression.js";
import type { Where } from "./where/parse.js";

export class Fielded {
  readonly #columns = new Columns();

  constructor(readonly datas: readonly Data[]) {
    for (const [i, data] of datas.entries()) this.#columns.set(i, data);
  }

  /** Which of them meet conditions. Errors: BAD_WHERE. */
  async meeting(where: Where): Promise<boolean[]> {
    const expression = this.#columns.parse(where);
    await this.#make(expression);
    const { words } = this.#columns.match(expression);
    return this.datas.map((_, i) => has(words, i));
  }

  /** What each of them has at a path, as `groupBy` sees it. Errors: BAD_WHERE. */
  async valuesAt(path: string): Promise<Value[][]> {
    await this.#make(this.#columns.parse({ [path]: { $exists: true } }));
    const valuesOf = this.#columns.valuesAt(path);
    return this.datas.map((_, i) => valuesOf(i));
  }

  async #make(expression: Expression): Promise<void> {
    while (this.#columns.lacks(expression)) {
      await this.#columns.build(expression, (visit) => this.datas.forEach((data, i) => void visit(i, data)));
    }
  }
}
