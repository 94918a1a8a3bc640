import { extname } from "node:path";
import { Command, Option } from "commander";
import {
  faissPieces,
  type Hnsw,
  hnswlibPieces,
  INDEX_FORMATS,
  type Index,
  type IndexFormat,
  METRIC_NAMES,
  METRICS,
  vicPieces,
} from "../core.js";
import { UsageError } from "../errors.js";
import type { Flags } from "../knobs.js";
import { naming } from "../open.js";
import { positiveInt } from "../options.js";
import { noting, type Output, openOutput } from "../output.js";
import { bytes, count, facts, print, printJson, seconds } from "../print.js";
import { INDEX_LIST, type IndexFile, indexFormat, openIndexFile, vectorsOf } from "../read/index-file.js";
import { FORMAT_LIST, FORMAT_NAMES, openVectors } from "../read/vectors.js";
import { WRITTEN_VECTORS, writeVectors } from "../write-vectors.js";
import { addBuildFlags, type BuildFlags, builtFrom } from "./build.js";

interface ConvertOptions extends Omit<BuildFlags, "metric"> {
  from?: string;
  to?: string;
  metric?: BuildFlags["metric"];
  dimensions?: number;
  json?: true;
}

/** What an index is written as, and by what its name ends in. */
const WRITTEN_INDICES = ["vic", "faiss", "hnswlib"] as const;
const WRITTEN = [...WRITTEN_INDICES, ...WRITTEN_VECTORS];
const BY_EXTENSION: Readonly<Record<string, string>> = { index: "faiss", bin: "hnswlib", hnsw: "hnswlib" };

export function convertCommand(): Command {
  const command = new Command("convert")
    .description("Write an index or vectors in another format.")
    .argument("<input>", `an index file (${INDEX_LIST}), or vectors: ${FORMAT_LIST}`)
    .argument("<output>", `the file to write: ${WRITTEN.map((format) => `.${format}`).join(" ")} (.index is faiss, .bin hnswlib)`)
    .addOption(
      new Option("--from <format>", "the input's format (default: by its name, else by what is in it)").choices([
        ...new Set([...INDEX_FORMATS, ...FORMAT_NAMES]),
      ]),
    )
    .addOption(new Option("--to <format>", "the output's format (default: by its name)").choices(WRITTEN))
    .option("--dimensions <n>", "of an annoy file, which does not say it", positiveInt)
    .addOption(
      new Option(
        "--metric <metric>",
        "how distance is measured: of an hnswlib or annoy file, which do not say it; of an index that is built of vectors (default: cosine)",
      ).choices(METRIC_NAMES),
    );
  return addBuildFlags(
    command,
    "From vectors an index is built, as by `vicinal build`; an index goes over as it is, as far as the format has what it holds.",
  ).action(convert);
}

async function convert(input: string, path: string, given: ConvertOptions & Flags): Promise<void> {
  const options = { ...given, from: given.from ?? given.format };
  const to = options.to ?? formatOfOutput(path);
  const from = await indexFormat(input, options.from);
  const output = await openOutput(path, input);
  const start = performance.now();
  const done = await (WRITTEN_VECTORS.includes(to) ? toVectors : toIndex)(input, path, from, to, options, output);
  const summary = {
    file: path,
    from: done.from,
    to,
    ...done.counts,
    notes: done.notes,
    seconds: (performance.now() - start) / 1000,
  };
  if (options.json) return printJson(summary, output.summary);
  print(
    facts([
      ["from", `${input}, ${done.from}`],
      ["to", `${path}, ${to}${done.counts.fileBytes === undefined ? "" : `, ${bytes(done.counts.fileBytes)}`}`],
      ["vectors", `${count(done.counts.vectors)} x ${done.counts.dimensions} dimensions`],
      ["took", seconds(performance.now() - start)],
      ...done.notes.map((note): [string, string] => ["note", note]),
    ]),
    output.summary,
  );
}

interface Done {
  readonly from: string;
  readonly counts: { readonly vectors: number; readonly dimensions: number; readonly fileBytes?: number };
  readonly notes: readonly string[];
}

type Converting = (
  ...args: [
    input: string,
    path: string,
    from: Awaited<ReturnType<typeof indexFormat>>,
    to: string,
    options: ConvertOptions & Flags,
    output: Output,
  ]
) => Promise<Done>;

function formatOfOutput(path: string): string {
  const extension = extname(path).slice(1).toLowerCase();
  const format = BY_EXTENSION[extension] ?? extension;
  if (WRITTEN.includes(format)) return format;
  throw new UsageError(`${path}: its name says none of ${WRITTEN.join(", ")}; --to says which it is to be`);
}

/** Flags that have a meaning where an index goes over as it is. */
const AS_IS = ["from", "format", "to", "metric", "dimensions", "json"];

/** The index in the input, of which no flag wants anything else than what it is. */
async function indexAsIs(input: string, from: IndexFormat, options: ConvertOptions & Flags): Promise<IndexFile> {
  const other = Object.keys(options).find((name) => !AS_IS.includes(name));
  const anew = "vicinal build makes another index of its vectors";
  if (other !== undefined) {
    const flag = other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UsageError(`${input} is an index, and goes over as it is, without --${flag}; ${anew}`);
  }
  const opened = await openIndexFile(input, from, options);
  const { metric } = opened.index;
  if ((options.metric ?? metric) !== metric)
    throw new UsageError(`${input}: its metric is ${metric}, and --metric ${options.metric} does not change that; ${anew}`);
  return opened;
}

/** An index of the input, as it is or built of its vectors, in the format. */
const toIndex: Converting = async (input, _path, from, to, options, output) => {
  const { metric = "cosine", from: format, ...rest } = options;
  const opened = from
    ? await indexAsIs(input, from, options)
    : { index: (await builtFrom(input, { ...rest, metric, format })).index, format: "vectors", notes: [] };
  const { index, notes } = opened;
  let fileBytes = 0;
  await naming(input, async () => {
    const pieces = await written(index, to);
    await output.write(
      noting(pieces, ({ length }) => {
        fileBytes += length;
      }),
    );
  });
  return { from: from ?? "vectors", counts: { vectors: index.size, dimensions: index.dimensions, fileBytes }, notes };
};

async function written(index: Index, to: string): Promise<Iterable<Uint8Array>> {
  if (to === "faiss") {
    // Its graphs have no marks for what was removed.
    if (index.deleted > 0) await index.compact();
    return faissPieces(index);
  }
  if (to === "hnswlib") return hnswlibPieces(index as Hnsw);
  return vicPieces(index);
}

/** The vectors of the input alone. */
const toVectors: Converting = async (input, path, from, to, options) => {
  const { metric = "cosine", from: format } = options;
  if (path === "-") throw new UsageError(`.${to} is written to a file, not to standard output`);
  const opened = from ? await indexAsIs(input, from, options) : undefined;
  const chunks = opened
    ? vectorsOf(opened.index)
    : (await openVectors(input, { ...options, format, packed: METRICS[metric].packed === true })).chunks;
  const { rows, dimensions } = await writeVectors(path, to, chunks);
  const inOrder = opened?.index.ids().every((id) => id < rows) ?? true;
  const notes = [...(opened?.notes ?? []), ...(inOrder ? [] : [`.${to} has no ids: rows are in the order of theirs`])];
  return { from: from ?? "vectors", counts: { vectors: rows, dimensions }, notes };
};
