import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { Command } from "commander";
import type { Collection, Where } from "../core.js";
import { InputError } from "../errors.js";
import { count, print, printJson } from "../print.js";
import { progress } from "../progress.js";
import { conditions, numbersOf, withCollection } from "./open.js";

interface ExportOptions {
  readonly output: string;
  readonly where?: string;
  readonly idField: string;
  readonly vectorField: string;
  readonly vectors: boolean;
  readonly json?: true;
}

/** The path that stands for standard output. */
const STDOUT = "-";
/** Where a file is written until it is whole. */
const PARTIAL = ".partial";

export function exportCommand(): Command {
  return new Command("export")
    .description("Write documents as JSON lines, which import takes: id, vector, and the fields of the data.")
    .argument("<folder>", "the folder of the collection")
    .option("-o, --output <file>", "the file to write, zipped if it is called .gz", STDOUT)
    .option("--where <json>", `only documents whose fields meet these conditions: '{"lang":"en"}'`)
    .option("--id-field <name>", "what the id is called", "id")
    .option("--vector-field <name>", "what the vector is called", "vector")
    .option("--no-vectors", "without vectors")
    .option("--json", "print the summary as JSON, where the documents go to a file")
    .action(run);
}

async function run(path: string, options: ExportOptions): Promise<void> {
  const where = conditions(options.where);
  const { output, json } = options;
  const written = await withCollection(path, async (collection) => {
    const bar = progress("exporting", await collection.count({ where }));
    let documents = 0;
    const tell = (done: number): void => {
      documents = done;
      bar.update(done, `${count(done)} documents`);
    };
    try {
      const lines = Readable.from(linesOf(collection, where, options, tell));
      if (output === STDOUT) await pipeline(lines, process.stdout, { end: false });
      else await writeWhole(lines, output);
    } finally {
      bar.stop();
    }
    return documents;
  });
  if (output === STDOUT) return;
  if (json) printJson({ file: output, documents: written });
  else print(`${output}: ${count(written)} documents`);
}

/** A file that is there under its name is whole. */
async function writeWhole(lines: Readable, output: string): Promise<void> {
  const partial = `${output}${PARTIAL}`;
  try {
    const file = createWriteStream(partial);
    if (/\.gz$/i.test(output)) await pipeline(lines, createGzip(), file);
    else await pipeline(lines, file);
    await rename(partial, output);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function* linesOf(
  collection: Collection,
  where: Where | undefined,
  { idField, vectorField, vectors }: ExportOptions,
  tell: (done: number) => void,
): AsyncGenerator<string> {
  let done = 0;
  for await (const { id, vector, data } of collection.scan({ where, vectors })) {
    const own = { [idField]: id, ...(vector && { [vectorField]: numbersOf(vector, collection.dimensions) }) };
    const taken = Object.keys(own).find((name) => Object.hasOwn(data, name));
    if (taken !== undefined) {
      throw new InputError(
        `the document ${JSON.stringify(id)} has a field "${taken}" of its own: --id-field and --vector-field take other names`,
      );
    }
    yield `${JSON.stringify({ ...own, ...data })}\n`;
    tell(++done);
  }
}
