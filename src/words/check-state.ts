// The options in a file pass the same door as a caller's.
import { bad } from "./errors.js";
import {
  CODEC_NAMES,
  CODECS,
  canEstimate,
  codecsOf,
  isLossy,
  KIND_NAMES,
  METRIC_NAMES,
  RERANK_NAMES,
  ROTATE_NAMES,
} from "./kinds.js";
import { HNSW, KNOBS, type Knob, type Knobs, type Range } from "./knobs.js";
import { LIMITS, MAX_SLOTS } from "./limits.js";
import { MOST_FACTOR } from "./rerank-option.js";
import { NONE, type State } from "./state.js";

const ZERO: Range = [0, 0];
const FLAG: Range = [0, 1];

/** Whether exact rows of this kind can stand beside the codes. */
function rerankIsSound({ rerank, rerankFactor, metric, codec }: State): boolean {
  const kept = RERANK_NAMES[rerank];
  if (kept === undefined || (kept !== "none" && !isLossy(CODEC_NAMES[codec], METRIC_NAMES[metric]))) return false;
  const rows = kept !== "none" && kept !== "caller";
  if (rows && CODECS[kept].fineness <= CODECS[CODEC_NAMES[codec]].fineness) return false;
  return (rows && rerankFactor === 0) || (rerankFactor >= 1 && rerankFactor <= MOST_FACTOR);
}

/** What an option of the family may have become; what it decides in training is 0 until then. */
function rangeOf({ range, real, choices, usual, metric }: Knob, state: State): Range {
  if (metric && metric !== METRIC_NAMES[state.metric]) return ZERO;
  if (choices) return [0, choices.length - 1];
  if (!range) return FLAG;
  if (typeof usual === "number") return range;
  const [least, most] = range;
  return [state.trained === 0 ? 0 : real ? Number.MIN_VALUE : least, Math.fround(most)];
}

/** What each number may be, given the family, metric and codec. */
function rangesOf(state: State): Readonly<Record<string, Range>> {
  const kind = KIND_NAMES[state.kind];
  const metric = METRIC_NAMES[state.metric];
  const codec = CODEC_NAMES[state.codec];
  const young = state.trained === 0;
  const pq = codec === "pq";
  const own = (has: boolean, range: Range): Range => (has ? range : ZERO);
  const ranges: Record<string, Range> = {};
  for (const knobs of Object.values<Knobs>(KNOBS)) {
    for (const [name, { field = name }] of Object.entries(knobs)) if (field in state) ranges[field] = ZERO;
  }
  Object.assign(ranges, { m: HNSW.m.range, efConstruction: HNSW.efConstruction.range, effort: [1, NONE] });
  for (const [name, knob] of Object.entries<Knob>(KNOBS[kind])) {
    const { field = name } = knob;
    if (field in state) ranges[field] = rangeOf(knob, state);
  }
  return {
    ...ranges,
    sharp: kind === "hnsw" && (codec === "f32" || codec === "sq8") ? FLAG : [1, 1],
    watched: [0, Number.MAX_VALUE],
    blurred: [0, Number.MAX_VALUE],
    trained: FLAG,
    trainAt: young ? LIMITS.trainAt : [0, LIMITS.trainAt[1]],
    coarseGraph: own(kind === "ivf", young ? ranges.coarseGraph : FLAG),
    pqM: own(pq, [1, state.dimensions]),
    codeBits: pq ? [4, 8] : own(codec === "rabitq", LIMITS.bits),
    rotate: pq ? [0, ROTATE_NAMES.length - 1] : own(codec === "rabitq", [1, 1]),
    symmetric: own(pq, FLAG),
    residual: own(pq && kind === "ivf", FLAG),
    fastScan: own(canEstimate(false, codec, metric), ranges.fastScan),
    prefilter: own(canEstimate(true, codec, metric), ranges.prefilter),
    pending: own(!young && state.atOnce + state.fastScan > 0, [0, MAX_SLOTS]),
    reconstruction: [0, Number.MAX_VALUE],
  };
}

/** Bytes of the tables that a file of this state must hold. */
function tableBytes({ kind, rotate, nlist, dimensions, trained }: State): number {
  if (!trained) return 0;
  const lists = KIND_NAMES[kind] === "ivf" ? 4 * nlist * dimensions : 0;
  return lists + (ROTATE_NAMES[rotate] === "opq" ? 4 * dimensions * dimensions : 0);
}

/** Throws where no index could have this state in a file of so many bytes. */
export function checkState(state: State, fileBytes: number): void {
  const kind = KIND_NAMES[state.kind];
  const metric = METRIC_NAMES[state.metric];
  const codec = CODEC_NAMES[state.codec];
  const names = kind !== undefined && metric !== undefined && codec !== undefined && codecsOf(kind, metric).includes(codec);
  const [least, most] = LIMITS.dimensions;
  let sound = names && state.dimensions >= least && state.dimensions <= most && rerankIsSound(state);
  if (sound) {
    for (const [name, range] of Object.entries(rangesOf(state))) {
      const value = state[name as keyof State];
      sound &&= value >= range[0] && value <= range[1];
    }
    if (codec === "pq") sound &&= state.codeBits !== 5 && state.codeBits !== 6 && state.codeBits !== 7;
  }
  if (!sound) throw bad("its options are none that this vicinal has");
  if (tableBytes(state) > fileBytes) throw bad("its tables do not fit in it");
}
