import { embedder, type Transformers } from "../../adapters/transformers.js";
import { InputError } from "../errors.js";
import type { Embedder } from "./embedder.js";
import { installed } from "./installed.js";

const PACKAGE = "@huggingface/transformers";
/** Texts between two reports. */
const BATCH = 16;

/** An embedder that runs a Hugging Face model, for a user who is online and has installed the optional package. */
export async function modelEmbedder(model: string): Promise<Embedder> {
  const transformers = installed<Transformers>(PACKAGE);
  if (!transformers) throw new InputError(`--model needs the package ${PACKAGE}: npm install ${PACKAGE}`);
  const embed = await embedder(model, { transformers }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : error;
    throw new InputError(`the model "${model}" could not be loaded (its first use downloads it): ${reason}`);
  });
  const { dimensions } = embed;
  return {
    description: `the model ${model}, run by ${PACKAGE}: compares meaning`,
    dimensions,
    meaning: true,
    async embed(texts, onDone) {
      const vectors = new Float32Array(texts.length * dimensions);
      for (let at = 0; at < texts.length; at += BATCH) {
        const rows = await embed(texts.slice(at, at + BATCH));
        for (const [i, row] of rows.entries()) vectors.set(row, (at + i) * dimensions);
        onDone?.(Math.min(at + BATCH, texts.length));
      }
      return vectors;
    },
  };
}
