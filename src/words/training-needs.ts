// What an index must see before it can learn.
import { CODEC_NAMES, CODECS, KIND_NAMES, METRIC_NAMES, METRICS } from "./kinds.js";
import { POINTS_PER_CENTROID } from "./limits.js";
import type { State } from "./state.js";

/** Lists of an Ivf that decides by itself, while it has seen nothing. */
const FIRST_LISTS = 64;

/** Vectors that the width of Lsh under l2 is learned from. */
const WIDTH_POINTS = 256;

/** Vectors that training needs at least, and how many it wants; 0 where nothing is learned. */
export function trainingNeeds(state: Pick<State, "kind" | "metric" | "codec" | "codeBits" | "nlist" | "width">): {
  needs: number;
  wants: number;
} {
  const kind = KIND_NAMES[state.kind];
  const codec = CODECS[CODEC_NAMES[state.codec]];
  const needs = [codec.needs(state.codeBits)];
  const wants = [codec.wants(state.codeBits)];
  if (kind === "ivf") {
    needs.push(state.nlist || 1);
    wants.push(POINTS_PER_CENTROID * (state.nlist || FIRST_LISTS));
  }
  if (kind === "lsh" && METRICS[METRIC_NAMES[state.metric]].cells && state.width === 0) {
    needs.push(1);
    wants.push(WIDTH_POINTS);
  }
  return { needs: Math.max(...needs), wants: Math.max(...wants) };
}
