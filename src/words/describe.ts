// The options an index was created with, read back from its state.
import {
  CODEC_NAMES,
  type Codec,
  KIND_NAMES,
  KINDS,
  type Kind,
  METRIC_NAMES,
  METRICS,
  RERANK_NAMES,
  ROTATE_NAMES,
} from "./kinds.js";
import { rerankOptions } from "./rerank-option.js";
import { NONE, type State } from "./state.js";

export const MIPS_NAMES = ["native", "augment"] as const;
/** By state.coarseGraph. */
export const COARSE_NAMES = ["exact", "hnsw", "auto"] as const;

type Options = Record<string, number | string | boolean>;

function familyOptions(state: State): Options {
  const { leafSize, trees, hashBits: bits, width } = state;
  const { signed, cells } = METRICS[METRIC_NAMES[state.metric]];
  switch (KIND_NAMES[state.kind]) {
    case "flat":
      return state.prefilter ? { prefilter: true } : {};
    case "hnsw": {
      const { m, efConstruction, fastScan } = state;
      return {
        m,
        efConstruction,
        ...(fastScan && { fastScan: true }),
        ...(signed && { mips: MIPS_NAMES[state.mips] }),
      };
    }
    case "ivf":
      return { nlist: state.nlist || "auto", coarse: COARSE_NAMES[state.coarseGraph] };
    case "kdtree":
      return { leafSize };
    case "forest":
      return { trees, leafSize };
    case "lsh":
      return { tables: trees, bits, ...(cells && { width: width || "auto" }) };
  }
}

/** The family's options and what else `create` was given, by their names there. */
export function optionsOf(state: State): Options {
  const { effort } = KINDS[KIND_NAMES[state.kind]];
  const rerank = rerankOptions(state);
  return {
    seed: state.seed,
    ...(rerank && { rerank: rerank.fetchVectors ? "fetchVectors" : (rerank.codec as string), rerankFactor: rerank.factor }),
    ...familyOptions(state),
    ...(effort && { [effort]: state.effort === NONE ? Infinity : state.effort }),
    ...(state.trainAt && { trainAt: state.trainAt }),
  };
}

const CODEC_WORDS: Readonly<Partial<Record<Codec, string>>> = {
  f32: "Flat",
  f16: "SQfp16",
  bf16: "SQbf16",
  sq8: "SQ8",
  binary: "Binary",
};
const RERANK_WORDS: Readonly<Record<string, string>> = { f32: "RFlat", f16: "Refine(SQfp16)", sq8: "Refine(SQ8)" };
const TURN_WORDS = { none: "", random: "RR", opq: "OPQ" } as const;

function familyWord({ kind, m, fastScan, nlist, coarseGraph, leafSize, trees, hashBits }: State): string {
  const words: Readonly<Record<Kind, string>> = {
    flat: "",
    hnsw: `HNSW${m}${fastScan ? "fs" : ""}`,
    ivf: `IVF${nlist || ""}${COARSE_NAMES[coarseGraph] === "hnsw" ? "_HNSW" : ""}`,
    kdtree: `KDTree${leafSize}`,
    forest: `Forest${trees}`,
    lsh: `LSH${trees}x${hashBits}`,
  };
  return words[KIND_NAMES[kind]];
}

/** The index in the words of `factory`. */
export function wordsOf(state: State): string {
  const { pqM, codeBits, residual } = state;
  const codec = METRICS[METRIC_NAMES[state.metric]].packed ? "f32" : CODEC_NAMES[state.codec];
  const turn = TURN_WORDS[ROTATE_NAMES[state.rotate]];
  const pq = codec === "pq";
  const code = pq ? `PQ${pqM}x${codeBits}${residual && codeBits === 4 ? "fsr" : ""}` : `RaBitQ${codeBits}`;
  return [
    pq && turn === "OPQ" ? `OPQ${pqM}` : pq && turn,
    familyWord(state),
    state.prefilter ? "Flatpf" : (CODEC_WORDS[codec] ?? code),
    RERANK_WORDS[RERANK_NAMES[state.rerank]],
  ]
    .filter(Boolean)
    .join(",");
}
