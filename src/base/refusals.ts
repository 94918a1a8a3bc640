// Options beside what is usual: whether they go together, and what follows from them.
import { badOption, type VicinalError } from "../words/errors.js";
import { CODEC_NAMES, DOT_METRICS, KIND_NAMES, KINDS, METRIC_NAMES } from "../words/kinds.js";
import { LIMITS } from "../words/limits.js";
import { integer } from "../words/options.js";
import type { State } from "../words/state.js";
import { trainingNeeds } from "../words/training-needs.js";

/** Of codes of neighbours, or a prefilter: codec and metric are no good. */
export function notTogether({ prefilter, codec, metric }: State): VicinalError {
  const given = `codec "${CODEC_NAMES[codec]}" under metric "${METRIC_NAMES[metric]}"`;
  const what = prefilter ? "prefilter is for f32 rows" : "fastScan is for rows of floats or sq8";
  return badOption(`${what} under ${DOT_METRICS.join(", ")}, not ${given}`);
}

/** How many vectors are to be there before one learns from them: as asked for, or as many as it wants; 0 where nothing is learned. */
export function trainAtOf(state: State, given: number | undefined): number {
  const { needs, wants } = trainingNeeds(state);
  if (given === undefined) return wants;
  if (wants) return integer("trainAt", given, Math.max(needs, 1), LIMITS.trainAt[1]);
  throw badOption(`trainAt is for what learns; ${KINDS[KIND_NAMES[state.kind]].family} with this codec does not`);
}
