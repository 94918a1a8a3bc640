import { Command, Option } from "commander";
import {
  type Chunk,
  CODEC_NAMES,
  type Index,
  KIND_NAMES,
  METRIC_NAMES,
  METRICS,
  type Metric,
  VicinalError,
  vicPieces,
} from "../core.js";
import { checkWanted, create, DEFAULT_KIND, type Wanted } from "../create.js";
import { describeIndex } from "../describe.js";
import { buildKnobs, type Flags } from "../knobs.js";
import { naming } from "../open.js";
import { factor, orWord, positiveInt, wholeNumber } from "../options.js";
import { noting, openOutput } from "../output.js";
import { bytes, count, facts, figure, print, printJson, seconds } from "../print.js";
import { progress } from "../progress.js";
import { INDEX_LIST, type IndexReading, indexFormat, openIndexVectors } from "../read/index-file.js";
import { readingFlags } from "../read/options.js";
import { FORMAT_LIST, openVectors, type Reading, rowsOf, type VectorFile } from "../read/vectors.js";

/** What says which index is built, and how vectors are read. */
export interface BuildFlags extends Wanted, Reading, IndexReading {
  readonly metric: Metric;
}

interface BuildOptions extends BuildFlags {
  output: string;
  json?: true;
}

export function buildCommand(): Command {
  const command = new Command("build")
    .description("Build an index from a file of vectors, or from the vectors in an index file.")
    .argument("<input>", `vectors, or standard input as "-": ${FORMAT_LIST}; or an index file: ${INDEX_LIST}`)
    .requiredOption("-o, --output <file>", 'the index file to write, usually .vic, or "-" for standard output')
    .option("--dimensions <n>", "of an annoy file, which does not say it", positiveInt)
    .addOption(new Option("--metric <metric>", "how distance is measured").choices(METRIC_NAMES).default("cosine"));
  return addBuildFlags(command).action(build);
}

/** The flags of BuildFlags but for the metric; `first`: what help says before the rest. */
export function addBuildFlags(command: Command, first = ""): Command {
  command
    .addOption(new Option("--index <kind>", `the family (default: ${DEFAULT_KIND})`).choices(KIND_NAMES))
    .addOption(new Option("--codec <codec>", "how vectors are stored (default: f32; binary for hamming)").choices(CODEC_NAMES))
    .option(
      "--rerank [factor]",
      'lossy codecs: keep finer rows too, and score the best k x factor candidates by them, or "adaptive": as many as could matter (default factor: 4, with pq, rabitq and binary 10)',
      orWord(factor, "adaptive", "adaptive"),
    )
    .addOption(new Option("--rerank-codec <codec>", "how those rows are kept (default: f32)").choices(["f32", "f16", "sq8"]))
    .option("--factory <words>", 'family, codec and rerank in the words of Faiss, such as "IVF1024,PQ48x4,RFlat"')
    .option("--seed <n>", "the same seed and input give the same file (default: 42)", wholeNumber)
    .option("--train-at <n>", "of what learns: vectors it waits for (default: as many as it wants)", positiveInt)
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      [
        "",
        ...(first ? [first, ""] : []),
        "A .csv with a header has an id column and either one column holding [0.1, 0.2, ...] or one column per value;",
        "row labels in front, as pandas and R write them, are the ids where they are whole numbers, else left out;",
        "without a header every column is a value. Under --metric hamming, .bvecs and uint8 .npy hold packed bits:",
        "a row of B bytes has 8 x B dimensions, lowest bit first; the other formats hold one 0 or 1 per dimension.",
      ].join("\n"),
    );
  for (const option of [...readingFlags("; rows without ids are numbered from 0"), ...buildKnobs()]) command.addOption(option);
  return command;
}

async function build(input: string, options: BuildOptions & Flags): Promise<void> {
  checkWanted(options);
  const output = await openOutput(options.output, input);
  const start = performance.now();
  const { index, untrained } = await builtFrom(input, options);
  const buildMs = performance.now() - start;
  let fileBytes = 0;
  await output.write(
    noting(vicPieces(index), (piece) => {
      fileBytes += piece.length;
    }),
  );

  const stats = index.stats();
  const { kind, metric, codec, codecOptions, trained, dimensions, factory: words, error } = stats;
  const summary = {
    file: options.output,
    ...{ kind, metric, codec, codecOptions, factory: words, trained, untrained, error },
    vectors: index.size,
    dimensions,
    buildSeconds: buildMs / 1000,
    vectorsPerSecond: (index.size / buildMs) * 1000,
    fileBytes,
    memoryBytes: index.bytes,
    bytesPerVector: stats.bytesPerVector,
  };
  if (options.json) return printJson(summary, output.summary);
  print(
    facts([
      ...describeIndex(stats),
      ...(untrained === undefined ? [] : [["", untrained] as [string, string]]),
      ["vectors", `${count(summary.vectors)} x ${dimensions} dimensions`],
      ["built in", `${seconds(buildMs)} (${count(summary.vectorsPerSecond)} vectors/s, reading included)`],
      ["file", `${summary.file}, ${bytes(summary.fileBytes)}`],
      ["memory", `${bytes(summary.memoryBytes)}, ${figure(summary.bytesPerVector)} bytes per vector`],
    ]),
    output.summary,
  );
}

/** An index of all vectors in a file, trained; where there are too few for that, why. */
export async function builtFrom(
  input: string,
  options: BuildFlags & Flags,
): Promise<{ index: Index; untrained: string | undefined }> {
  checkWanted(options);
  const index = await read(input, options);
  return { index, untrained: await train(index) };
}

async function openAny(input: string, options: BuildFlags): Promise<VectorFile> {
  const format = await indexFormat(input, options.format);
  if (format) return openIndexVectors(input, format, options);
  return openVectors(input, { ...options, packed: METRICS[options.metric].packed === true });
}

/** An index of all vectors in the file. */
async function read(input: string, options: BuildFlags & Flags): Promise<Index> {
  const start = performance.now();
  const file = await openAny(input, options);
  const bar = progress("building", file.fileBytes);
  const waiting: Chunk[] = [];
  let rows = 0;
  let index: Index | undefined;
  let waits = false;
  try {
    for await (const chunk of file.chunks) {
      if (index === undefined) {
        index = await create(chunk.dimensions, chunk.total, options);
        waits = isBuiltAtOnce(index);
      }
      const growing = index;
      if (waits) waiting.push(chunk);
      else await naming(input, () => growing.add(chunk.vectors, chunk.ids));
      rows += chunk.rows;
      const rate = (rows / (performance.now() - start)) * 1000;
      bar.update(file.fileBytesRead, `${count(rows)} vectors${waits ? " read" : ""}, ${count(rate)}/s`);
    }
    if (waits) {
      bar.update(file.fileBytesRead, `linking ${count(rows)} vectors`);
      const { vectors, ids } = rowsOf(waiting);
      await naming(input, () => (index as Index).add(vectors, waiting[0]?.ids && ids));
    }
  } finally {
    bar.stop();
  }
  return index as Index;
}

/** A graph with fastScan links all vectors of one call several times faster than those of many. */
function isBuiltAtOnce(index: Index): boolean {
  return index.stats().options.fastScan === true;
}

/** Trains what has waited for more vectors than the file had; where they do not suffice either, returns why. */
async function train(index: Index): Promise<string | undefined> {
  if (index.trained) return undefined;
  try {
    await index.train();
    return undefined;
  } catch (error) {
    if (error instanceof VicinalError && error.code === "BAD_OPTION") return error.message;
    throw error;
  }
}
