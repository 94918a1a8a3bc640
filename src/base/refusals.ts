// Options that do not go together, in sentences.
import { badOption, type VicinalError } from "../words/errors.js";
import { CODEC_NAMES, DOT_METRICS, KIND_NAMES, KINDS, METRIC_NAMES } from "../words/kinds.js";
import type { State } from "../words/state.js";

/** For codes of neighbours, and a prefilter: codec and metric are no good. */
export function noEstimates({ prefilter, codec, metric }: State): VicinalError {
  const what = prefilter ? "prefilter is for f32 rows" : "fastScan is for rows of floats or sq8";
  const metrics = DOT_METRICS.join(", ");
  return badOption(`${what} under ${metrics}, not codec "${CODEC_NAMES[codec]}" under metric "${METRIC_NAMES[metric]}"`);
}

export function noTrainAt({ kind }: State): VicinalError {
  return badOption(`trainAt is for what learns; ${KINDS[KIND_NAMES[kind]].family} with this codec does not`);
}

export function noLinksAtOnce({ codec, metric }: State): VicinalError {
  const what = `codec "${CODEC_NAMES[codec]}" under metric "${METRIC_NAMES[metric]}"`;
  return badOption(`atOnce is not for ${what}: it is for what learns nothing, and not for l1`);
}
