import { InputError } from "../errors.js";
import type { Embedder } from "./embedder.js";
import { installed } from "./installed.js";

const PACKAGE = "@huggingface/transformers";
const BATCH = 16;

/** The part of @huggingface/transformers that is used here. */
interface Transformers {
  pipeline(task: "feature-extraction", model: string): Promise<FeatureExtractor>;
}
type FeatureExtractor = (
  texts: string[],
  options: { pooling: "mean"; normalize: true },
) => Promise<{ data: Float32Array; dims: number[] }>;

/** An embedder that runs a Hugging Face model, for a user who is online and has installed the optional package. */
export async function modelEmbedder(model: string): Promise<Embedder> {
  const transformers = installed<Transformers>(PACKAGE);
  if (!transformers) throw new InputError(`--model needs the package ${PACKAGE}: npm install ${PACKAGE}`);
  const { pipeline } = transformers;
  const extract = await pipeline("feature-extraction", model).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : error;
    throw new InputError(`the model "${model}" could not be loaded (its first use downloads it): ${reason}`);
  });
  const embedBatch = async (texts: string[]) => {
    const { data, dims } = await extract(texts, { pooling: "mean", normalize: true });
    return { data, dimensions: dims.at(-1) as number };
  };
  const { dimensions } = await embedBatch(["probe"]);
  return {
    description: `the model ${model}, run by ${PACKAGE}: compares meaning`,
    dimensions,
    meaning: true,
    async embed(texts, onDone) {
      const vectors = new Float32Array(texts.length * dimensions);
      for (let at = 0; at < texts.length; at += BATCH) {
        const { data } = await embedBatch(texts.slice(at, at + BATCH));
        vectors.set(data, at * dimensions);
        onDone?.(Math.min(at + BATCH, texts.length));
      }
      return vectors;
    },
  };
}
