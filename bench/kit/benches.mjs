// All benches, in the order of bench/README.md.
export const BENCHES = [
  "micro",
  "hnsw",
  "speed",
  "insert",
  "grow",
  "flat",
  "families",
  "hard",
  "gates",
  "ivf",
  "reference",
  "load",
  "size",
];

/** About how long each takes where there is no run to go by. */
export const SECONDS = {
  micro: 120,
  hnsw: 140,
  speed: 600,
  insert: 30,
  grow: 240,
  filter: 1200,
  cliffs: 600,
  churn: 720,
  million: 700,
  flat: 80,
  families: 150,
  hard: 220,
  gates: 120,
  ivf: 80,
  reference: 90,
  load: 20,
  collection: 600,
  documents: 300,
  pool: 120,
  range: 600,
  nats: 150,
  hybrid: 240,
  tune: 1500,
  doctor: 400,
  plan: 300,
  race: 300,
  size: 5,
};

/** What `npm run bench` measures of them where it is not told which sets: all sets are more than its time allows. */
export const SHORT_SETS = { reference: ["siftsmall-128", "minilm-mix-384"] };

/** Not part of `npm run bench`, for their time: each by its own command, or `--only`. */
export const APART = [
  "filter",
  "cliffs",
  "churn",
  "million",
  "collection",
  "documents",
  "range",
  "nats",
  "hybrid",
  "tune",
  "doctor",
  "plan",
  "race",
  "peers",
];
