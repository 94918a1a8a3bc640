import {
  type Codec,
  type CodecOption,
  Flat,
  Forest,
  factory,
  Hnsw,
  type Index,
  Ivf,
  KdTree,
  type Kind,
  Lsh,
  METRICS,
  type Metric,
  type RerankOptions,
} from "./core.js";
import { UsageError } from "./errors.js";
import { codecFlag, codecValues, type Flags, familyValues } from "./knobs.js";

/** What `build` was told of the index. */
export interface Wanted {
  readonly index?: Kind;
  readonly codec?: Codec;
  readonly factory?: string;
  readonly metric: Metric;
  readonly rerank?: true | number | "adaptive";
  readonly rerankCodec?: RerankOptions["codec"];
  readonly seed?: number;
  readonly trainAt?: number;
}

export const DEFAULT_KIND: Kind = "hnsw";
const FAMILIES = { flat: Flat, hnsw: Hnsw, ivf: Ivf, kdtree: KdTree, forest: Forest, lsh: Lsh } as const;

type Family = { create(options: unknown): Promise<Index> };

/** Refuses flags that contradict each other. */
export function checkWanted(wanted: Wanted & Flags): void {
  if (wanted.factory === undefined) return void optionsFor(wanted, kindOf(wanted));
  const saysTwice = { "--index": wanted.index, "--codec": wanted.codec, "--rerank-codec": wanted.rerankCodec };
  const flag = Object.entries(saysTwice).find(([, value]) => value !== undefined)?.[0] ?? codecFlag(wanted);
  if (flag !== undefined) throw new UsageError(`give either --factory or ${flag}: the description says family, codec and rows`);
}

/** An empty index; `total` is how many vectors will come, where that is known. */
export async function create(dimensions: number, total: number | undefined, wanted: Wanted & Flags): Promise<Index> {
  const { metric, seed, trainAt } = wanted;
  const common = { dimensions, metric, seed, trainAt, ...rerankFor(wanted) };
  const described = wanted.factory?.split(",").some((word) => word.trim().startsWith("IVF"));
  const expected = (described ?? kindOf(wanted) === "ivf") && total !== undefined ? { expected: total } : {};
  const index =
    wanted.factory === undefined
      ? await (FAMILIES[kindOf(wanted)] as Family).create({ ...common, ...expected, ...optionsFor(wanted, kindOf(wanted)) })
      : await factory(wanted.factory, { ...common, ...expected, ...familyValues(wanted, undefined) });
  if ("rerank" in common && !index.rerank) {
    throw new UsageError(
      `--rerank is for codecs that lose something: ${index.codec} under ${metric} keeps every vector as it is`,
    );
  }
  return index;
}

function kindOf({ index }: Wanted): Kind {
  return index ?? DEFAULT_KIND;
}

/** The family's own options and the codec. */
function optionsFor(wanted: Wanted & Flags, kind: Kind): Record<string, unknown> {
  const { codec = METRICS[wanted.metric].codecs[0] } = wanted;
  const own = codecValues(wanted, codec);
  const option = Object.keys(own).length ? ({ type: codec, ...own } as CodecOption) : codec;
  return { ...familyValues(wanted, kind), codec: option };
}

function rerankFor({ rerank, rerankCodec: codec }: Wanted): { rerank?: RerankOptions } {
  if (rerank === undefined && codec === undefined) return {};
  return { rerank: { ...(codec && { codec }), ...(rerank !== true && { factor: rerank }) } };
}
