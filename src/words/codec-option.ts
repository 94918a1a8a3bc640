// The `codec` option, and what it was.
import { CODEC_NAMES, type Codec, KIND_NAMES, ROTATE_NAMES } from "./kinds.js";
import type { State } from "./state.js";

export interface PqOptions {
  type: "pq";
  /** Parts a vector is cut into, each one code: 1 to `dimensions`. Default dimensions / 4, with 4 bits dimensions / 2. */
  m?: number;
  /** Bits per code: 8 (256 centroids per part, looked up) or 4 (16, scanned 32 vectors at a time). Default 8. */
  bits?: 8 | 4;
  /** Turn the space first: "random" spreads the variance over the parts, "opq" learns how (Ge et al. 2013). Default "none". */
  rotate?: (typeof ROTATE_NAMES)[number];
  /** Round queries to their codes too. Less exact; default false. */
  symmetric?: boolean;
  /**
   * Ivf only: code what is left of a vector when its list's centroid is taken away, with tables per list. Default true
   * with 8 bits, false with 4, where one table for all lists is faster (as Faiss has it).
   */
  residual?: boolean;
}

export interface RabitqOptions {
  type: "rabitq";
  /** Bits per value, 1 to 8. Default 1. */
  bits?: number;
}

/** A codec by name, or with its options. */
export type CodecOption = Codec | PqOptions | RabitqOptions;

/** What `create` was given, as far as it is not in the codec's name. */
export function codecOptions(state: State): PqOptions | RabitqOptions | undefined {
  const codec = CODEC_NAMES[state.codec];
  if (codec === "rabitq") return { type: "rabitq", bits: state.codeBits };
  if (codec !== "pq") return undefined;
  const { pqM: m, codeBits, rotate, symmetric } = state;
  const residual = KIND_NAMES[state.kind] === "ivf" ? { residual: state.residual === 1 } : {};
  return { type: "pq", m, bits: codeBits as 8 | 4, rotate: ROTATE_NAMES[rotate], symmetric: symmetric === 1, ...residual };
}
