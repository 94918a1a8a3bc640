// The vocabulary as tables. A row's place is its number in the file and in assembly/codes.ts: append, never reorder.
// The suites iterate over these, so a new row is tested without new test code.

export const METRIC_NAMES = ["l2", "cosine", "dot", "hamming"] as const;
export const CODEC_NAMES = ["f32", "sq8", "binary"] as const;
export const KIND_NAMES = ["flat", "hnsw"] as const;

/** l2 = Euclidean distance; cosine = 1 - cos; dot = -<q, v>; hamming = differing bits. Smaller is nearer in each. */
export type Metric = (typeof METRIC_NAMES)[number];
/** How rows are stored: f32 exact; sq8 one byte per value; binary one bit (metric hamming, and only there). */
export type Codec = (typeof CODEC_NAMES)[number];
export type Kind = (typeof KIND_NAMES)[number];

export interface MetricRow {
  /** A kernel's number (l2 is squared there) as the distance users see. */
  readonly distance: (raw: number) => number;
  /** The inverse, for radii. */
  readonly raw: (distance: number) => number;
  readonly codecs: readonly Codec[];
  /** The definition in plain JS, in f64: what every kernel is tested against. */
  readonly exact: (a: ArrayLike<number>, b: ArrayLike<number>) => number;
}

const same = (x: number): number => x;

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export const METRICS: Readonly<Record<Metric, MetricRow>> = {
  l2: {
    distance: Math.sqrt,
    raw: (distance) => distance * distance,
    codecs: ["f32", "sq8"],
    exact: (a, b) => {
      let sum = 0;
      for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
      return Math.sqrt(sum);
    },
  },
  cosine: {
    distance: same,
    raw: same,
    codecs: ["f32", "sq8"],
    exact: (a, b) => {
      const norms = Math.sqrt(dot(a, a) * dot(b, b));
      return norms === 0 ? 1 : 1 - dot(a, b) / norms;
    },
  },
  dot: { distance: same, raw: same, codecs: ["f32", "sq8"], exact: (a, b) => -dot(a, b) },
  hamming: {
    distance: same,
    raw: same,
    codecs: ["binary"],
    exact: (a, b) => {
      let sum = 0;
      for (let i = 0; i < a.length; i++) if (a[i] > 0 !== b[i] > 0) sum++;
      return sum;
    },
  },
};
