// What is found, in one form.

/** Of a problem searches suffer now; a warning is what will become one, or may be meant; a note is good to know. */
export type Severity = "problem" | "warning" | "note";

export type FindingName =
  | "untrained" // it waits for more vectors to learn from: all searches are scans
  | "effort" // more effort would find what is missed
  | "starved" // vectors that few links lead to: searches for themselves miss them
  | "filter" // searches by a filter find less than others, or fewer than k
  | "unbalanced" // some lists are far longer than others
  | "codes" // no effort does: what codes or lists have lost
  | "drift" // lists were learned from other vectors than came since
  | "unreachable" // vectors that no walk can reach
  | "streamed" // what came one by one is linked less well than what was linked at once
  | "removed" // places of removed vectors
  | "replicas" // shards that nobody answers for
  | "refused" // changes that no replica could make
  | "duplicates" // equal vectors crowd answers
  | "metric" // lengths say something that the metric does not hear
  | "queries"; // queries lie elsewhere than the vectors

export interface Finding {
  name: FindingName;
  severity: Severity;
  /** Measured. */
  evidence: Record<string, number>;
  /** The likely cause, in a sentence with values. */
  cause: string;
  /** A call to make. */
  advice: string;
  /** What that would bring, as far as it is known. */
  brings: string;
}

const ORDER: readonly Severity[] = ["problem", "warning", "note"];
/** Of one severity, what the others may follow from comes first. */
const CAUSES: readonly FindingName[] = [
  "replicas",
  "untrained",
  "unreachable",
  "drift",
  "unbalanced",
  "starved",
  "streamed",
  "effort",
  "filter",
  "codes",
  "queries",
  "removed",
  "refused",
  "metric",
  "duplicates",
];

export function sorted(findings: readonly Finding[]): Finding[] {
  const place = ({ severity, name }: Finding): number => ORDER.indexOf(severity) * CAUSES.length + CAUSES.indexOf(name);
  return findings.toSorted((a, b) => place(a) - place(b));
}

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
