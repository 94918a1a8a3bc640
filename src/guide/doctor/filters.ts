// Whether searches by a filter find as much as others do, and as many.
import { curveOf } from "../curve.js";
import { type Ask, exactly, measure, type Point } from "../measuring.js";
import { type Truth, truthOf } from "../recall.js";
import type { AnyFilter } from "../subject.js";
import { type Finding, percent } from "./finding.js";

/** How much less of the truth is a finding, where others find more than is wanted. */
const LESS = 0.03;

/** What searches by a filter find, when others find so much. */
export async function filtered(
  ask: Ask,
  filter: number | AnyFilter,
  seed: number,
  others: Point,
  wanted: number,
): Promise<Finding[]> {
  const ready = await ask.subject.filter(filter, seed);
  try {
    const own: Ask = { ...ask, options: ready.options };
    const right = (await exactly(own)).map(truthOf);
    const now = await measure(own, undefined, right);
    const findings = [short(ask, ready.share), await less(own, now, right, ready.share, others, wanted)];
    return findings.filter((one) => one !== undefined);
  } finally {
    await ready.done();
  }
}

/** Fewer pass than are asked for. */
function short({ subject, k }: Ask, share: number | undefined): Finding | undefined {
  const passing = share === undefined ? k : Math.round(share * subject.size);
  if (passing >= Math.min(k, subject.size)) return undefined;
  return {
    name: "filter",
    severity: "warning",
    evidence: { passing, k, size: subject.size },
    cause: `${passing} of ${subject.size} vectors pass the filter, and ${k} are asked for: answers are short`,
    advice: `a filter that passes more, or k: ${Math.max(passing, 1)}`,
    brings: "answers as long as is asked",
  };
}

async function less(
  own: Ask,
  now: Point,
  right: readonly Truth[],
  share: number | undefined,
  others: Point,
  wanted: number,
): Promise<Finding | undefined> {
  if (now.recall + now.error >= Math.min(wanted, others.recall - LESS)) return undefined;
  const { effort: name, stats, most } = own.subject;
  const set = name ? Math.max(Number(stats.options[name]), 1) : 0;
  const { choice } = name
    ? await curveOf((effort) => measure(own, effort, right), Math.min(set, most), most, Math.min(wanted, others.recall))
    : { choice: { ...now, reached: false } };
  const among = share === undefined ? "what passes the filter" : `the ${percent(share)} that pass`;
  const then: Record<string, number> = choice.reached ? { needed: Number(choice.effort) } : { best: choice.recall };
  return {
    name: "filter",
    severity: now.recall + now.error < wanted ? "problem" : "warning",
    evidence: {
      ...{ recall: now.recall, unfiltered: others.recall },
      ...(share !== undefined && { share }),
      ...(name && { [name]: set }),
      ...then,
    },
    cause: `of the nearest among ${among} searches find ${now.recall.toFixed(3)}, and ${others.recall.toFixed(3)} without a filter: ${
      choice.reached ? `${name} ${set} meets too few of them` : `${stats.codec} codes tell them apart less well`
    }`,
    advice: choice.reached ? `${name}: ${choice.effort} in searches by it` : "exact: true in searches by it",
    brings: `recall ${(choice.reached ? choice.recall : 1).toFixed(3)} of what passes`,
  };
}
