import type { IndexStats } from "./core.js";
import { count, figure } from "./print.js";

/** What is known of an index: of a damaged one, what its file says. */
export type Described = Pick<IndexStats, "kind" | "metric" | "codec" | "codecOptions" | "trained" | "options"> &
  Partial<IndexStats>;

/** An index as lines for people. */
export function describeIndex(index: Described): [name: string, value: string][] {
  const { kind, metric, codec, codecOptions, options, factory } = index;
  const { rerank, rerankFactor, ...others } = options;
  const { type: _, ...own } = { type: codec, ...(codecOptions as object | undefined) };
  const how = Object.keys(own).length ? ` (${listed(own)})` : "";
  const rows = rerank === "fetchVectors" ? "the caller's vectors" : `${rerank} rows`;
  const candidates = rerankFactor === "adaptive" ? "adaptive" : `${rerankFactor} candidates per result`;
  const structure = structureOf(index);
  return [
    ["index", `${kind}, ${metric}, ${codec}${how}${rerank === undefined ? "" : `, reranked by ${rows} (${candidates})`}`],
    ...(factory === undefined ? [] : [["factory", factory] as [string, string]]),
    ["options", listed(others)],
    ...(options.trainAt === undefined ? [] : [["trained", training(index)] as [string, string]]),
    ...(structure === undefined ? [] : [["structure", structure] as [string, string]]),
  ];
}

function listed(options: object): string {
  return Object.entries(options)
    .map(([name, value]) => `${name} ${shown(value)}`)
    .join(", ");
}

function shown(value: unknown): string {
  if (value === Number.POSITIVE_INFINITY) return "all";
  return typeof value === "number" && !Number.isInteger(value) ? figure(value) : String(value);
}

function training({ trained, options, error }: Described): string {
  if (!trained) return `not yet: searches are exact until it has seen ${count(Number(options.trainAt))} vectors`;
  return error === undefined ? "yes" : `yes, mean squared error of a vector ${figure(error)}`;
}

/** What the family has built. */
function structureOf({
  kind,
  trained,
  size,
  options,
  leaves,
  depth,
  levels,
  meanDegree,
  unreachable,
}: Described): string | undefined {
  if (!trained || size === undefined) return undefined;
  if (leaves !== undefined) return `${count(leaves)} leaves, at most ${depth} splits deep`;
  if (levels !== undefined) {
    const lost = unreachable === undefined ? "" : `, ${count(unreachable)} vectors out of reach`;
    return `${levels.length} layers, ${figure(meanDegree ?? 0)} links per vector on the lowest${lost}`;
  }
  if (kind === "ivf")
    return `${count(Number(options.nlist))} lists, ${figure(size / Number(options.nlist))} vectors in each on average`;
  return undefined;
}
