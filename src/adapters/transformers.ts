// Vectors of texts by a model that transformers.js runs.
import { badOption, show, VicinalError } from "../words/errors.js";
import { flag, heed, integer, known, oneOf } from "../words/options.js";

const PACKAGE = "@huggingface/transformers";
const POOLINGS = ["mean", "cls", "first_token", "last_token", "eos"] as const;

type Pooling = (typeof POOLINGS)[number];

/** What a feature-extraction pipeline answers: [texts, dimensions] numbers. */
interface Tensor {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}
type Extract = (texts: string[], options: { pooling: Pooling; normalize: boolean }) => Promise<Tensor>;

/** The part of @huggingface/transformers that is used here. */
export interface Transformers {
  pipeline(task: "feature-extraction", model: string, options?: object): Promise<unknown>;
}

export interface EmbedderOptions {
  /** How a model's tokens become one vector; its card says so. Default "mean". */
  pooling?: Pooling;
  /** Vectors of length 1. Default true. */
  normalize?: boolean;
  /** Put before each text, for models that want "query: " or "passage: ". Default "". */
  prefix?: string;
  /** Texts given to the model at a time. Default 16. */
  batch?: number;
  /** Given on to `pipeline`: dtype, device, progress_callback ... */
  pipeline?: object;
  /** The module, where it comes from elsewhere, as a CDN. Default: `import("@huggingface/transformers")`. */
  transformers?: Transformers;
}

/** The `embed` of a collection. */
export interface Embedder {
  (texts: readonly string[], options?: { signal?: AbortSignal }): Promise<Float32Array[]>;
  /** Values of a vector. */
  readonly dimensions: number;
}

/**
 * Loads a model, which the first time downloads it, and embeds one text to see its dimensions. Errors: BAD_OPTION; BAD_RUNTIME where the
 * package is not installed; those of transformers.js.
 */
export async function embedder(model: string, options: EmbedderOptions = {}): Promise<Embedder> {
  if (typeof model !== "string" || model === "")
    throw badOption(`model is ${show(model)}; it must be a name such as "Xenova/all-MiniLM-L6-v2"`);
  known("embedder", options, ["pooling", "normalize", "prefix", "batch", "pipeline", "transformers"]);
  const pooling = oneOf("pooling", options.pooling ?? "mean", POOLINGS);
  const normalize = flag("normalize", options.normalize ?? true);
  const batch = integer("batch", options.batch ?? 16, 1, 1 << 16);
  const { prefix = "", transformers = await imported() } = options;
  const extract = (await transformers.pipeline("feature-extraction", model, options.pipeline)) as Extract;

  const embedBatch = async (texts: readonly string[]): Promise<Float32Array[]> => {
    const { data, dims } = await extract(
      texts.map((text) => prefix + text),
      { pooling, normalize },
    );
    const [n, d] = dims;
    if (dims.length !== 2 || n !== texts.length)
      throw new VicinalError(
        "BAD_DIMENSION",
        `${model} was given ${texts.length} texts and made [${dims.join(", ")}] numbers; it must make one vector a text`,
      );
    return Array.from({ length: n }, (_, i) => Float32Array.from({ length: d }, (_, j) => data[i * d + j]));
  };
  const embed = async (texts: readonly string[], { signal }: { signal?: AbortSignal } = {}): Promise<Float32Array[]> => {
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += batch) {
      heed(signal);
      vectors.push(...(await embedBatch(texts.slice(from, from + batch))));
    }
    return vectors;
  };
  const [{ length: dimensions }] = await embedBatch(["dimensions"]);
  return Object.assign(embed, { dimensions });
}

async function imported(): Promise<Transformers> {
  try {
    return (await import("@huggingface/transformers" as string)) as Transformers;
  } catch (error) {
    throw new VicinalError("BAD_RUNTIME", `${PACKAGE} cannot be imported (${(error as Error).message}): npm install ${PACKAGE}`);
  }
}
