// What lists and codebooks tell: whether they were learned from other vectors than there are now, and whether lists are of one length.
import type { Learned } from "../learned.js";
import type { Past } from "../past.js";
import type { Calls } from "../subject.js";
import type { Finding } from "./finding.js";

/** Times as far as those they were learned from; of one distribution, ends of the ids stay within it in tests/guide. */
const DRIFTED = 1.15;

/** Where more of the vectors were learned from, ends of the ids say nothing: what was added in some order is not of one kind. */
const UNSEEN = 0.1;

type Ratio = readonly [ratio: number, of: string];

const over = (a: number, b: number): number => (b > 0 ? a / b : 1);
const FROM_CENTROID = "from its list's centroid";
const FROM_CODE = "from what its code says";

/** How much farther vectors lie than those of before did: than then, or where that is not known, late ones than early ones. */
function farther({ ends: [early, late], ...now }: Learned, past: Past | undefined, isSeen: boolean): Ratio {
  // Of a squared error the root, which is a distance.
  const compared = (a: Omit<Learned, "ends"> | typeof late, b: Past | typeof early): Ratio[] => [
    [over(a.toCentroid, b.toCentroid), FROM_CENTROID],
    [Math.sqrt(over(a.codingError, b.codingError)), FROM_CODE],
  ];
  const ratios = past ? compared(now, past) : isSeen ? [] : compared(late, early);
  return ratios.reduce((a, b) => (b[0] > a[0] ? b : a), [1, FROM_CENTROID]);
}

/** Whether what there is now lies farther from what was learned than what that was learned from. `learnedOn`: vectors, less two for each removed since. */
export function drift(now: Learned, past: Past | undefined, learnedOn: number, size: number, calls: Calls): Finding | undefined {
  const [ratio, of] = farther(now, past, learnedOn > (1 - UNSEEN) * size);
  if (ratio <= DRIFTED) return undefined;
  const [early, late] = now.ends;
  const which = past
    ? `a vector lies ${ratio.toFixed(2)} times as far ${of} as when there were ${past.size}`
    : `the last quarter of the ids lies ${ratio.toFixed(2)} times as far ${of} as the first`;
  return {
    name: "drift",
    severity: ratio > DRIFTED ** 2 ? "problem" : "warning",
    evidence: {
      ratio,
      ...{ toCentroidEarly: early.toCentroid, toCentroidLate: late.toCentroid },
      ...{ codingErrorEarly: early.codingError, codingErrorLate: late.codingError },
      ...(past && { toCentroidThen: past.toCentroid, codingErrorThen: past.codingError }),
      ...{ learnedOn, size },
    },
    cause: `${which}: ${now.lists ? `the ${now.lists} lists` : "codebooks"} were learned from others`,
    advice: calls.train,
    brings: "lists and codes for the vectors there are now: the recall there was, at the effort there was",
  };
}

/** Lists that k-means learns of the vectors they hold stay below this in tests/guide. */
const UNEVEN = 3;
/** Times what it was. */
const WORSE = 1.5;

export function unbalanced(now: Learned, past: Past | undefined, size: number, calls: Calls): Finding | undefined {
  const { imbalance, lists, longest, empty } = now;
  if (imbalance < UNEVEN || imbalance < WORSE * (past?.imbalance ?? 0)) return undefined;
  const mean = size / lists;
  return {
    name: "unbalanced",
    severity: "warning",
    evidence: { imbalance, lists, longest, mean, empty, ...(past && { imbalanceThen: past.imbalance }) },
    cause: `the longest of ${lists} lists has ${longest} vectors, ${(longest / mean).toFixed(0)} times the mean, and ${empty} have none: a list that is probed is ${imbalance.toFixed(1)} times as long as if all were of one length`,
    advice: `${calls.train}; then ${calls.tune("{ recall: 0.95 }")}`,
    brings: `searches that look at up to ${imbalance.toFixed(1)} times fewer vectors for as many lists`,
  };
}
