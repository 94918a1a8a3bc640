// What a graph finds on a hard set, held against the exact answers of the same index. All by distance: of several that are equally
// near any will do, and so where codes nominate and cannot tell them apart.
import { Hnsw } from "vicinal";

const K = 10;
const EF = 100;
/** Wide enough that what is not found has no way to it. */
const WIDE = 1000;
const ROWS_ASKED = 200;
/** How much more than the exact distance counts as the same. */
const ROUNDING = 1e-5;

export const HARD_METRICS = {
  l2: { metric: "l2" },
  cosine: { metric: "cosine" },
  dot: { metric: "dot" },
  "dot, augment": { metric: "dot", mips: "augment" },
};

const inPieces = (size) => (index, rows) => {
  for (let from = 0; from < rows.length; from += size) index.add(rows.slice(from, from + size));
};
const atOnce = (index, rows) => index.add(rows);

async function thirdRemoved(index, rows) {
  index.add(rows);
  // Not every third, which a grid could share.
  index.remove([...rows.keys()].filter((id) => Math.imul(id + 1, 0x9e3779b9) >>> 0 < 2 ** 32 / 3));
  await index.compact();
}

/** What others are held against. */
export const YARDSTICK = "f32 one by one";
export const HARD_LAYOUTS = {
  [YARDSTICK]: { options: {}, fill: inPieces(1) },
  "fast at once": { options: { fastScan: true }, fill: atOnce },
  "fast in hundreds": { options: { fastScan: true }, fill: inPieces(100) },
  "fast one by one": { options: { fastScan: true }, fill: inPieces(1) },
  "fast compacted": { options: { fastScan: true }, fill: thirdRemoved },
  "sq8 rerank": { options: { codec: "sq8", rerank: true }, fill: atOnce },
  sq8: { options: { codec: "sq8" }, fill: atOnce },
  f16: { options: { codec: "f16" }, fill: atOnce },
};

/** The gates, worst of all draws. */
export const HARD_GATES = { recall: 0.97, below: 0.01, blind: 0, unreachable: 0 };

const lengthOf = (row) => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));

/** sq8: a value is off by half of this at most; under cosine that of the unit row. */
function stepOf(row, metric) {
  const length = metric === "cosine" ? lengthOf(row) || 1 : 1;
  return (Math.max(...row) - Math.min(...row)) / 255 / length;
}

/**
 * How far past the exact order sq8 nominates: an error of step / sqrt(12) a value moves a row by sqrt(d) of that, its product with
 * a unit query by that itself. Two rows are compared; of products, which no average evens out, three deviations.
 */
const BLUR = {
  l2: (step, query) => step * Math.sqrt(query.length / 6),
  cosine: (step) => step * Math.sqrt(1.5),
  dot: (step, query) => step * Math.sqrt(1.5) * lengthOf(query),
};

/** By query, the farthest that still counts as one of the k nearest. */
function boundsOf(index, rows, queries, k, longest) {
  const { ids, distances } = index.searchBatch(queries, { k, exact: true });
  return queries.map((query, q) => {
    const last = distances[(q + 1) * k - 1];
    // What f32 can tell apart near 0: sums of products cancel, differences do not.
    const least = { l2: 1e-12, cosine: 1e-6, dot: 1e-6 * lengthOf(query) * longest }[index.metric];
    const blur = index.rerank ? BLUR[index.metric](stepOf(rows[ids[(q + 1) * k - 1]], index.metric), query) : 0;
    return last + ROUNDING * Math.abs(last) + least + blur;
  });
}

/** By query, how many of the k answers are near enough. */
function right(index, queries, bounds, k, ef) {
  const { distances } = index.searchBatch(queries, { k, ef });
  return bounds.map((bound, q) => distances.subarray(q * k, (q + 1) * k).filter((distance) => distance <= bound).length);
}

/**
 * { recall } at k 10 and ef 100; { blind }: queries that find nothing right at ef 1,000; { lost }: of up to 200 rows asked for
 * their nearest at ef 100, which is a row itself or an equal one but under dot, how many do not find it; { unreachable } vectors.
 */
export async function measureHard({ dimensions, rows, queries }, layout, metric) {
  const { options, fill } = HARD_LAYOUTS[layout];
  const index = await Hnsw.create({ dimensions, ...HARD_METRICS[metric], ...options });
  await fill(index, rows);
  const longest = Math.max(...rows.map(lengthOf));
  const bounds = boundsOf(index, rows, queries, K, longest);
  const ids = [...index.ids()];
  const step = Math.max(ids.length / ROWS_ASKED, 1);
  const asked = Array.from({ length: Math.min(ROWS_ASKED, ids.length) }, (_, i) => rows[ids[Math.floor(i * step)]]);
  const found = right(index, queries, bounds, K, EF);
  const result = {
    recall: found.reduce((sum, n) => sum + n, 0) / (K * queries.length),
    blind: right(index, queries, bounds, K, WIDE).filter((n) => n === 0).length,
    lost: right(index, asked, boundsOf(index, rows, asked, 1, longest), 1, EF).filter((n) => n === 0).length,
    unreachable: index.stats().unreachable,
  };
  index.close();
  return result;
}
