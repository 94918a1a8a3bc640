import { Command } from "commander";
import type { Hit, Index, SearchOptions } from "../core.js";
import { InputError, UsageError } from "../errors.js";
import { effortKnobs, effortValues, type Flags } from "../knobs.js";
import { openIndex, readQueries } from "../open.js";
import { finiteNumber, positiveInt, wholeNumber } from "../options.js";
import { distance, print, printJson, table } from "../print.js";
import { readingFlags } from "../read/options.js";
import { FORMAT_LIST, type Reading } from "../read/vectors.js";

interface Asked extends Reading {
  query?: string;
  id?: number;
  k?: number;
  radius?: number;
  exact?: true;
  json?: true;
}

const DEFAULT_K = 10;

/** What was asked, and what was found. */
interface Answer {
  readonly query: number;
  readonly hits: Hit[];
}

export function searchCommand(): Command {
  const command = new Command("search")
    .description("Find the nearest vectors in an index.")
    .argument("<index>", "an index file")
    .option("--query <file>", `search for each vector in a file, or of standard input as "-": ${FORMAT_LIST}`)
    .option("--id <n>", "search for the neighbours of a stored vector", wholeNumber)
    .option("-k, --k <n>", "how many to find (default: 10; with --radius all within it)", positiveInt)
    .option("--radius <distance>", "only hits this near or nearer", finiteNumber)
    .option("--exact", "scan every vector for the exact answer")
    .option("--json", "print the hits as JSON")
    .action(search);
  for (const option of [...readingFlags(), ...effortKnobs()]) command.addOption(option);
  return command;
}

async function search(path: string, asked: Asked & Flags): Promise<void> {
  if ((asked.query === undefined) === (asked.id === undefined)) throw new UsageError("give either --query FILE or --id N");
  const index = await openIndex(path);
  const { k, radius, exact } = asked;
  const options = { k: k ?? (radius === undefined ? DEFAULT_K : undefined), radius, exact, ...effortValues(asked, index) };
  const answers = asked.id === undefined ? await answerFile(index, asked, options) : [answerId(path, index, asked.id, options)];
  if (asked.json) return printJson(answers);
  print(answers.map(render).join("\n\n"));
}

async function answerFile(index: Index, asked: Asked, options: SearchOptions): Promise<Answer[]> {
  const { vectors, ids } = await readQueries(asked.query as string, index, asked);
  return vectors.map((vector, i) => ({ query: ids[i] as number, hits: index.search(vector, options) }));
}

/** The neighbours of a stored vector, itself left out. */
function answerId(path: string, index: Index, id: number, { k, ...others }: SearchOptions): Answer {
  const vector = index.get(id);
  if (vector === undefined) throw new InputError(`${path}: holds no vector with the id ${id}`);
  const hits = index.search(vector, { ...others, k: k === undefined ? undefined : k + 1 });
  return { query: id, hits: hits.filter((hit) => hit.id !== id).slice(0, k) };
}

function render({ query, hits }: Answer): string {
  if (hits.length === 0) return `query ${query}: no hits`;
  const rows = hits.map((hit, i) => [String(i + 1), String(hit.id), distance(hit.distance)]);
  return `query ${query}\n${table(["rank", "id", "distance"], rows)}`;
}
