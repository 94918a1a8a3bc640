// The documents of bench:collection: vectors in clusters, ids of 20 characters, four fields. The same in every run.

export const DIMENSIONS = 160;
export const FIELDS = { lang: "keyword", year: "number", tags: "keyword[]", flag: "boolean" };
const CLUSTERS = 1000;

function randomOf(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

/** { documents, queries }: n documents, and vectors near to some of them. */
export function madeDocuments(n, queries) {
  const random = randomOf(5);
  const centre = () => Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);
  const centres = Array.from({ length: CLUSTERS }, centre);
  const near = (to, spread) => Float32Array.from(to, (x) => x + spread * (random() + random() + random() - 1.5));
  const skewed = (many) => Math.floor(random() * random() * many);
  const documents = Array.from({ length: n }, (_, i) => ({
    id: `document-${String(i).padStart(11, "0")}`,
    vector: near(centres[Math.floor(random() * CLUSTERS)], 0.5),
    data: {
      lang: `l${skewed(12)}`,
      year: 1980 + Math.floor(45 * random()),
      tags: Array.from({ length: Math.floor(5 * random()) }, () => `t${skewed(200)}`),
      flag: random() < 0.3,
    },
  }));
  return { documents, queries: Array.from({ length: queries }, () => near(documents[Math.floor(random() * n)].vector, 0.2)) };
}

/** A condition that some 8 % of the documents meet, and whether one does. */
export const WHERE = { lang: { $in: ["l0", "l1"] }, year: { $gte: 1990, $lt: 2000 } };
export const meets = ({ lang, year }) => (lang === "l0" || lang === "l1") && year >= 1990 && year < 2000;
