// The `codec` option and the numbers it becomes.
import { badOption, show } from "./errors.js";
import { CODEC_NAMES, type Codec, codecsOf, KIND_NAMES, type Kind, type Metric, ROTATE_NAMES } from "./kinds.js";
import { LIMITS } from "./limits.js";
import { flag, integer, known, oneOf } from "./options.js";
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

/** `f32, f16 or sq8`. */
function alternatives(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** The codec's share of the state, checked. */
export function codecState(kind: Kind, metric: Metric, dimensions: number, option: CodecOption | undefined): Partial<State> {
  const codecs = codecsOf(kind, metric);
  const given = option ?? codecs[0];
  const options: Record<string, unknown> = given !== null && typeof given === "object" ? { ...given } : { type: given };
  const codec = oneOf("codec", options.type, CODEC_NAMES);
  if (!codecs.includes(codec)) {
    const verb = codecs.length > 1 ? "do" : "does";
    throw badOption(`codec ${show(codec)} does not go with metric ${show(metric)} in ${kind}; ${alternatives(codecs)} ${verb}`);
  }
  const own = codec === "pq" ? pqState(kind, options, dimensions) : codec === "rabitq" ? rabitqState(options) : {};
  if (codec !== "pq" && codec !== "rabitq") known(`codec ${codec}`, options, ["type"]);
  return { codec: CODEC_NAMES.indexOf(codec), ...own };
}

function pqState(kind: Kind, options: Record<string, unknown>, dimensions: number): Partial<State> {
  known("codec pq", options, ["type", "m", "bits", "rotate", "symmetric", "residual"]);
  const codeBits = options.bits ?? 8;
  if (codeBits !== 8 && codeBits !== 4) throw badOption(`bits is ${show(codeBits)}; pq has 8 or 4`);
  if (options.residual !== undefined && kind !== "ivf") {
    throw badOption(`residual is for Ivf, whose lists have centroids; ${kind} has none`);
  }
  const share = codeBits === 8 ? 4 : 2;
  return {
    pqM: integer("m", options.m ?? Math.max(Math.round(dimensions / share), 1), 1, dimensions),
    codeBits,
    rotate: ROTATE_NAMES.indexOf(oneOf("rotate", options.rotate ?? "none", ROTATE_NAMES)),
    symmetric: flag("symmetric", options.symmetric) ? 1 : 0,
    residual: kind === "ivf" && flag("residual", options.residual ?? codeBits === 8) ? 1 : 0,
  };
}

function rabitqState(options: Record<string, unknown>): Partial<State> {
  known("codec rabitq", options, ["type", "bits"]);
  return { codeBits: integer("bits", options.bits ?? 1, ...LIMITS.bits), rotate: ROTATE_NAMES.indexOf("random") };
}

/** What `create` was given, as far as it is not in the codec's name. */
export function codecOptions(state: State): PqOptions | RabitqOptions | undefined {
  const codec = CODEC_NAMES[state.codec];
  if (codec === "rabitq") return { type: "rabitq", bits: state.codeBits };
  if (codec !== "pq") return undefined;
  const { pqM: m, codeBits, rotate, symmetric } = state;
  const residual = KIND_NAMES[state.kind] === "ivf" ? { residual: state.residual === 1 } : {};
  return { type: "pq", m, bits: codeBits as 8 | 4, rotate: ROTATE_NAMES[rotate], symmetric: symmetric === 1, ...residual };
}
