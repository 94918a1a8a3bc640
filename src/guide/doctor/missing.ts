// Why less is found than is wanted, or than was found once: too little effort, or what no effort brings back.
import { curveOf } from "../curve.js";
import { type Ask, measure, type Point } from "../measuring.js";
import type { Past } from "../past.js";
import type { Truth } from "../recall.js";
import type { Finding } from "./finding.js";

/** Less than was found then, beside what is chance: this much is told, though as much as is wanted is found. */
const FELL = 0.03;

/** Whether less is found than is wanted, and than was found then. */
export function lacks(now: Point, wanted: number, past: Past | undefined): { isLow: boolean; fell: boolean } {
  return {
    isLow: now.recall + now.error < wanted,
    fell: past !== undefined && now.recall + 2 * now.error < past.recall - FELL,
  };
}

/** `past`: of such queries and k. */
export async function missing(
  ask: Ask,
  now: Point,
  wanted: number,
  right: readonly Truth[],
  past: Past | undefined,
): Promise<Finding | undefined> {
  const { isLow, fell } = lacks(now, wanted, past);
  if (!isLow && !fell) return undefined;
  const goal = isLow || !past ? wanted : past.recall;
  const { effort: name, stats, calls, most } = ask.subject;
  const set = name ? Number(stats.options[name]) : 0;
  const { choice } = name
    ? await curveOf((effort) => measure(ask, effort, right), Math.min(Math.max(set, 1), most), most, goal)
    : { choice: { ...now, reached: false } };
  const then = past && { recallThen: past.recall, sizeThen: past.size, [`${name}Then`]: past.effort };
  const found = {
    severity: isLow ? ("problem" as const) : ("warning" as const),
    evidence: { recall: now.recall, low: now.low, high: now.high, size: stats.size, ...then },
  };
  const low = `recall@${ask.k} is ${now.recall.toFixed(3)} (${now.low.toFixed(3)} to ${now.high.toFixed(3)}), ${
    isLow ? `${wanted} is wanted` : ""
  }${past ? `${isLow ? "; " : ""}it was ${past.recall.toFixed(3)} with ${past.size} vectors${name ? ` and ${name} ${past.effort}` : ""}` : ""}`;
  if (choice.reached) {
    const effort = Number(choice.effort);
    return {
      ...found,
      name: "effort",
      evidence: { ...found.evidence, [`${name}`]: set, needed: effort, recallNeeded: choice.recall },
      cause: `${low}: ${name} ${set} is too low for ${stats.size} vectors`,
      advice: `${calls.tune(`{ recall: ${Number(goal.toFixed(3))}, k: ${ask.k} }`)}, or ${name}: ${effort} in searches`,
      brings: `recall ${choice.recall.toFixed(3)}, for ${(choice.p50Ms / now.p50Ms).toFixed(1)} times the time`,
    };
  }
  return {
    ...found,
    name: "codes",
    evidence: { ...found.evidence, best: choice.recall },
    cause: `${low}: no ${name ?? "effort"} finds more than ${choice.recall.toFixed(3)}, so what ${stats.codec} codes nominate lacks the rest`,
    advice: "create it with more candidates, rerank: { factor: 40 } or more, or with more bits a value",
    brings: "what the codes lose among the candidates",
  };
}
