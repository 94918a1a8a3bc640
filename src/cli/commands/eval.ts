import { Command } from "commander";
import { type Truth, truthOf } from "../../guide/recall.js";
import { type Effort, type Index, isLossy, variant } from "../core.js";
import { InputError } from "../errors.js";
import { type Flags, sweepKnobs, sweepOf } from "../knobs.js";
import { ask, type Measurement, measure, summarize } from "../measure.js";
import { openIndex, readQueries } from "../open.js";
import { positiveInt } from "../options.js";
import { count, figure, print, printJson, table } from "../print.js";
import { progress } from "../progress.js";
import { readingFlags } from "../read/options.js";
import { FORMAT_LIST, type Reading, type Rows, readGroundTruth } from "../read/vectors.js";

interface Asked extends Reading {
  queries: string;
  groundtruth?: string;
  k: number;
  json?: true;
}

/** One line of the result: a search setting, and what it gives and costs. */
interface Point extends Measurement {
  readonly search: string;
  readonly effort?: Partial<Record<Effort, number>>;
}

/** Few: on a large index an exact scan takes long. */
const EXACT_WARM_UP = 10;

export function evalCommand(): Command {
  const command = new Command("eval")
    .description("Measure recall against speed, over a sweep of what the index spends on a search.")
    .argument("<index>", "an index file")
    .requiredOption("--queries <file>", `vectors to search for, or standard input as "-": ${FORMAT_LIST}`)
    .option("--groundtruth <file>", "the true ids per query, .ivecs (default: found by an exact scan of the index)")
    .option("-k, --k <n>", "neighbours per query", positiveInt, 10)
    .option("--json", "print the measurements as JSON")
    .action(evaluate);
  for (const option of [...readingFlags(), ...sweepKnobs()]) command.addOption(option);
  return command;
}

async function evaluate(path: string, asked: Asked & Flags): Promise<void> {
  const { k } = asked;
  const index = await openIndex(path);
  const sweep = sweepOf(asked, index, k);
  const queries = await readQueries(asked.queries, index, asked);
  const { truths, points } =
    asked.groundtruth === undefined
      ? findTruth(index, queries, k)
      : { truths: await readTruth(asked.groundtruth, queries, k), points: [] };

  if (sweep !== undefined) {
    const bar = progress("measuring", sweep.values.length);
    for (const [i, value] of sweep.values.entries()) {
      bar.update(i, `${sweep.effort} ${amount(value)}`);
      const effort = { [sweep.effort]: value };
      points.push({ search: index.kind, effort, ...measure(index, queries.vectors, { k, ...effort }, truths) });
    }
    bar.stop();
  } else if (asked.groundtruth !== undefined) {
    points.push({ search: index.kind, ...measure(index, queries.vectors, { k }, truths) });
  }

  const truth = asked.groundtruth ?? exactTruth(index);
  if (asked.json) {
    const { kind, metric, codec, trained, size, dimensions } = index;
    const facts = { file: path, kind, metric, codec, trained, size, dimensions, variant };
    const measured = points.map(({ search, effort, ...point }) => ({ search, ...effort, ...point }));
    return printJson({ ...facts, queries: truths.length, k, truth, points: measured });
  }
  print(`${count(truths.length)} queries, k ${k}, one thread (${variant}), truth: ${truth}\n`);
  print(
    table(
      ["<search", sweep?.effort ?? "", `recall@${k}`, "QPS", "p50 ms", "p99 ms", "distances"],
      points.map((point) => [
        point.search,
        Object.values(point.effort ?? {})
          .map(amount)
          .join(),
        point.recall.toFixed(4),
        count(point.qps),
        figure(point.p50Ms),
        figure(point.p99Ms),
        count(point.distances),
      ]),
    ),
  );
}

function amount(value: number): string {
  return value === Number.POSITIVE_INFINITY ? "all" : String(value);
}

/** What an exact search compares. */
function exactTruth(index: Index): string {
  const { codec, metric, trained, rerank } = index;
  if (!trained) return "an exact scan of the vectors: the index is not trained yet, so every search is exact";
  if (rerank) return `an exact scan of the ${index.stats().options.rerank} rows kept beside the codes`;
  const lossy = isLossy(codec, metric) ? "; what the codes lose does not show, --groundtruth shows it" : "";
  return `an exact scan of the stored ${codec} vectors${lossy}`;
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
