// Writes the golden files of the present format version and golden.json, what they answer: `node tests/file/golden/make.mjs`
// after a build. Only for a new kind, codec, metric or format version: a file that is here must load for ever, so existing ones
// are kept unless --force is given (before a version's first release).
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DIMENSIONS = 12;
const VERSION = 2;

/** Small integers and bits, so that every variant computes the same. */
function value(metric, i, j) {
  if (metric === "hamming") return (i * 7 + j * 3 + i * j) % 5 < 2 ? 1 : 0;
  return ((i * i * 7 + j * 13 + i * j * 5) % 41) - 20;
}
const row = (metric, i) => Array.from({ length: DIMENSIONS }, (_, j) => value(metric, i, j));
const rows = (metric, from, to) => Array.from({ length: to - from }, (_, i) => row(metric, from + i));

/** The index of a recipe: vectors, some of them removed, others added under ids of their own. */
export async function build(vicinal, { kind, metric, codec, own, crowd }) {
  const Family = Object.entries(vicinal).find(([name]) => name.toLowerCase() === kind)[1];
  const index = await Family.create({ dimensions: DIMENSIONS, metric, codec, seed: 7, ...own });
  index.add(rows(metric, 0, 100));
  for (let id = 3; id < 100; id += 3) index.remove(id);
  index.add(rows(metric, 100, 110), [5000, 3, 4294967294, 70000, 6, 12, 1000, 1001, 999, 9]);
  if (!crowd) return index;
  // So many around one place that lists part; then so few that groups of places belong to none.
  const near = Array.from({ length: crowd }, (_, i) => row(metric, 0).map((x, j) => x + ((i * (j + 1)) % 7) - 3));
  const ids = near.map((_, i) => 6000 + i);
  index.add(near, ids);
  index.remove(ids);
  return index;
}

/** What a recipe's index answers. */
export function answers(index, { metric }) {
  return [0, 57, 200].map((i) => {
    const query = row(metric, i);
    const hits = (options) => index.search(query, options).map(({ id, distance }) => [id, distance]);
    return { k5: hits({ k: 5 }), exact5: hits({ k: 5, exact: true }), even: hits({ k: 3, filter: (id) => id % 2 === 0 }) };
  });
}

const OWN = {
  hnsw: { m: 4, efConstruction: 20, ef: 20 },
  ivf: { nlist: 4, nprobe: 2, trainAt: 64 },
  kdtree: { leafSize: 8 },
  forest: { trees: 3, leafSize: 8, searchK: 40 },
  lsh: { tables: 4, bits: 6, probes: 4, width: 40 },
};
/** Each codec with a metric, and what it needs to learn from 64 vectors. */
const CODECS = [
  { metric: "l2", codec: "f32" },
  { metric: "l2", codec: "sq8" },
  { metric: "hamming", codec: "binary" },
  { metric: "l2", codec: "f16" },
  { metric: "l2", codec: "bf16" },
  { metric: "l2", codec: { type: "pq", m: 5, bits: 4, rotate: "random" }, own: { rerank: true, trainAt: 64 } },
  { metric: "l2", codec: { type: "rabitq", bits: 2 }, own: { rerank: { codec: "sq8" }, trainAt: 64 } },
];
/** Metrics without a codec of their own, over f32. */
const METRICS = { l1: ["flat", "hnsw", "forest"] };
const OTHERS = Object.entries(METRICS).flatMap(([metric, kinds]) =>
  kinds.map((kind) => ({ kind, metric, codec: "f32", own: OWN[kind] ?? {} })),
);
const RECIPES = ["flat", "hnsw", "ivf", "kdtree", "forest", "lsh"].flatMap((kind) =>
  CODECS.filter(({ metric, own }) => {
    if (metric === "hamming") return ["flat", "hnsw", "lsh"].includes(kind);
    return kind !== "kdtree" || !own;
  }).map(({ metric, codec, own }) => ({
    kind,
    metric,
    codec,
    own: { ...OWN[kind], ...(metric === "hamming" && kind === "lsh" && { width: undefined }), ...own },
  })),
);

/** Lists that have parted. */
const PARTED = { kind: "ivf", metric: "l2", codec: "f32", own: { ...OWN.ivf, nlist: 6 }, crowd: 72 };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const vicinal = await import("../../../dist/index.js");
  await vicinal.init({ variant: "simd" });
  const here = (name) => fileURLToPath(new URL(name, import.meta.url));
  const golden = existsSync(here("golden.json")) ? JSON.parse(readFileSync(here("golden.json"), "utf8")) : {};
  for (const recipe of [...RECIPES, ...OTHERS, PARTED]) {
    const end = recipe.crowd ? "-parted" : recipe.metric in METRICS ? `-${recipe.metric}` : "";
    const name = `v${VERSION}-${recipe.kind}-${recipe.codec.type ?? recipe.codec}${end}.vic`;
    if (existsSync(here(name)) && !process.argv.includes("--force")) continue;
    const index = await build(vicinal, recipe);
    writeFileSync(here(name), index.toBytes());
    golden[name] = { recipe, answers: answers(index, recipe) };
  }
  writeFileSync(here("golden.json"), `${JSON.stringify(golden, null, 1)}\n`);
}
