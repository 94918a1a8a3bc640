import { Command, Option } from "commander";
import { Collection, type DocumentId, type Fields, folder, METRIC_NAMES, type Metric, VicinalError } from "../core.js";
import { InputError } from "../errors.js";
import { fieldOf, positiveInt } from "../options.js";
import { count, facts, print, printJson, seconds } from "../print.js";
import { progress } from "../progress.js";
import type { DocumentRow } from "../read/document.js";
import { DOCUMENT_FORMAT_LIST, DOCUMENT_FORMATS, openDocuments } from "../read/documents.js";

interface ImportOptions {
  readonly format?: string;
  readonly idField?: string;
  readonly vectorField?: string;
  readonly number?: true;
  readonly metric?: Metric;
  readonly field?: Record<string, string>;
  readonly batch: number;
  readonly json?: true;
}

export function importCommand(): Command {
  return new Command("import")
    .description(
      "Put the documents of a file into a collection, in place of those that have their ids; makes it where there is none.",
    )
    .argument("<folder>", "the folder of the collection")
    .argument("<file>", `documents, or JSON lines of standard input as "-": ${DOCUMENT_FORMAT_LIST}`)
    .addOption(new Option("--format <name>", "the file's format (default: by its name)").choices(DOCUMENT_FORMATS))
    .option("--id-field <name>", 'the id (default: "id")')
    .option("--vector-field <name>", 'the vector (default: "vector" or "embedding")')
    .option("--number", "number documents that have no id, from 0 in the order of the file")
    .addOption(
      new Option("--metric <metric>", 'of a new collection: how distance is measured (default: "cosine")').choices(METRIC_NAMES),
    )
    .option(
      "--field <path:kind>",
      "declare what a field holds, such as lang:keyword, year:number or tags:keyword[]; may be given again",
      fieldOf,
    )
    .option("--batch <n>", "documents that are written at a time, all or none", positiveInt, 1000)
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      [
        "",
        "All fields but the id and the vector are the document's data. In a .csv, below a header, a vector is an array like",
        "[0.1, 0.2]; a cell that is a number, true, false, an array or an object as JSON writes it is that, an empty one is",
        "left out, and any other is a string. What has been imported before an error stays.",
      ].join("\n"),
    )
    .action(run);
}

async function run(path: string, file: string, options: ImportOptions): Promise<void> {
  const start = performance.now();
  const source = await openDocuments(file, options.format, options);
  const bar = progress("importing", source.total);
  let collection: Collection | undefined;
  const tally = { added: 0, replaced: 0 };
  try {
    for await (const batch of batches(source.rows, options)) {
      collection ??= await open(path, (batch[0] as Numbered).row.vector.length, options);
      await put(collection, batch, tally);
      const rows = tally.added + tally.replaced;
      const rate = (rows / (performance.now() - start)) * 1000;
      bar.update(source.done, `${count(rows)} documents, ${count(rate)}/s`);
    }
  } catch (error) {
    throw after(error, tally.added + tally.replaced);
  } finally {
    bar.stop();
    await collection?.close();
  }
  if (collection === undefined) throw new InputError(`${source.path}: holds no documents`);
  const ms = performance.now() - start;
  const documents = tally.added + tally.replaced;
  if (options.json) return printJson({ folder: path, ...tally, seconds: ms / 1000, documentsPerSecond: (documents / ms) * 1000 });
  print(
    facts([
      ["collection", path],
      ["new", count(tally.added)],
      ["replaced", count(tally.replaced)],
      ["took", `${seconds(ms)} (${count((documents / ms) * 1000)} documents/s, reading included)`],
    ]),
  );
}

/** A document with the id that it has or gets. */
interface Numbered {
  readonly id: DocumentId;
  readonly row: DocumentRow;
}

/** No batch has an id twice, which would be refused: the second comes with the next batch, and replaces the first. */
async function* batches(rows: AsyncIterable<DocumentRow>, { number, batch: size }: ImportOptions): AsyncGenerator<Numbered[]> {
  let batch = new Map<DocumentId, Numbered>();
  let next = 0;
  for await (const row of rows) {
    const id = row.id ?? (number ? next++ : undefined);
    if (id === undefined) throw new InputError(`${row.where} has no id: --id-field names it, --number gives ids`);
    if (batch.size === size || batch.has(id)) {
      yield [...batch.values()];
      batch = new Map();
    }
    batch.set(id, { id, row });
  }
  if (batch.size > 0) yield [...batch.values()];
}

function open(path: string, dimensions: number, { metric, field }: ImportOptions): Promise<Collection> {
  return Collection.open({ storage: folder(path), dimensions, metric, fields: field as Fields | undefined });
}

async function put(
  collection: Collection,
  batch: readonly Numbered[],
  tally: { added: number; replaced: number },
): Promise<void> {
  const replaced = batch.filter(({ id }) => collection.has(id)).length;
  try {
    await collection.upsert(batch.map(({ id, row }) => ({ id, vector: row.vector, data: row.data })));
  } catch (error) {
    throw inFile(error, batch);
  }
  tally.replaced += replaced;
  tally.added += batch.length - replaced;
}

/** `documents[3].data.year is ...` as `docs.jsonl: line 17: data.year is ...`. */
function inFile(error: unknown, batch: readonly Numbered[]): unknown {
  if (!(error instanceof VicinalError)) return error;
  const found = /\b(?:documents|vectors|ids)\[(\d+)\]\.?\s*/.exec(error.message);
  const row = found && batch[Number(found[1])]?.row;
  return row ? new InputError(`${row.where}: ${error.message.replace(found[0], "")}`) : error;
}

function after(error: unknown, documents: number): unknown {
  if (documents === 0 || !(error instanceof InputError || error instanceof VicinalError)) return error;
  return new InputError(`${error.message}; the ${count(documents)} documents before are in the collection`);
}
