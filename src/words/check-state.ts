// The options in a file pass the same door as a caller's.
import { bad } from "./errors.js";
import {
  CODEC_NAMES,
  CODECS,
  codecsOf,
  isLossy,
  KIND_NAMES,
  keepsRows,
  METRIC_NAMES,
  RERANK_NAMES,
  ROTATE_NAMES,
} from "./kinds.js";
import { LIMITS } from "./limits.js";
import { MOST_FACTOR } from "./rerank-option.js";
import { NONE, type State } from "./state.js";

type Range = readonly [least: number, most: number];
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

/** What each number may be, given the family, metric and codec. */
function rangesOf(state: State): Partial<Record<keyof State, Range>> {
  const kind = KIND_NAMES[state.kind];
  const metric = METRIC_NAMES[state.metric];
  const codec = CODEC_NAMES[state.codec];
  const young = state.trained === 0;
  const pq = codec === "pq";
  const trees = kind === "kdtree" || kind === "forest";
  const ivf = kind === "ivf";
  const lsh = kind === "lsh";
  const own = (has: boolean, range: Range): Range => (has ? range : ZERO);
  return {
    m: LIMITS.m,
    efConstruction: LIMITS.efConstruction,
    effort: [1, NONE],
    mips: own(kind === "hnsw" && metric === "dot", FLAG),
    sharp: kind === "hnsw" && codec === "f32" ? FLAG : [1, 1],
    watched: [0, Number.MAX_VALUE],
    blurred: [0, Number.MAX_VALUE],
    trained: FLAG,
    trainAt: young ? [1, LIMITS.trainAt[1]] : [0, LIMITS.trainAt[1]],
    nlist: own(ivf, young ? [0, LIMITS.nlist[1]] : LIMITS.nlist),
    coarseGraph: own(ivf, young ? [0, 2] : FLAG),
    pqM: own(pq, [1, state.dimensions]),
    codeBits: pq ? [4, 8] : own(codec === "rabitq", LIMITS.bits),
    rotate: pq ? [0, ROTATE_NAMES.length - 1] : own(codec === "rabitq", [1, 1]),
    symmetric: own(pq, FLAG),
    residual: own(pq && ivf, FLAG),
    trees: lsh ? LIMITS.tables : own(kind === "forest", LIMITS.trees),
    leafSize: own(trees, LIMITS.leafSize),
    hashBits: own(lsh, LIMITS.hashBits),
    width: own(lsh && metric === "l2", [young ? 0 : Number.MIN_VALUE, LIMITS.width[1]]),
    fastScan: own(kind === "hnsw" && keepsRows(codec, metric), FLAG),
    prefilter: own(kind === "flat" && codec === "f32", FLAG),
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
