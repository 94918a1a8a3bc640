import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import { type Index, variant } from "../core.js";
import { type Corpus, embeddedText, readCorpus } from "../demo/corpus.js";
import { questionsFrom, README_QUESTIONS } from "../demo/questions.js";
import { buildMain, K, measureTradeOff, type TradeOff, verdict } from "../demo/tradeoff.js";
import type { Embedder } from "../embed/embedder.js";
import { lexicalEmbedder } from "../embed/lexical.js";
import { modelEmbedder } from "../embed/model.js";
import { positiveInt } from "../options.js";
import { count, counted, figure, print, printJson, seconds, table } from "../print.js";
import { progress } from "../progress.js";

interface DemoOptions {
  model?: string;
  limit?: number;
  json?: true;
}

/** A passage found for a question. */
interface Found {
  readonly distance: number;
  readonly file: string;
  readonly title: string;
  readonly text: string;
}

const SHOWN = 3;
const LEXICAL_NOTE =
  "(Lexical vectors lie spread out, the hard case for a graph: those of a language model need a far lower ef.)";
const LEXICAL_LIMIT = 10_000;
/** A model embeds some ten to a hundred passages a second on a CPU. */
const MODEL_LIMIT = 1_000;

export function demoCommand(): Command {
  return new Command("demo")
    .description("Search real text on this machine: read, embed, index, ask, measure. Needs no network.")
    .argument("[folder]", "a folder of .md, .markdown and .txt files (default: the README files of the installed packages)")
    .option("--model <name>", "embed with a Hugging Face model, through @huggingface/transformers if you installed it")
    .option(
      "--limit <n>",
      `read at most this many passages (default: ${LEXICAL_LIMIT}; with --model ${MODEL_LIMIT})`,
      positiveInt,
    )
    .option("--json", "print everything as JSON, and do not prompt")
    .action(demo);
}

async function demo(folder: string | undefined, options: DemoOptions): Promise<void> {
  const say = options.json ? () => {} : print;
  const limit = options.limit ?? (options.model === undefined ? LEXICAL_LIMIT : MODEL_LIMIT);
  const corpus = await readCorpus(folder, limit);
  const { origin, files, stored, heldOut } = corpus;
  const passages = count(stored.length + heldOut.length);
  say(`${origin}: ${counted(files, "file")}, ${passages} passages${corpus.cut ? " (there is more: see --limit)" : ""}`);

  const embedder = options.model === undefined ? lexicalEmbedder(stored.map(embeddedText)) : await modelEmbedder(options.model);
  say(embedder.description);
  const { dimensions } = embedder;
  const start = performance.now();
  const vectors = await embedAll(embedder, "embedding", stored.map(embeddedText));
  const embedMs = performance.now() - start;
  const main = await buildMain(vectors, dimensions);
  say(
    `${count(stored.length)} passages embedded to ${dimensions} dimensions in ${seconds(embedMs)}, ` +
      `indexed in ${figure(main.buildSeconds)} s (${variant})`,
  );

  const answers: { question: string; found: Found[] }[] = [];
  for (const question of folder === undefined ? README_QUESTIONS : questionsFrom(heldOut)) {
    const found = await answer(question, main.index, embedder, corpus);
    answers.push({ question, found });
    say(`\n> ${question}\n${render(found)}`);
  }

  const asked = await embedAll(embedder, "embedding queries", heldOut.map(embeddedText));
  const queries = heldOut.map((_, i) => asked.subarray(i * dimensions, (i + 1) * dimensions));
  const tradeOff = await measureTradeOff(main, vectors, dimensions, queries);
  const summary = verdict(tradeOff, stored.length);
  say(`\nExact search against a graph, asked with ${heldOut.length} passages that are not stored:\n`);
  say(renderTradeOff(tradeOff));
  say(`\n${summary}`);
  if (options.model === undefined) say(LEXICAL_NOTE);

  if (options.json) {
    printJson({
      origin,
      files,
      passages: stored.length,
      dimensions,
      embedder: embedder.description,
      embedSeconds: embedMs / 1000,
      variant,
      answers,
      queries: heldOut.length,
      k: K,
      tradeOff,
      summary,
    });
  } else if (process.stdin.isTTY) await prompt(main.index, embedder, corpus);
}

async function embedAll(embedder: Embedder, label: string, texts: readonly string[]): Promise<Float32Array> {
  const bar = progress(label.padEnd(26), texts.length);
  const vectors = await embedder.embed(texts, (done) => bar.update(done, `${done} passages`));
  bar.stop();
  return vectors;
}

async function answer(question: string, index: Index, embedder: Embedder, { stored }: Corpus): Promise<Found[]> {
  const vector = await embedder.embed([question]);
  // No word to go by: the zero vector has no direction, and would be as far from everything.
  if (vector.every((value) => value === 0)) return [];
  return index.search(vector, { k: SHOWN }).map(({ id, distance }) => ({ distance, ...stored[id] }) as Found);
}

/** Answers what the user types, until the end of input or an empty line. */
async function prompt(index: Index, embedder: Embedder, corpus: Corpus): Promise<void> {
  print("\nAsk something (an empty line ends it).");
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: "query> " });
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() === "") break;
    print(render(await answer(line, index, embedder, corpus)));
    lines.prompt();
  }
  lines.close();
}

const SNIPPET_CHARS = 150;

function render(found: readonly Found[]): string {
  if (found.length === 0) return "  nothing found";
  return found
    .map(({ distance, file, title, text }) => {
      const heading = title === "" ? file : `${file}: ${title}`;
      const snippet = text.length > SNIPPET_CHARS ? `${text.slice(0, SNIPPET_CHARS)}...` : text;
      return `  ${distance.toFixed(3)}  ${heading}\n         ${snippet}`;
    })
    .join("\n");
}

function renderTradeOff(lines: readonly TradeOff[]): string {
  return table(
    ["<index", "ef", `recall@${K}`, "p50 ms", "p99 ms", "QPS", "bytes/vector", "build s"],
    lines.map((line) => [
      line.index,
      line.ef === undefined ? "" : String(line.ef),
      line.recall.toFixed(3),
      figure(line.p50Ms),
      figure(line.p99Ms),
      count(line.qps),
      count(line.bytesPerVector),
      figure(line.buildSeconds),
    ]),
  );
}
