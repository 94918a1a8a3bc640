import { Command } from "commander";
import { type Index, variant } from "../core.js";
import { InputError, UsageError } from "../errors.js";
import { ask, type Measurement, measure, summarize, type Truth, truthOf } from "../measure.js";
import { openIndex, readQueries } from "../open.js";
import { positiveInt, positiveInts } from "../options.js";
import { count, figure, print, printJson, table } from "../print.js";
import { progress } from "../progress.js";
import { FORMAT_LIST, type Rows, readGroundTruth } from "../read/vectors.js";

interface EvalOptions {
  queries: string;
  groundtruth?: string;
  k: number;
  ef?: number[];
  idField?: string;
  vectorField?: string;
  json?: true;
}

/** One line of the result: a search setting, and what it gives and costs. */
interface Point extends Measurement {
  readonly search: string;
  readonly ef?: number;
}

/** Few: on a large index an exact scan takes long. */
const EXACT_WARM_UP = 10;

/** The default sweep, in multiples of k. */
const EF_FACTORS = [1, 2, 4, 8, 16, 32];

export function evalCommand(): Command {
  return new Command("eval")
    .description("Measure recall against speed, over a sweep of ef.")
    .argument("<index>", "an index file")
    .requiredOption("--queries <file>", `vectors to search for: ${FORMAT_LIST}`)
    .option("--groundtruth <file>", "the true ids per query, .ivecs (default: found by an exact scan of the index)")
    .option("-k, --k <n>", "neighbours per query", positiveInt, 10)
    .option("--ef <list>", `hnsw: the values to sweep, comma-separated (default: k x ${EF_FACTORS.join(", ")})`, positiveInts)
    .option("--id-field <name>", 'the id in .jsonl and .csv (default: "id")')
    .option("--vector-field <name>", 'the vector in .jsonl and .csv (default: "vector" or "embedding")')
    .option("--json", "print the measurements as JSON")
    .action(evaluate);
}

async function evaluate(path: string, options: EvalOptions): Promise<void> {
  const { k } = options;
  const index = await openIndex(path);
  if (index.kind === "flat" && options.ef !== undefined) throw new UsageError("--ef is for hnsw: this index is flat");
  const queries = await readQueries(options.queries, index, options);
  const { truths, points } =
    options.groundtruth === undefined
      ? findTruth(index, queries, k)
      : { truths: await readTruth(options.groundtruth, queries, k), points: [] };

  if (index.kind === "hnsw") {
    const sweep = options.ef ?? EF_FACTORS.map((factor) => factor * k);
    const bar = progress("measuring", sweep.length);
    for (const [i, ef] of sweep.entries()) {
      bar.update(i, `ef ${ef}`);
      points.push({ search: "hnsw", ef, ...measure(index, queries.vectors, { k, ef }, truths) });
    }
    bar.stop();
  } else if (options.groundtruth !== undefined) {
    points.push({ search: "flat", ...measure(index, queries.vectors, { k }, truths) });
  }

  const truth =
    options.groundtruth ??
    `an exact scan of the stored ${index.codec} vectors${index.rerank ? ", the best re-scored by f32" : ""}`;
  if (options.json) {
    const { kind, metric, codec, size, dimensions } = index;
    return printJson({ file: path, kind, metric, codec, size, dimensions, variant, queries: truths.length, k, truth, points });
  }
  print(`${count(truths.length)} queries, k ${k}, one thread (${variant}), truth: ${truth}\n`);
  print(
    table(
      ["<search", "ef", `recall@${k}`, "QPS", "p50 ms", "p99 ms", "distances"],
      points.map((point) => [
        point.search,
        point.ef === undefined ? "" : String(point.ef),
        point.recall.toFixed(4),
        count(point.qps),
        figure(point.p50Ms),
        figure(point.p99Ms),
        count(point.distances),
      ]),
    ),
  );
}

/** The truth by exact search, and how fast that was. */
function findTruth(index: Index, { vectors }: Rows, k: number): { truths: Truth[]; points: Point[] } {
  ask(index, vectors.slice(0, EXACT_WARM_UP), { k, exact: true });
  const bar = progress("exact truth", vectors.length);
  const round = ask(index, vectors, { k, exact: true }, bar.update);
  bar.stop();
  const truths = round.hits.map(truthOf);
  return { truths, points: [{ search: "exact", ...summarize(round, truths) }] };
}

/** The truth from a file, which must have a row for every query and k ids in each. */
async function readTruth(path: string, { vectors }: Rows, k: number): Promise<Truth[]> {
  const lists = await readGroundTruth(path);
  if (lists.length !== vectors.length) {
    throw new InputError(`${path}: ${lists.length} rows of true neighbours for ${vectors.length} queries`);
  }
  const width = lists[0]?.length ?? 0;
  if (width < k) throw new InputError(`${path}: ${width} true neighbours per query, recall@${k} needs ${k}`);
  return lists.map((ids) => ({ ids: new Set(ids.subarray(0, k)), bound: Number.NEGATIVE_INFINITY }));
}
