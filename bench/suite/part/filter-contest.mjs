// Filtered searches of one set beside native hnswlib: the same queries, each with the same mask, at the least ef that finds enough.
import { writeFileSync } from "node:fs";
import { Hnsw, init } from "vicinal";
import { Contender } from "../../kit/contender.mjs";
import { queriesOf } from "../../kit/data.mjs";
import { K } from "../../kit/queries.mjs";
import { interleave, median } from "../../kit/timing.mjs";
import { onVariants, VARIANTS } from "../../kit/variants.mjs";
import { buildNative, handOver } from "../../rival/hnswlib.mjs";

export const RECALL = 0.95;
const EFS = [2, 3, 4, 6, 8, 10, 14, 20, 30, 50, 80, 130, 200, 400];
const GRAPH = { m: 16, efConstruction: 200 };
/** Of one timed stretch, at least: the queries over and over. */
const STRETCH_SECONDS = 0.04;
/** Before the first ours are asked so many times, or for so long: by then filters have the codes that pay. */
const WARM_TIMES = 30;
const WARM_SECONDS = 1;

const program = buildNative("hnswlib_filter");
export const peer = program.about;

/** An index of ours, with a filter for each query. */
export class Own {
  efs = EFS;
  #index;
  #queries;
  #filters;

  constructor(index, queries, filters) {
    this.#index = index;
    this.#queries = queries;
    this.#filters = filters;
  }

  #search(q, ef) {
    return this.#index.search(this.#queries[q], { k: K, ef, filter: this.#filters[q] });
  }

  /** The ids answered to all queries, and how many searches went by which plan. */
  answers(ef) {
    const plans = {};
    const ids = this.#queries.map((_, q) => {
      const hits = this.#search(q, ef);
      const { plan } = this.#index.lastStats;
      plans[plan] = (plans[plan] ?? 0) + 1;
      return hits.map(({ id }) => id);
    });
    return { ids, plans };
  }

  warm(ef) {
    let seconds = 0;
    for (let t = 0; t < WARM_TIMES && seconds < WARM_SECONDS; t++) seconds += this.seconds(ef, 1);
  }

  /** Of all queries, so many times over. */
  seconds(ef, times) {
    const start = performance.now();
    for (let t = 0; t < times; t++) for (let q = 0; q < this.#queries.length; q++) this.#search(q, ef);
    return (performance.now() - start) / 1000;
  }
}

/** hnswlib with the masks that lie in its folder. */
class Native {
  efs = EFS.filter((ef) => ef >= K);
  #process;

  constructor(process) {
    this.#process = process;
  }

  async answers(ef) {
    const { ids } = await this.#process.ask(`search ${ef} 1`);
    return { ids };
  }

  async seconds(ef, times) {
    const { seconds } = await this.#process.ask(`search ${ef} ${times}`);
    return seconds;
  }
}

/** hnswlib, and vicinal's Hnsw with fastScan on every variant, all of the same vectors. */
export class Contest {
  #native;
  #queries;
  /** vicinal's, by variant. */
  indices;

  static async open(set) {
    const contest = new Contest();
    contest.#native = new Contender(program.program, handOver(program.dir, set, { ...GRAPH, k: K }));
    contest.#queries = queriesOf(set);
    await contest.#native.ask("build");
    await init({ variant: "relaxed" });
    const index = await Hnsw.create({ dimensions: set.d, metric: set.metric, ...GRAPH, fastScan: true });
    index.add(set.base);
    contest.indices = await onVariants(index);
    return contest;
  }

  close() {
    this.#native.close();
    for (const index of Object.values(this.indices)) index.close();
  }

  /** All sides under the masks of a cell. By "native" and variant: what `compete` returns. */
  async run(cell, rounds) {
    writeFileSync(`${program.dir}/masks.u8`, cell.masks);
    await this.#native.ask("masks");
    const bits = cell.bits();
    const prepared = VARIANTS.map((variant) => bits.map((one) => this.indices[variant].prepareFilter(one)));
    const own = VARIANTS.map((variant, i) => [variant, new Own(this.indices[variant], this.#queries, prepared[i])]);
    const results = await compete({ native: new Native(this.#native), ...Object.fromEntries(own) }, cell, rounds);
    for (const filter of prepared.flat()) filter.close();
    return results;
  }

  /** vicinal's alone and without a filter; `cell` lets all pass. */
  runUnfiltered(cell, rounds) {
    const none = this.#queries.map(() => undefined);
    const own = VARIANTS.map((variant) => [variant, new Own(this.indices[variant], this.#queries, none)]);
    return compete(Object.fromEntries(own), cell, rounds);
  }
}

/**
 * Each side at its least ef that reaches RECALL, in turns: by name { ef, recall, plans, qps, samples }. `ef` is the largest
 * where none does.
 */
async function compete(sides, cell, rounds) {
  const results = {};
  const contenders = {};
  for (const [name, side] of Object.entries(sides)) {
    const reached = await leastEf(side, cell);
    side.warm?.(reached.ef);
    const times = Math.ceil(STRETCH_SECONDS / (await side.seconds(reached.ef, 1)));
    results[name] = reached;
    contenders[name] = async () => (times * cell.queries) / (await side.seconds(reached.ef, times));
  }
  for (const [name, samples] of Object.entries(await interleave(rounds, contenders))) {
    Object.assign(results[name], { qps: median(samples), samples });
  }
  return results;
}

async function leastEf(side, cell) {
  for (const ef of side.efs) {
    const { ids, plans } = await side.answers(ef);
    const recall = cell.recall(ids);
    if (recall >= RECALL || ef === side.efs.at(-1)) return { ef, recall, plans };
  }
}

/** Microseconds of a search by each of `sides`, all at one ef, in turns. */
export async function microseconds(sides, queries, ef, rounds) {
  const contenders = Object.entries(sides).map(([name, side]) => {
    side.warm(ef);
    const times = Math.ceil(STRETCH_SECONDS / side.seconds(ef, 1));
    return [name, () => (1e6 * side.seconds(ef, times)) / (times * queries)];
  });
  const samples = await interleave(rounds, Object.fromEntries(contenders));
  return Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, median(all)]));
}
