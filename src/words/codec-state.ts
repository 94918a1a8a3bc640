// The numbers that the `codec` option becomes, where one is given.
import type { CodecOption } from "./codec-option.js";
import { badOption, show } from "./errors.js";
import { CODEC_NAMES, codecsOf, type Kind, type Metric, ROTATE_NAMES } from "./kinds.js";
import { LIMITS } from "./limits.js";
import { flag, integer, known, oneOf } from "./options.js";
import type { State } from "./state.js";

/** `f32, f16 or sq8`. */
function alternatives(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** The codec's share of the state, checked. */
export function codecState(kind: Kind, metric: Metric, dimensions: number, option: CodecOption): Partial<State> {
  const codecs = codecsOf(kind, metric);
  const options: Record<string, unknown> = option !== null && typeof option === "object" ? { ...option } : { type: option };
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
