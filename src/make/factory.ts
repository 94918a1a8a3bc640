// Indices in Faiss's words (https://github.com/facebookresearch/faiss/wiki/The-index-factory): a pre-transform, the family,
// the codec, the rerank, by commas.

import { dimensionsOf, type IndexOptions, metricOf } from "../base/create.js";
import type { VectorIndex } from "../base/vector-index.js";
import { CLASSES } from "../family/classes.js";
import type { FlatOptions } from "../family/flat.js";
import type { ForestOptions } from "../family/forest.js";
import type { HnswOptions } from "../family/hnsw.js";
import type { IvfOptions } from "../family/ivf.js";
import type { KdTreeOptions } from "../family/kdtree.js";
import type { LshOptions } from "../family/lsh.js";
import type { CodecOption } from "../words/codec-option.js";
import { badOption, show } from "../words/errors.js";
import { type Kind, METRICS } from "../words/kinds.js";

/** Options of `create` that the description does not say: dimensions, metric, and the family's own. */
export type FactoryOptions = Omit<IndexOptions, "codec"> &
  Omit<FlatOptions & HnswOptions & IvfOptions & KdTreeOptions & ForestOptions & LshOptions, keyof IndexOptions>;

/** What the words so far have said. */
interface Said {
  kind?: Kind;
  own: Record<string, unknown>;
  codec?: CodecOption;
  rotate?: "opq" | "random";
  /** Parts that an OPQ was given. */
  parts?: number;
  rerank?: "f32" | "f16" | "sq8";
  needsCosine?: boolean;
}

/** One word: how it is written, and what it says. `undefined` from `say`: it does not fit here. */
interface Word {
  readonly form: string;
  readonly pattern: RegExp;
  readonly say: (said: Said, match: RegExpMatchArray, dimensions: number) => boolean;
}

const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
const isFree = (said: Said): boolean => said.kind === undefined && said.codec === undefined;

function family(said: Said, kind: Kind, own: Record<string, unknown>): boolean {
  if (!isFree(said) || said.rerank) return false;
  said.kind = kind;
  for (const [name, value] of Object.entries(own)) if (value !== undefined) said.own[name] = value;
  return true;
}

function codec(said: Said, option: CodecOption): boolean {
  if (said.codec !== undefined || said.rerank) return false;
  said.codec = option;
  return true;
}

function rerank(said: Said, kept: "f32" | "f16" | "sq8"): boolean {
  if (said.codec === undefined || said.rerank) return false;
  said.rerank = kept;
  return true;
}

const CODES = { Flat: "f32", SQ8: "sq8", SQfp16: "f16", SQbf16: "bf16", Binary: "binary" } as const;
const KEPT = { Flat: "f32", SQ8: "sq8", SQfp16: "f16" } as const;

const WORDS: readonly Word[] = [
  { form: "IDMap", pattern: /^IDMap2?$/, say: isFree },
  {
    form: "L2norm",
    pattern: /^L2norm$/i,
    say: (said) => isFree(said) && (said.needsCosine = true),
  },
  {
    form: "OPQ<m>[_<d>]",
    pattern: /^OPQ(\d+)(?:_(\d+))?$/,
    say(said, [, m, d], dimensions) {
      if (!isFree(said) || said.rotate) return false;
      if (d !== undefined && Number(d) !== dimensions) {
        throw badOption(`OPQ${m}_${d}: vicinal keeps all ${dimensions} dimensions`);
      }
      said.rotate = "opq";
      said.parts = Number(m);
      return true;
    },
  },
  {
    form: "RR",
    pattern: /^RR$/,
    say: (said) => isFree(said) && !said.rotate && (said.rotate = "random") !== undefined,
  },
  {
    form: "IVF<nlist>[_HNSW<m>]",
    pattern: /^IVF(\d+)?(?:_HNSW(?:\d+)?)?$/,
    say: (said, [word, n]) => family(said, "ivf", { nlist: number(n), coarse: word.includes("_") ? "hnsw" : undefined }),
  },
  {
    form: "HNSW<m>[fs][_PQ<m>]",
    pattern: /^HNSW(\d+)?(fs)?(?:_(PQ\d+\w*))?$/,
    say(said, [, m, fs, pq], dimensions) {
      if (!family(said, "hnsw", { m: number(m), fastScan: fs && true })) return false;
      return pq === undefined || sayWord(said, pq, dimensions);
    },
  },
  {
    form: "KDTree[<leaf size>]",
    pattern: /^KDTree(\d+)?$/i,
    say: (said, [, leafSize]) => family(said, "kdtree", { leafSize: number(leafSize) }),
  },
  {
    form: "Forest<trees>",
    pattern: /^Forest(\d+)?$/i,
    say: (said, [, trees]) => family(said, "forest", { trees: number(trees) }),
  },
  {
    form: "LSH<tables>x<bits>",
    pattern: /^LSH(?:(\d+)x(\d+))?$/i,
    say: (said, [, tables, bits]) => family(said, "lsh", { tables: number(tables), bits: number(bits) }),
  },
  {
    form: "Flatpf",
    pattern: /^Flatpf$/,
    say: (said) => isFree(said) && codec(said, "f32") && (said.own.prefilter = true),
  },
  {
    form: "Flat, SQ8, SQfp16, SQbf16, Binary",
    pattern: /^(Flat|SQ8|SQfp16|SQbf16|Binary)$/,
    say: (said, [, name]) => codec(said, CODES[name as keyof typeof CODES]),
  },
  {
    form: "PQ<m>[x<bits>]",
    pattern: /^PQ(\d+)(?:x(4|8))?(np)?(fs[r]?)?$/,
    say(said, [, m, bits, , fastScan]) {
      if (fastScan && bits !== "4") throw badOption(`PQ${m}fs: fast-scan is for 4 bits, PQ${m}x4fs`);
      if (fastScan === "fsr" && said.kind !== "ivf") throw badOption(`PQ${m}x4fsr: residuals are for IVF`);
      const residual = fastScan === "fsr" ? { residual: true } : {};
      return codec(said, { type: "pq", m: Number(m), bits: bits === "4" ? 4 : 8, ...residual });
    },
  },
  {
    form: "RaBitQ[<bits>]",
    pattern: /^RaBitQ(\d)?$/i,
    say: (said, [, bits]) => codec(said, { type: "rabitq", bits: number(bits) ?? 1 }),
  },
  { form: "RFlat", pattern: /^RFlat$/, say: (said) => rerank(said, "f32") },
  {
    form: "Refine(Flat|SQ8|SQfp16)",
    pattern: /^Refine\((Flat|SQ8|SQfp16)\)$/,
    say: (said, [, kept]) => rerank(said, KEPT[kept as keyof typeof KEPT]),
  },
];

function sayWord(said: Said, text: string, dimensions: number): boolean {
  for (const { pattern, say } of WORDS) {
    const match = text.match(pattern);
    if (!match) continue;
    if (say(said, match, dimensions)) return true;
    throw badOption(`${show(text)} is misplaced: pre-transform, family, codec, rerank is the order`);
  }
  const forms = WORDS.map(({ form }) => form).join(", ");
  throw badOption(`${show(text)} is no word of an index description; there are ${forms}`);
}

/** The codec as said, turned as said. */
function turned({ codec: said, rotate, parts }: Said): CodecOption | undefined {
  if (rotate === undefined) return said;
  const isPq = typeof said === "object" && said.type === "pq";
  if (rotate === "random" && typeof said === "object" && said.type === "rabitq") return said;
  if (!isPq) throw badOption(`${rotate === "opq" ? "OPQ" : "RR"} is for PQ, and there is none`);
  if (parts !== undefined && parts !== said.m) {
    throw badOption(`OPQ${parts} and PQ${said.m} must cut vectors into as many parts`);
  }
  return { ...said, rotate };
}

type Family = { create(options: unknown): Promise<VectorIndex> };

/**
 * An index from a description such as "IVF1024,PQ48x4,RFlat", "HNSW32,SQ8" or "OPQ16,IVF256,PQ16". Errors: BAD_OPTION,
 * naming the word.
 */
export async function factory(description: string, options: FactoryOptions): Promise<VectorIndex> {
  if (typeof description !== "string") {
    throw badOption(`a description is a string such as "IVF1024,PQ48x4,RFlat", not ${show(description)}`);
  }
  if (options === null || typeof options !== "object") {
    throw badOption(`factory takes an object of options, not ${show(options)}`);
  }
  if ("codec" in options) throw badOption('factory has no option "codec": the description says it');
  const dimensions = dimensionsOf(options);
  const said: Said = { own: {} };
  for (const word of description.split(",")) sayWord(said, word.trim(), dimensions);
  const kind = said.kind ?? "flat";
  const metric = metricOf(kind, options);
  if (said.needsCosine && !METRICS[metric].unit) {
    throw badOption(`L2norm makes unit vectors: that is metric "cosine", not "${metric}"`);
  }
  // Under hamming "Flat" is the bits themselves.
  const codec = METRICS[metric].packed && said.codec === "f32" ? "binary" : turned(said);
  const twice = Object.keys(said.own).find((name) => said.own[name] !== undefined && name in options);
  if (twice) throw badOption(`${twice} is said twice: by ${show(description)} and by the options`);
  const { rerank } = options;
  const how =
    typeof rerank === "number" ? { factor: rerank } : rerank !== null && typeof rerank === "object" ? rerank : undefined;
  return (CLASSES[kind] as Family).create({
    ...options,
    ...said.own,
    ...(codec !== undefined && { codec }),
    ...(said.rerank && { rerank: { ...how, codec: said.rerank } }),
  });
}
