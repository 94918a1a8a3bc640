// What the suites run on: cases from the tables of src/words/kinds.ts.
import v8 from "node:v8";
import type {
  CodecOption,
  FlatOptions,
  ForestOptions,
  HnswOptions,
  IndexOptions,
  IvfOptions,
  KdTreeOptions,
  LshOptions,
  SearchOptions,
  VectorIndex,
} from "vicinal";
import * as vicinal from "vicinal";
import {
  CODEC_NAMES,
  CODECS,
  type Codec,
  canEstimate,
  codecsOf,
  combinations,
  isLossy,
  KIND_NAMES,
  KINDS,
  type Kind,
  METRICS,
  type Metric,
} from "../../src/words/kinds.js";
import { learnedFrom } from "./data.js";

export const VARIANTS = ["scalar", "simd", "relaxed", "threads"] as const;

/** Node 20 has relaxed SIMD behind a flag, which must be set before the first module is compiled. */
export function allowRelaxed(): void {
  if (Number(process.versions.node.split(".")[0]) < 21) v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
}
if (["relaxed", "threads"].includes(process.env.VICINAL_VARIANT ?? "")) allowRelaxed();

type Family = { create(options: IndexOptions): Promise<VectorIndex> };

/** The class of each kind: `Hnsw` for "hnsw". */
export const FAMILIES = Object.fromEntries(
  KIND_NAMES.map((kind) => [kind, Object.entries(vicinal).find(([name]) => name.toLowerCase() === kind)?.[1]]),
) as unknown as Readonly<Record<Kind, Family>>;

/** Options of any family. */
export type AnyOptions = FlatOptions & HnswOptions & IvfOptions & KdTreeOptions & ForestOptions & LshOptions;

export function create(kind: Kind, options: AnyOptions): Promise<VectorIndex> {
  return FAMILIES[kind].create(options);
}

/** Own options of a family that build fast, for tests with many vectors. */
export const QUICK: Readonly<Partial<Record<Kind, Partial<HnswOptions>>>> = { hnsw: { m: 4, efConstruction: 16 } };

/** Kinds whose plain search misses nothing. */
export const EXACT_KINDS: readonly Kind[] = ["flat", "kdtree"];
/** Codecs that keep every vector as it was given, so that there is nothing to re-score. */
const LOSSLESS: readonly Codec[] = ["f32", "binary"];

export interface Case {
  readonly name: string;
  readonly kind: Kind;
  readonly metric: Metric;
  readonly codec: Codec;
  readonly rerank: boolean;
  /** What rows are stored in: the codec, before it has learned f32. */
  readonly holds: Codec;
  /** For `create`; dimensions are still to be given. */
  readonly options: Omit<AnyOptions, "dimensions">;
  /** Plain search misses nothing. */
  readonly exact: boolean;
  /** With these search options it misses nothing either. */
  readonly thorough: SearchOptions | undefined;
  /** Of plain search where it may miss something: the least mean recall over the queries of a test. */
  readonly recall: number;
  /** Has to train before it is what it is. */
  readonly learns: boolean;
  /** The same bytes however calls are cut: each vector is put in its place by itself. */
  readonly cutsAlike: boolean;
  /** Removed vectors keep their places until nothing links to them any more. */
  readonly lingers: boolean;
  /**
   * Codes that distances cannot be told from in advance: a scan says them, each within this share of the largest vectors' size of
   * the distance to get(id), and every other way to search must say the very same.
   */
  readonly estimates: number | undefined;
}

/** Own options of a family that change how it works, beside the defaults. */
function variations(kind: Kind, metric: Metric, codec: Codec): Partial<AnyOptions>[] {
  if (kind === "flat" && canEstimate(true, codec, metric)) return [{}, { prefilter: true }];
  if (kind !== "hnsw" || !canEstimate(false, codec, metric)) return [{}];
  const graphs: Partial<HnswOptions>[] = metric === "dot" ? [{ mips: "native" }, { mips: "augment" }] : [{}];
  return [...graphs, ...graphs.map((own) => ({ ...own, fastScan: true }))];
}

/** The combinations of which every metric is run through all suites. */
export const TESTED = combinations().filter(
  ({ kind, metric, codec }) => ["flat", "hnsw"].includes(kind) && (metric === "hamming" || ["f32", "sq8"].includes(codec)),
);

/** Every kind x metric x codec x rerank of them. */
export const CASES: readonly Case[] = TESTED.flatMap(({ kind, metric, codec }) =>
  (LOSSLESS.includes(codec) ? [false] : [false, true]).flatMap((rerank) =>
    variations(kind, metric, codec).map((own) => ({
      name: [
        ...[kind, metric, codec, ...(rerank ? ["rerank"] : []), own.mips],
        ...[own.fastScan && "fastScan", own.prefilter && "prefilter"],
      ]
        .filter(Boolean)
        .join(" "),
      kind,
      metric,
      codec,
      rerank,
      holds: codec,
      options: { metric, codec, ...(rerank && { rerank }), ...own },
      exact: EXACT_KINDS.includes(kind),
      thorough: undefined,
      recall: 0.97, // measured 0.99 to 1: 300 vectors are few, so a graph may miss almost none
      learns: false,
      cutsAlike: true,
      lingers: kind === "hnsw",
      estimates: undefined,
    })),
  ),
);

/** What makes a family of few vectors search a part of them, and how it searches them all. */
const PARTIAL: Readonly<Record<Kind, { own: object; thorough?: SearchOptions; recall: number; cutsAlike: boolean }>> = {
  flat: { own: {}, recall: 1, cutsAlike: true },
  hnsw: { own: {}, recall: 0.95, cutsAlike: true },
  ivf: { own: { nlist: 8, nprobe: 4 }, thorough: { nprobe: 8 }, recall: 0.55, cutsAlike: true },
  kdtree: { own: { leafSize: 8 }, recall: 1, cutsAlike: false },
  forest: { own: { trees: 4, leafSize: 16, searchK: 200 }, thorough: { searchK: 1e6 }, recall: 0.8, cutsAlike: false },
  lsh: { own: { tables: 8, bits: 6, probes: 8 }, thorough: { probes: 64 }, recall: 0.75, cutsAlike: true },
};

/** Under l2 Lsh learns how wide its cells are, and no number of probes reaches all of them. */
const ofWidth = (kind: Kind, metric: Metric): boolean => kind === "lsh" && metric === "l2";

/** Options of a codec with its share of `estimates`: of 4 bits the tables of a scan are of 8 bits themselves. */
function codes(codec: Codec, kind: Kind): { name: string; option: CodecOption; estimates?: number }[] {
  if (codec === "pq") {
    return [
      { name: "pq 4", option: { type: "pq", bits: 4 }, estimates: ["flat", "ivf"].includes(kind) ? 0.02 : 2e-6 },
      { name: "pq 8", option: { type: "pq", bits: 8 }, estimates: 2e-6 },
    ];
  }
  return codec === "rabitq"
    ? [{ name: "rabitq 4", option: { type: "rabitq", bits: 4 }, estimates: 0.05 }]
    : [{ name: codec, option: codec }];
}

/** What holds of a case that learns before it has: everything is scanned, as it was given. */
export function untrained(of: Case): Case {
  return {
    ...of,
    ...{ holds: "f32", learns: false, exact: true, cutsAlike: true, lingers: false, rerank: false },
    ...{ thorough: undefined, estimates: undefined },
  };
}

/** The same with vectors that are never enough. */
function waiting(of: Case): Case {
  return { ...untrained(of), name: `${of.name} untrained`, options: { ...of.options, trainAt: 100_000 } };
}

/**
 * Every other family x codec, under metrics in turn, and under each that only the full build has; what learns, before and
 * after.
 */
export const OTHER_CASES: readonly Case[] = KIND_NAMES.flatMap((kind, i) =>
  CODEC_NAMES.flatMap((codec, j) => {
    const had = KINDS[kind].metrics.filter((metric) => codecsOf(kind, metric).includes(codec));
    const isTested = (metric: Metric): boolean =>
      TESTED.some((one) => one.kind === kind && one.codec === codec && one.metric === metric);
    const common = had.filter((metric) => !METRICS[metric].full);
    const turns = had.flatMap((metric) => (METRICS[metric].full ? [[metric]] : metric === common[0] ? [common] : []));
    return turns.flatMap((metrics) => {
      const metric = metrics[(i + j) % metrics.length];
      if (metrics.some(isTested)) return [];
      const { own, thorough, recall, cutsAlike } = PARTIAL[kind];
      const trains = ["pq", "rabitq"].includes(codec);
      const coarse = trains || codec === "binary";
      return codes(codec, kind).flatMap(({ name, option, estimates }, code) => {
        const of = (rerank: boolean, metric: Metric): Case => ({
          name: [kind, metric, name, ...(rerank ? ["rerank"] : [])].join(" "),
          ...{ kind, metric, codec, rerank, holds: codec, learns: kind === "ivf" || trains || ofWidth(kind, metric), cutsAlike },
          options: {
            ...{ metric, codec: option, ...own },
            ...(ofWidth(kind, metric) && { tables: 16, bits: 3 }),
            ...(rerank && { rerank, ...(coarse && kind === "hnsw" && { ef: 300 }) }),
          } as Case["options"],
          // Codes may fail to nominate what exact rows would put first.
          exact: EXACT_KINDS.includes(kind) && !(rerank && coarse),
          thorough: (rerank && coarse) || ofWidth(kind, metric) ? undefined : thorough,
          recall: (ofWidth(kind, metric) ? 0.45 : recall) * (rerank && coarse ? 0.75 : 1),
          lingers: kind === "hnsw",
          estimates: rerank ? undefined : estimates,
        });
        // Exact rows beside codes under another metric, so that each family has had them all.
        const next = metrics[(i + j + 1) % metrics.length];
        const plain = of(false, metric);
        // Before it has learned, one codec is as another.
        const waits = code === 0 && (trains || (kind === "ivf" && codec === "f32") || ofWidth(kind, metric));
        return [plain, ...(code === 0 && isLossy(codec, next) ? [of(true, next)] : []), ...(waits ? [waiting(plain)] : [])];
      });
    });
  }),
);

/** Graphs that are linked at once by what only the full builds have. */
const AT_ONCE: readonly Case[] = [...CASES, ...OTHER_CASES]
  .filter(({ kind, metric, codec }) => kind === "hnsw" && (METRICS[metric].full ? codec === "f32" : CODECS[codec].full))
  .map((of) => ({ ...of, name: `${of.name} atOnce`, options: { ...of.options, atOnce: true } }));

export const EVERY_CASE: readonly Case[] = [...CASES, ...OTHER_CASES, ...AT_ONCE];

const learned = new Map<string, Uint8Array>();

/** An index of this case that has learned, where it learns: the first of its options does, the others come from its file. */
export async function open(of: Case, dimensions: number, more: Partial<AnyOptions> = {}): Promise<VectorIndex> {
  const options = { dimensions, ...of.options, ...more };
  if (!of.learns) return create(of.kind, options);
  const key = JSON.stringify([of.kind, options]);
  const file = learned.get(key);
  if (file) return vicinal.load(file);
  const index = await create(of.kind, options);
  await index.train(learnedFrom(of.metric, dimensions));
  learned.set(key, index.toBytes());
  return index;
}

/** Kind x codec, each with a metric whose distances are exact on integers. */
export const KINDS_AND_CODECS = TESTED.filter(({ kind, metric, codec }) => {
  return TESTED.find((one) => one.kind === kind && one.codec === codec)?.metric === metric;
});

/** Kind x codec of every family, each with one metric; graphs with the codes of neighbours and scans with a prefilter as well. */
export const EVERY_KIND_AND_CODEC: readonly {
  name: string;
  kind: Kind;
  metric: Metric;
  codec: Codec;
  own: Partial<AnyOptions>;
}[] = [
  ...combinations()
    .filter(({ kind, metric, codec }, _, all) => all.find((one) => one.kind === kind && one.codec === codec)?.metric === metric)
    .map((one) => ({ name: `${one.kind} ${one.codec}`, ...one, own: {} })),
  ...(["f32", "sq8"] as const).map((codec) => ({
    ...({ name: `hnsw ${codec} fastScan`, kind: "hnsw", metric: "l2", codec, own: { fastScan: true } } as const),
  })),
  { name: "flat f32 prefilter", kind: "flat", metric: "l2", codec: "f32", own: { prefilter: true } },
];
