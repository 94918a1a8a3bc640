// Questions to the shards of a generation: to one, to each, and searches, whose answers are gathered.
import type { DocumentHit } from "../collection/searching.js";
import { concatenated } from "../input/concatenated.js";
import { unlessAborted } from "../input/unless-aborted.js";
import type { Bytes } from "../words/arrays.js";
import type { VicinalError } from "../words/errors.js";
import { checkSignal, heed } from "../words/options.js";
import type { Alive } from "./alive.js";
import type { Ask, Question } from "./asked.js";
import type { AskedShard, Asking, Found } from "./asking.js";
import { type AskOptions, checkWithin } from "./connecting.js";
import { shardOf } from "./names.js";
import type { ShardMap } from "./shard-map.js";

/** The generation that is asked. */
export interface Asked {
  readonly map: ShardMap;
  readonly alive: Alive;
}

export const shardsOf = ({ map }: Asked): number[] => Array.from({ length: map.now.shards }, (_, shard) => shard);

export class Scattering {
  /** By partition, the last sequence that every answer must have. */
  readonly seen: Record<number, number> = {};

  constructor(
    readonly asking: Asking,
    readonly name: string,
    readonly within: number,
  ) {}

  /** Asks one shard. */
  ask({ map, alive }: Asked, shard: number, ask: Ask, options: AskOptions, bytes?: Bytes): Promise<Found> {
    const { generation, shards } = map.now;
    const of: AskedShard = { name: this.name, generation, shard };
    const within = options.within === undefined ? this.within : checkWithin(options.within);
    const sequence = Math.max(lastOf(this.seen, shard, shards), lastOf(options.written?.sequences ?? {}, shard, shards));
    const question: Question = { ask, within, ...(sequence > 0 && { sequence }) };
    return unless(options.signal, () => this.asking.ask(of, alive, question, bytes));
  }

  /** Asks every shard the same; all must answer. */
  async each(asked: Asked, ask: Ask, options: AskOptions): Promise<unknown[]> {
    const found = await Promise.all(shardsOf(asked).map((shard) => this.ask(asked, shard, ask, options)));
    return found.map(({ value }) => value);
  }

  /**
   * Per query, what each shard has found. `missing`: where shards are told that have not answered; where it is not given, one fails the
   * search.
   */
  async scatter(
    asked: Asked,
    rows: readonly Uint8Array[],
    options: object,
    asking: AskOptions,
    missing: Set<number> | undefined,
  ): Promise<DocumentHit[][][]> {
    const shards = shardsOf(asked);
    const answers = await Promise.allSettled(shards.map((shard) => this.#search(asked, shard, rows, options, asking)));
    const found: DocumentHit[][][] = [];
    let lacking: unknown;
    for (const [shard, answer] of answers.entries()) {
      if (answer.status === "fulfilled") {
        found.push(answer.value);
        continue;
      }
      const { code } = answer.reason as VicinalError;
      if (!missing || code !== "NO_ANSWER") throw answer.reason;
      lacking = answer.reason;
      missing.add(shard);
    }
    if (found.length === 0) throw lacking;
    return rows.map((_, i) => found.map((lists) => lists[i]));
  }

  async #search(
    asked: Asked,
    shard: number,
    rows: readonly Uint8Array[],
    options: object,
    asking: AskOptions,
  ): Promise<DocumentHit[][]> {
    try {
      const { value } = await this.ask(asked, shard, { call: "search", n: rows.length, options }, asking, concatenated(rows));
      return value as DocumentHit[][];
    } catch (error) {
      // Fewer queries have a smaller answer.
      if (rows.length === 1 || (error as VicinalError).code !== "TOO_LARGE") throw error;
      const half = rows.length >> 1;
      const parts = [rows.slice(0, half), rows.slice(half)];
      return (await Promise.all(parts.map((part) => this.#search(asked, shard, part, options, asking)))).flat();
    }
  }
}

/** The last sequence of a shard's partitions; 0 where there is none. */
function lastOf(sequences: Readonly<Record<number, number>>, shard: number, shards: number): number {
  let last = 0;
  for (const [partition, sequence] of Object.entries(sequences))
    if (shardOf(Number(partition), shards) === shard) last = Math.max(last, sequence);
  return last;
}

/** What work comes to, unless the signal is aborted before it or meanwhile. */
export function unless<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  checkSignal(signal);
  heed(signal);
  return unlessAborted(signal, work());
}
