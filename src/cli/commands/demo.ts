import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Command } from "commander";
import { Collection, type DocumentHit, folder as folderStorage, variant, type Where } from "../core.js";
import { type Corpus, embeddedText, readCorpus } from "../demo/corpus.js";
import { killed } from "../demo/killed.js";
import { type Ask, asking, edited, filtered, render } from "../demo/living.js";
import { questionsFrom, README_QUESTIONS } from "../demo/questions.js";
import { buildMain, K, measureTradeOff, type TradeOff, verdict } from "../demo/tradeoff.js";
import type { Embedder } from "../embed/embedder.js";
import { lexicalEmbedder, wordsOf } from "../embed/lexical.js";
import { modelEmbedder } from "../embed/model.js";
import { SENTENCES_NEED, sentenceEmbedder } from "../embed/sentences.js";
import { UsageError } from "../errors.js";
import { positiveInt } from "../options.js";
import { count, counted, figure, print, printJson, seconds, table } from "../print.js";
import { progress } from "../progress.js";

interface DemoOptions {
  model?: string;
  lexical?: true;
  limit?: number;
  json?: true;
}

const LEXICAL_NOTE =
  "(Lexical vectors lie spread out, the hard case for a graph: those of a language model need a far lower ef.)";
const LEXICAL_LIMIT = 10_000;
/** A model embeds some ten to a hundred passages a second on a CPU. */
const MODEL_LIMIT = 1_000;
/** The sentence model embeds some 15 to 30, of 60 words each. */
const SENTENCES_LIMIT = 400;
/** Passages of each package, under such a limit. */
const OF_PACKAGE = 8;

export function demoCommand(): Command {
  return new Command("demo")
    .description(
      "Search real text on this machine: read, embed, keep, ask, filter, edit, kill and reopen, measure. Needs no network.",
    )
    .argument("[folder]", "a folder of .md, .markdown and .txt files (default: the README files of the installed packages)")
    .option("--model <name>", "embed with a Hugging Face model, through @huggingface/transformers if you installed it")
    .option("--lexical", "embed by wording alone, which suits every language (default where no sentence model is installed)")
    .option(
      "--limit <n>",
      `read at most this many passages (default: ${SENTENCES_LIMIT}; with --model ${MODEL_LIMIT}, with --lexical ${LEXICAL_LIMIT})`,
      positiveInt,
    )
    .option("--json", "print everything as JSON, and do not prompt")
    .action(demo);
}

/** Undefined: the lexical one, which is made of the texts themselves. */
async function embedderOf({ model, lexical }: DemoOptions): Promise<Embedder | undefined> {
  if (lexical) {
    if (model !== undefined) throw new UsageError("--lexical is instead of a model: not with --model");
    return undefined;
  }
  return model === undefined ? sentenceEmbedder() : modelEmbedder(model);
}

async function demo(folder: string | undefined, options: DemoOptions): Promise<void> {
  const model = await embedderOf(options);
  const most = model ? (options.model === undefined ? SENTENCES_LIMIT : MODEL_LIMIT) : LEXICAL_LIMIT;
  const corpus = await readCorpus(folder, options.limit ?? most, model && OF_PACKAGE);
  const embedder = model ?? lexicalEmbedder(corpus.stored.map(embeddedText));
  const place = await mkdtemp(join(tmpdir(), "vicinal-demo-"));
  try {
    await show(place, corpus, embedder, folder === undefined ? README_QUESTIONS : questionsFrom(corpus.heldOut), options);
  } finally {
    await rm(place, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function show(
  place: string,
  corpus: Corpus,
  embedder: Embedder,
  questions: readonly string[],
  { json, lexical }: DemoOptions,
): Promise<void> {
  const say = json ? () => {} : print;
  const { origin, files, stored, heldOut } = corpus;
  const { dimensions, meaning, description } = embedder;
  const passages = count(stored.length + heldOut.length);
  say(`${origin}: ${counted(files, "file")}, ${passages} passages${corpus.cut ? " (there is more: see --limit)" : ""}`);
  say(description);
  if (!meaning && !lexical) say(`(to ask by meaning, in English: ${SENTENCES_NEED})`);

  const open = (): Promise<Collection> =>
    Collection.open({ storage: folderStorage(place), dimensions, embed: (texts) => embedder.embed(texts) });
  let collection = await open();
  try {
    const start = performance.now();
    await fill(collection, corpus);
    const embedMs = performance.now() - start;
    say(
      `${count(stored.length)} passages embedded to ${dimensions} dimensions and kept in a collection, ${place}, ` +
        `in ${seconds(embedMs)} (${variant})`,
    );
    const vectors = await vectorsOf(collection);

    const meansNothing = (text: string): boolean => wordsOf(text).length === 0;
    let ask = asking(collection, corpus, meansNothing);
    const answers: { question: string; found: DocumentHit[] }[] = [];
    for (const question of questions) {
      const found = await ask(question);
      answers.push({ question, found });
      say(`\n> ${question}\n${render(found)}`);
    }
    const filter = answers[0]?.found[0] && (await filtered(collection, ask, corpus, answers[0], say));
    const edits = await edited(collection, ask, corpus, meaning, say);

    await collection.close();
    const [again, kill] = await killed(place, open, say);
    collection = again;
    ask = asking(collection, corpus, meansNothing);

    const asked = await embedder.embed(heldOut.map(embeddedText));
    const queries = heldOut.map((_, i) => asked.subarray(i * dimensions, (i + 1) * dimensions));
    const tradeOff = await measureTradeOff(await buildMain(vectors, dimensions), vectors, dimensions, queries);
    const summary = verdict(tradeOff, stored.length);
    say(`\nExact search against a graph, asked with ${heldOut.length} passages that are not stored:\n`);
    say(renderTradeOff(tradeOff));
    say(`\n${summary}`);
    if (!meaning) say(LEXICAL_NOTE);

    if (json) {
      printJson({
        origin,
        files,
        passages: stored.length,
        dimensions,
        embedder: description,
        embedSeconds: embedMs / 1000,
        variant,
        answers: answers.map(({ question, found }) => ({ question, found: found.map(flat) })),
        filter: filter && { ...filter, found: filter.found.map(flat) },
        edits,
        kill,
        queries: heldOut.length,
        k: K,
        tradeOff,
        summary,
      });
    } else if (process.stdin.isTTY) await prompt(ask, corpus);
  } finally {
    await collection.close();
  }
}

/** All passages in one change: all or none. */
async function fill(collection: Collection, { stored, field }: Corpus): Promise<void> {
  const bar = progress("embedding".padEnd(26), stored.length);
  await collection.upsert(
    stored.map((passage) => {
      const { id, source, title, text } = passage;
      return { id, text: embeddedText(passage), data: { [field]: source, title, text } };
    }),
    { onProgress: ({ done }) => bar.update(done, `${done} passages`) },
  );
  bar.stop();
}

/** What was made of the texts, one after the other, for the measurement of bare indices. */
async function vectorsOf(collection: Collection): Promise<Float32Array> {
  const { dimensions, size } = collection;
  const vectors = new Float32Array(size * dimensions);
  let n = 0;
  for await (const { vector } of collection.scan({ select: [], vectors: true }))
    vectors.set(vector as Float32Array, n++ * dimensions);
  return vectors;
}

function flat({ id, distance, data }: DocumentHit): object {
  return { id, distance, ...data };
}

/** Answers what the user types, until the end of input or an empty line. */
async function prompt(ask: Ask, { field }: Corpus): Promise<void> {
  print(`\nAsk something, in:NAME before it for one ${field} alone (an empty line ends it).`);
  const lines = createInterface({ input: process.stdin, output: process.stdout, prompt: "query> " });
  lines.prompt();
  for await (const line of lines) {
    if (line.trim() === "") break;
    const [, source, question] = /^(?:in:(\S+)\s+)?(.*)$/.exec(line.trim()) as unknown as [string, string | undefined, string];
    const where: Where | undefined = source === undefined ? undefined : { [field]: source };
    print(render(await ask(question, where)));
    lines.prompt();
  }
  lines.close();
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
