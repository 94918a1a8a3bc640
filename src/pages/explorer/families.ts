// The indices that are compared: their words for `factory`, and what formulas know of them.
import { DESIGNS, type Design, listsOf } from "../../guide/plan/laws.js";
import { DOT_METRICS, type Metric } from "../../words/kinds.js";

export interface Family {
  readonly id: string;
  readonly name: string;
  /** In the words of `factory`; undefined where it needs more dimensions. */
  readonly factory: (n: number, dimensions: number) => string | undefined;
  readonly options?: Readonly<Record<string, unknown>>;
  /** The least effort that is measured. */
  readonly least: number;
  /** What `plan` knows of it; undefined where it has no formulas. */
  readonly design: Design | undefined;
}

const designOf = (begins: string): Design | undefined => DESIGNS.find(({ factory }) => factory(64, 100).startsWith(begins));
const byLists = (word: (dimensions: number) => string) => (n: number, dimensions: number) =>
  dimensions < 4 ? undefined : `IVF${listsOf(n)},${word(dimensions)}`;
const pq = (dimensions: number): string => `PQ${dimensions >> 1}x4`;
const RAW = designOf("Flat");

export const FAMILIES: readonly Family[] = [
  { id: "flat", name: "Flat", factory: () => "Flat", least: 1, design: RAW },
  { id: "hnsw-fs", name: "HNSW fast-scan", factory: () => "HNSW16fs,Flat", least: 10, design: designOf("HNSW16fs") },
  {
    id: "hnsw",
    name: "HNSW",
    factory: () => "HNSW16,Flat",
    options: { atOnce: true },
    least: 10,
    design: designOf("HNSW16,Flat"),
  },
  // Lists of raw rows: the law of lists, and rows as long as those of a scan.
  { id: "ivf", name: "IVF", factory: byLists(() => "Flat"), least: 1, design: RAW && { ...RAW, way: "lists" } },
  { id: "ivf-pq", name: "IVF-PQ", factory: byLists(pq), least: 1, design: DESIGNS.at(-1) },
  {
    id: "ivf-pq-rerank",
    name: "IVF-PQ, re-ranked",
    factory: byLists((dimensions) => `${pq(dimensions)},RFlat`),
    least: 1,
    design: DESIGNS.find(({ factory }) => factory(64, 100) === "IVF100,PQ32x4,RFlat"),
  },
  { id: "kdtree", name: "kd-tree", factory: () => "KDTree", least: 2, design: undefined },
  { id: "forest", name: "forest", factory: () => "Forest16", least: 64, design: undefined },
  { id: "lsh", name: "LSH", factory: () => "LSH16x12", least: 1, design: undefined },
];

export const METRICS_OFFERED: readonly Metric[] = DOT_METRICS;

export function familyOf(id: string): Family {
  const family = FAMILIES.find((one) => one.id === id);
  if (!family) throw new Error(`no family ${id}`);
  return family;
}
