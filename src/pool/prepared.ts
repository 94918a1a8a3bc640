// Filters that are ready, by number: what each was made of, for workers that come later.
import type { FilterSource } from "../search/filter.js";
import type { Member } from "./member.js";
import type { Asked } from "./words.js";

type Ask = (asked: Asked) => Promise<unknown>;

export class Prepared {
  readonly #sources = new Map<number, FilterSource>();

  /** How many vectors pass. */
  async prepare(filter: number, source: FilterSource, ask: Ask): Promise<number> {
    this.#sources.set(filter, source);
    try {
      return (await ask({ call: "prepare", filter, source })) as number;
    } catch (error) {
      this.#sources.delete(filter);
      throw error;
    }
  }

  async forget(filter: number, ask: Ask): Promise<void> {
    this.#sources.delete(filter);
    await ask({ call: "forget", filter });
  }

  /** For a worker that has come later. */
  async again(member: Member): Promise<void> {
    for (const [filter, source] of this.#sources) await member.ask({ call: "prepare", filter, source });
  }
}
