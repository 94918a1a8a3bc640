import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Command, Option } from "commander";
import { withCollection } from "../collection/open.js";
import { destination, type Published, type PublishOptions, type PublishSource, publish, ROW_KINDS } from "../core.js";
import { naming, openIndex } from "../open.js";
import { finiteNumber, listOf, positiveInt, wholeNumber } from "../options.js";
import { bytes, count, facts, print, printJson, seconds } from "../print.js";
import { progress } from "../progress.js";
import { readRows } from "../read/vectors.js";

interface Options {
  readonly pageKib?: number;
  readonly bits?: number;
  readonly rows?: "sq8" | "f32";
  readonly fields?: string[];
  readonly recall?: number;
  readonly queries?: string;
  readonly partMib?: number;
  readonly seed?: number;
  readonly json?: true;
}

export function publishCommand(): Command {
  return new Command("publish")
    .description("Write an index or a collection as files that any web server serves, for RangeIndex of vicinal/range to search.")
    .argument("<source>", "an index file, usually .vic, or the folder of a collection")
    .argument("<folder>", "the folder to write to; made where there is none")
    .option("--page-kib <n>", "about how large a list is, codes and rows (default: 64)", positiveInt)
    .option("--bits <n>", "bits of a value in the codes, 1 to 8 (default: 1 from 256 dimensions on, else 2)", positiveInt)
    .addOption(new Option("--rows <kind>", "what decides in the end (default: sq8)").choices(ROW_KINDS))
    .option(
      "--fields <names>",
      "of a collection: what conditions can ask for, such as lang,year (default: those declared, else the short ones)",
      listOf((name) => name),
    )
    .option("--recall <share>", "of the ten nearest, what searches are to find that say nothing (default: 0.96)", finiteNumber)
    .option("--queries <file>", "vectors as queries will be, to measure that with (default: some of its own)")
    .option(
      "--part-mib <n>",
      "the data in files of at most so many MiB, for hosts that limit them (default: one file)",
      positiveInt,
    )
    .option("--seed <n>", "the same seed and source give the same files (default: 42)", wholeNumber)
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      [
        "",
        "Copy the whole folder to the host. It needs byte ranges, which most have, and from pages of other origins CORS. Data of an index",
        "published before stays beside the new: delete it when no page has it open any more.",
      ].join("\n"),
    )
    .action(run);
}

async function run(source: string, folder: string, options: Options): Promise<void> {
  const start = performance.now();
  const published = (await stat(source)).isDirectory()
    ? await withCollection(source, (collection) => publishing(source, collection, options))
    : await publishingIndex(source, options);
  await mkdir(folder, { recursive: true });
  for (const [name, contents] of published.files) await (await destination(join(folder, name)))(contents);
  const { files, ...rest } = published;
  const summary = { folder, files: [...files.keys()], ...rest, seconds: (performance.now() - start) / 1000 };
  if (options.json) return printJson(summary);
  print(
    facts([
      ["folder", `${folder}: ${summary.files.join(", ")}`],
      ["documents", `${count(rest.documents)} in ${count(rest.lists)} lists`],
      ["fetched at open", bytes(rest.headBytes)],
      ["in all", bytes(rest.headBytes + rest.dataBytes)],
      [
        "searches",
        `${count(rest.nprobe)} lists and ${count(rest.candidates)} rows find ${(100 * rest.recall).toFixed(1)} % of the ten nearest`,
      ],
      ["fields", rest.fields.join(", ") || "none"],
      ["published in", seconds(1000 * summary.seconds)],
    ]),
  );
}

async function publishingIndex(path: string, options: Options): Promise<Published> {
  const index = await openIndex(path);
  try {
    return await publishing(path, index, options);
  } finally {
    index.close();
  }
}

async function publishing(path: string, source: PublishSource, { queries, json: _, ...options }: Options): Promise<Published> {
  const given: PublishOptions = {
    ...options,
    ...(queries !== undefined && { queries: (await readRows(queries, { packed: false })).vectors }),
  };
  const bar = progress("publishing", 1);
  const steps = ["reading", "learning", "writing", "measuring"];
  try {
    return await naming(path, () =>
      publish(source, {
        ...given,
        onProgress: ({ step, done, total }) => bar.update((steps.indexOf(step) + done / total) / steps.length, step),
      }),
    );
  } finally {
    bar.stop();
  }
}
