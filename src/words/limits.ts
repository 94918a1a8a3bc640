/** Of an index: assembly/base/key.ts. */
export const MAX_SLOTS = 2 ** 26 - 1;

/** What options of every family may be: least and most; knobs.ts has each one's own. */
export const LIMITS = {
  dimensions: [1, 65536],
  /** rabitq. */
  bits: [1, 8],
  trainAt: [1, MAX_SLOTS],
} as const satisfies Record<string, readonly [least: number, most: number]>;

/** Points per centroid below which k-means learns noise: as Faiss warns. */
export const POINTS_PER_CENTROID = 39;
