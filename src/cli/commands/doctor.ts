import { Command } from "commander";
import { doctor } from "../core.js";
import { openIndex, readQueries } from "../open.js";
import { finiteNumber, listOf, positiveInt } from "../options.js";
import { count, figure, print, printJson } from "../print.js";
import { readingFlags } from "../read/options.js";
import { FORMAT_LIST, type Reading } from "../read/vectors.js";

interface Asked extends Reading {
  queries?: string;
  recall: number;
  k: number;
  share: number[];
  json?: true;
}

export function doctorCommand(): Command {
  const command = new Command("doctor")
    .description("Say what is wrong with an index, by evidence, and what to do.")
    .argument("<index>", "an index file")
    .option("--queries <file>", `what is asked of it (default: some of its vectors, without themselves): ${FORMAT_LIST}`)
    .option("--recall <share>", "less than this is a problem, 0 to 1", finiteNumber, 0.9)
    .option("-k, --k <n>", "neighbours per query", positiveInt, 10)
    .option(
      "--share <list>",
      "searches by filters are looked at too: of the vectors those that pass, at random, comma-separated",
      listOf(finiteNumber),
      [],
    )
    .option("--json", "print the findings as JSON")
    .action(examine);
  for (const option of readingFlags()) command.addOption(option);
  return command;
}

async function examine(path: string, asked: Asked): Promise<void> {
  const index = await openIndex(path);
  const queries = asked.queries === undefined ? undefined : (await readQueries(asked.queries, index, asked)).vectors;
  const { recall: wanted, k, share: filters, json } = asked;
  const { findings, recall, past } = await doctor(index, { queries, filters, recall: wanted, k });
  if (json) return printJson({ findings, recall, past });
  const { recall: found, low, high, p50Ms } = recall;
  print(`recall@${k} ${found.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)}) in ${figure(p50Ms)} ms`);
  if (past)
    print(`it was ${past.recall.toFixed(3)} with ${count(past.size)} vectors, of ${past.given ? "queries" : "its own vectors"}`);
  if (findings.length === 0) print("nothing is wrong with it");
  for (const { severity, name, cause, advice, brings } of findings) {
    print(`\n${severity}: ${name}\n  ${cause}\n  to do: ${advice}\n  brings: ${brings}`);
  }
}
