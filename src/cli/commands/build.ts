import { access, constants, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Command, Option } from "commander";
import { type Codec, Flat, Hnsw, type Index, type Metric, saveFile } from "../core.js";
import { UsageError } from "../errors.js";
import { naming } from "../open.js";
import { factor, positiveInt, wholeNumber } from "../options.js";
import { bytes, count, facts, figure, print, printJson, seconds } from "../print.js";
import { progress } from "../progress.js";
import { FORMAT_LIST, openVectors } from "../read/vectors.js";

interface BuildOptions {
  output: string;
  index: "hnsw" | "flat";
  metric: Metric;
  codec?: Codec;
  rerank?: true | number;
  m?: number;
  efConstruction?: number;
  ef?: number;
  mips?: "augment" | "native";
  seed?: number;
  idField?: string;
  vectorField?: string;
  json?: true;
}

/** The options that say something only of a graph. */
const GRAPH_OPTIONS = { m: "--m", efConstruction: "--ef-construction", ef: "--ef", mips: "--mips", seed: "--seed" } as const;

export function buildCommand(): Command {
  return new Command("build")
    .description("Build an index from a file of vectors.")
    .argument("<input>", `vectors: ${FORMAT_LIST}`)
    .requiredOption("-o, --output <file>", "the index file to write, usually .vic")
    .addOption(new Option("--index <kind>", "graph search, or exact scan").choices(["hnsw", "flat"]).default("hnsw"))
    .addOption(
      new Option("--metric <metric>", "how distance is measured").choices(["l2", "cosine", "dot", "hamming"]).default("cosine"),
    )
    .addOption(
      new Option("--codec <codec>", "how vectors are stored (default: f32; binary for hamming)").choices([
        "f32",
        "sq8",
        "binary",
      ]),
    )
    .option(
      "--rerank [factor]",
      "sq8: keep f32 rows too, and score the best k x factor candidates by them (default factor: 4)",
      factor,
    )
    .option("--m <links>", "hnsw: links per vector (default: 16)", positiveInt)
    .option("--ef-construction <n>", "hnsw: candidates kept while building (default: 200)", positiveInt)
    .option("--ef <n>", "hnsw: candidates kept while searching, unless the search says (default: 64)", positiveInt)
    .addOption(
      new Option(
        "--mips <way>",
        "hnsw with dot: link by inner product as it is, or by one more coordinate as l2 (default: native)",
      ).choices(["native", "augment"]),
    )
    .option("--seed <n>", "hnsw: the same seed and input give the same file (default: 42)", wholeNumber)
    .option("--id-field <name>", 'the id in .jsonl and .csv (default: "id"; rows without ids are numbered from 0)')
    .option("--vector-field <name>", 'the vector in .jsonl and .csv (default: "vector" or "embedding")')
    .option("--json", "print the summary as JSON")
    .addHelpText(
      "after",
      [
        "",
        "A .csv with a header has an id column and either one column holding [0.1, 0.2, ...] or one column per value;",
        "without a header every column is a value. Under --metric hamming, .bvecs and uint8 .npy hold packed bits:",
        "a row of B bytes has 8 x B dimensions, lowest bit first; the other formats hold one 0 or 1 per dimension.",
      ].join("\n"),
    )
    .action(build);
}

async function build(input: string, options: BuildOptions): Promise<void> {
  for (const [key, flag] of Object.entries(GRAPH_OPTIONS)) {
    if (options.index === "flat" && options[key as keyof BuildOptions] !== undefined) {
      throw new UsageError(`${flag} is for --index hnsw: a flat index has no graph`);
    }
  }
  if (options.rerank !== undefined && options.codec !== "sq8") {
    throw new UsageError("--rerank is for --codec sq8: the other codecs lose nothing that could be re-scored");
  }
  // Better now than after the work of building.
  await access(dirname(options.output), constants.W_OK);
  const start = performance.now();
  const file = await openVectors(input, { ...options, packed: options.metric === "hamming" });
  const bar = progress("building", file.fileBytes);
  let index: Index | undefined;
  try {
    for await (const { dimensions, vectors, ids } of file.chunks) {
      const growing = index ?? (await create(dimensions, options));
      await naming(input, () => growing.add(vectors, ids));
      const rate = (growing.size / (performance.now() - start)) * 1000;
      bar.update(file.fileBytesRead, `${count(growing.size)} vectors, ${count(rate)}/s`);
      index = growing;
    }
  } finally {
    bar.stop();
  }
  const built = index as Index;
  const buildMs = performance.now() - start;
  await saveFile(built, options.output);

  const summary = {
    file: options.output,
    kind: built.kind,
    metric: built.metric,
    codec: built.codec,
    vectors: built.size,
    dimensions: built.dimensions,
    buildSeconds: buildMs / 1000,
    vectorsPerSecond: (built.size / buildMs) * 1000,
    fileBytes: (await stat(options.output)).size,
    memoryBytes: built.bytes,
    bytesPerVector: built.bytes / built.size,
  };
  if (options.json) return printJson(summary);
  print(
    facts([
      ["index", `${summary.kind}, ${summary.metric}, ${summary.codec}`],
      ["vectors", `${count(summary.vectors)} x ${summary.dimensions} dimensions`],
      ["built in", `${seconds(buildMs)} (${count(summary.vectorsPerSecond)} vectors/s, reading included)`],
      ["file", `${summary.file}, ${bytes(summary.fileBytes)}`],
      ["memory", `${bytes(summary.memoryBytes)}, ${figure(summary.bytesPerVector)} bytes per vector`],
    ]),
  );
}

function create(dimensions: number, options: BuildOptions): Promise<Index> {
  const { metric, codec, rerank, m, efConstruction, ef, mips, seed } = options;
  const common = { dimensions, metric, codec, rerank };
  return options.index === "flat" ? Flat.create(common) : Hnsw.create({ ...common, m, efConstruction, ef, mips, seed });
}
