// The options an index was created with, read back from its state.
import { CODEC_NAMES, type Codec, KIND_NAMES, type Kind, METRIC_NAMES, METRICS, RERANK_NAMES, ROTATE_NAMES } from "./kinds.js";
import { COARSE_NAMES, type Knobs, optionsFrom } from "./knobs.js";
import { rerankOptions } from "./rerank-option.js";
import type { State } from "./state.js";

/** The family's options and what else `create` was given, by their names there. */
export function optionsOf(state: State, knobs: Knobs): Record<string, number | string | boolean> {
  const rerank = rerankOptions(state);
  return {
    seed: state.seed,
    ...(rerank && { rerank: rerank.fetchVectors ? "fetchVectors" : (rerank.codec as string), rerankFactor: rerank.factor }),
    ...optionsFrom(knobs, METRIC_NAMES[state.metric], state),
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
