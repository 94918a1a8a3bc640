import { Command } from "commander";
import { type Curve, type Index, KINDS, type Point, tune, variant } from "../core.js";
import { openIndex, readQueries } from "../open.js";
import { finiteNumber, listOf, positiveInt } from "../options.js";
import { openOutput } from "../output.js";
import { count, figure, print, printJson, seconds, table } from "../print.js";
import { progress } from "../progress.js";
import { readingFlags } from "../read/options.js";
import { FORMAT_LIST, type Reading } from "../read/vectors.js";

interface Asked extends Reading {
  queries?: string;
  recall: number;
  k: number[];
  share: number[];
  output?: string;
  json?: true;
}

export function tuneCommand(): Command {
  const command = new Command("tune")
    .description("Find the least effort that reaches a recall, measured against exact search here.")
    .argument("<index>", "an index file")
    .option("--queries <file>", `what will be asked (default: 1,000 of the vectors, without themselves): ${FORMAT_LIST}`)
    .option("--recall <share>", "of the true neighbours those to be found, 0 to 1", finiteNumber, 0.95)
    .option("-k, --k <list>", "neighbours per query, comma-separated", listOf(positiveInt), [10])
    .option(
      "--share <list>",
      "of the vectors those that pass a filter, at random, comma-separated; 1: all",
      listOf(finiteNumber),
      [1],
    )
    .option("-o, --output <file>", "write the index with what was chosen as its default")
    .option("--json", "print all that was measured as JSON")
    .action(tuneFile);
  for (const option of readingFlags()) command.addOption(option);
  return command;
}

async function tuneFile(path: string, asked: Asked): Promise<void> {
  const { recall, k, share: filters, output: to } = asked;
  const output = to === undefined ? undefined : await openOutput(to, path);
  const index = await openIndex(path);
  const queries = asked.queries === undefined ? undefined : (await readQueries(asked.queries, index, asked)).vectors;
  const bar = progress("measuring", undefined);
  const onProgress = ({ effort, recall: found }: Point): void => bar.update(0, `${effort ?? index.kind}: ${found.toFixed(4)}`);
  const tuned = await tune(index, { recall, k, filters, queries, onProgress });
  bar.stop();
  await output?.write(index.toBytes());
  if (asked.json) return printJson(tuned, output?.summary);
  const { cost } = tuned;
  const from = cost.from === "own" ? "vectors of the index, themselves left out" : "queries given";
  const truth = cost.truth === "codes" ? "an exact scan of the codes: what those lose does not show" : "an exact scan";
  print(
    `${count(cost.queries)} ${from}; truth: ${truth}; ${seconds(1000 * cost.seconds)}, of that ${seconds(1000 * cost.truthSeconds)} the truth (${variant})`,
    output?.summary,
  );
  for (const curve of tuned.curves) print(`\n${told(index, curve, recall)}`, output?.summary);
}

function told(index: Index, { k, share, points, choice }: Curve, wanted: number): string {
  const name = KINDS[index.kind].effort ?? "search";
  const sentence = choice.reached
    ? `recall ${wanted} takes ${name} ${choice.effort ?? ""}: ${choice.recall.toFixed(4)}, on other queries ${choice.low.toFixed(3)} to ${choice.high.toFixed(3)}`
    : `no ${name} reaches recall ${wanted}: ${choice.recall.toFixed(4)} at most`;
  const filtered = share < 1 ? `, ${figure(100 * share)} % pass` : "";
  const rows = points.map((point) => [
    `${point.effort ?? "-"}${point.effort === choice.effort ? " *" : ""}`,
    point.recall.toFixed(4),
    `${point.low.toFixed(3)} - ${point.high.toFixed(3)}`,
    count(point.qps),
    figure(point.p50Ms),
    figure(point.p99Ms),
  ]);
  return `k ${k}${filtered}: ${sentence}\n${table([`<${name}`, `recall@${k}`, "others", "QPS", "p50 ms", "p99 ms"], rows)}`;
}
