/** Of an index: assembly/base/key.ts. */
export const MAX_SLOTS = 2 ** 26 - 1;

/** What options may be: least and most. A file's options pass the same door. */
export const LIMITS = {
  dimensions: [1, 65536],
  m: [2, 512],
  efConstruction: [1, 65536],
  nlist: [1, 65536],
  /** rabitq. */
  bits: [1, 8],
  trees: [1, 1024],
  leafSize: [2, 4096],
  tables: [1, 256],
  hashBits: [1, 32],
  width: [1e-30, 1e30],
  /** Of one graph; assembly/family/graph/bulk/team.ts has room for 31 beside the first. */
  threads: [1, 32],
  trainAt: [1, MAX_SLOTS],
} as const satisfies Record<string, readonly [least: number, most: number]>;

/** Points per centroid below which k-means learns noise: as Faiss warns. */
export const POINTS_PER_CENTROID = 39;

/** nlist "auto": 4 sqrt(n), as far as `points` suffice to place so many centroids. */
export function listsFor(n: number, points: number): number {
  const [least, most] = LIMITS.nlist;
  return Math.max(Math.min(Math.round(4 * Math.sqrt(n)), Math.floor(points / POINTS_PER_CENTROID), most), least);
}
