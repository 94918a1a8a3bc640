// Documents that are looked for: near to something, or by id.
import { Command } from "commander";
import type { Collection, DocumentHit, DocumentId } from "../core.js";
import { InputError, UsageError } from "../errors.js";
import { finiteNumber, listOf, positiveInt } from "../options.js";
import { distance, print, printJson, table } from "../print.js";
import { readingFlags } from "../read/options.js";
import { FORMAT_LIST, type Reading, readRows } from "../read/vectors.js";
import { conditions, numbersOf, withCollection } from "./open.js";

interface Asked extends Reading {
  readonly query?: string;
  readonly id?: string;
  readonly k?: number;
  readonly where?: string;
  readonly groupBy?: string;
  readonly select?: string[];
  readonly radius?: number;
  readonly ef?: number;
  readonly exact?: true;
  readonly json?: true;
}

interface Answer {
  readonly query: DocumentId;
  readonly hits: readonly DocumentHit[];
}

const DEFAULT_K = 10;
/** Characters of a document's data in a table. */
const SHOWN = 100;

export function searchCommand(): Command {
  const command = new Command("search")
    .description("Find the documents nearest to vectors, or to a document.")
    .argument("<folder>", "the folder of the collection")
    .option("--query <file>", `search for each vector in a file, or of standard input as "-": ${FORMAT_LIST}`)
    .option("--id <id>", "search for the neighbours of a document")
    .option("-k, --k <n>", "how many to find (default: 10; with --radius all within it)", positiveInt)
    .option("--where <json>", `only documents whose fields meet these conditions: '{"lang":"en","year":{"$gte":2020}}'`)
    .option("--group-by <path>", "the nearest document of each value of this field")
    .option("--select <paths>", "fields to print, comma-separated (default: all)", listOf(String))
    .option("--radius <distance>", "only hits this near or nearer", finiteNumber)
    .option("--ef <n>", "candidates that the graph keeps", positiveInt)
    .option("--exact", "scan every vector for the exact answer")
    .option("--json", "print the hits as JSON")
    .action(search);
  for (const option of readingFlags()) command.addOption(option);
  return command;
}

async function search(path: string, asked: Asked): Promise<void> {
  if ((asked.query === undefined) === (asked.id === undefined)) throw new UsageError("give either --query FILE or --id ID");
  const where = conditions(asked.where);
  const { query, id, groupBy, select, radius, ef, exact } = asked;
  const k = asked.k ?? (radius === undefined ? DEFAULT_K : undefined);
  const options = { k, where, groupBy, select, radius, ef, exact };
  const answers = await withCollection(path, async (collection): Promise<Answer[]> => {
    if (query === undefined) {
      const { found, vector } = await stored(path, collection, id as string);
      // One more, of which the document itself is left out.
      const hits = await collection.search(vector, { ...options, k: k === undefined ? undefined : k + 1 });
      return [{ query: found, hits: hits.filter((hit) => hit.id !== found).slice(0, k) }];
    }
    const { metric } = await collection.stats();
    const { vectors, ids } = await readRows(query, { ...asked, packed: metric === "hamming" });
    const hits = await collection.searchBatch(vectors, options);
    return hits.map((some, i) => ({ query: ids[i] as number, hits: some }));
  });
  if (asked.json) return printJson(answers);
  print(answers.map(render).join("\n\n"));
}

function render({ query, hits }: Answer): string {
  if (hits.length === 0) return `query ${query}: no hits`;
  const grouped = hits.some(({ group }) => group !== undefined);
  const rows = hits.map(({ id, distance: far, data, group }, i) => [
    ...[String(i + 1), JSON.stringify(id), distance(far)],
    ...(grouped ? [JSON.stringify(group)] : []),
    brief(JSON.stringify(data ?? {})),
  ]);
  return `query ${query}\n${table(["rank", "<id", "distance", ...(grouped ? ["<group"] : []), "<data"], rows)}`;
}

function brief(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}

export function getCommand(): Command {
  return new Command("get")
    .description(
      "Print documents as JSON, one a line; fails where one is missing. 7 is the integer or, where there is none, the string.",
    )
    .argument("<folder>", "the folder of the collection")
    .argument("<ids...>", "their ids")
    .option("--vector", "with their vectors")
    .action(get);
}

async function get(path: string, ids: readonly string[], { vector }: { vector?: true }): Promise<void> {
  const missing = await withCollection(path, async (collection) => {
    const lacking: string[] = [];
    for (const text of ids) {
      const id = idOf(collection, text);
      const found = id === undefined ? undefined : await collection.get(id, { vector: vector === true });
      if (found === undefined) lacking.push(JSON.stringify(text));
      else print(JSON.stringify(found.vector ? { ...found, vector: numbersOf(found.vector, collection.dimensions) } : found));
    }
    return lacking;
  });
  if (missing.length > 0) throw new InputError(`${path}: holds no document with the id ${missing.join(", ")}`);
}

/** What is meant by an id on the command line, where all is text. */
function idOf(collection: Collection, text: string): DocumentId | undefined {
  const integer = /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
  return [integer, text].find((id) => id !== undefined && collection.has(id));
}

async function stored(path: string, collection: Collection, text: string) {
  const found = idOf(collection, text);
  const vector = found === undefined ? undefined : (await collection.get(found))?.vector;
  if (found === undefined || vector === undefined)
    throw new InputError(`${path}: holds no document with the id ${JSON.stringify(text)}`);
  return { found, vector };
}
