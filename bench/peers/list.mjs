// Who is measured: { name, adapter: a file here, packages, how, ... }; their parameters are those of peers.mjs.
//   refuses({ n, d, metric })   why a set is not for it
//   efforts                     other than those of peers.mjs; [0] where searches are exact
//   options                     for the adapter's open()
//   absent: { version, why }    it does not install, and stands in no package.json
//   page, assets                what a page imports, and files of the packages that it fetches by URL; none of an addon for Node

/** vicinal's own rows: another is another line. `wasm`: the build it runs on, by default the core. */
export const OWN = [
  { name: "vicinal Hnsw f32", options: {} },
  { name: "vicinal Hnsw f32, fastScan", options: { fastScan: true }, wasm: "graph" },
  { name: "vicinal Hnsw sq8, rerank", options: { codec: "sq8", rerank: true } },
];

const atMost = (rows, why) => (set) =>
  set.n > rows ? `${why}, not run on more than ${rows.toLocaleString("en")} rows` : undefined;
const cosineOnly = (then) => (set) => (set.metric === "cosine" ? then?.(set) : "cosine alone");

export const PEERS = [
  {
    name: "usearch",
    packages: ["usearch"],
    how: "f32, one thread, prebuilt addon",
  },
  {
    name: "hnswlib-node",
    packages: ["hnswlib-node"],
    how: "f32, compiled at npm ci",
  },
  {
    name: "hnswlib-wasm",
    packages: ["hnswlib-wasm"],
    how: "f32",
    page: `import { loadHnswlib } from "hnswlib-wasm"; globalThis.app = loadHnswlib;`,
  },
  {
    name: "edgevec",
    packages: ["edgevec"],
    how: `f32, M0 32, metric "l2" (its "cosine" finds the farthest)`,
    refuses: (set) => (set.metric === "dot" ? `its "dot" finds the farthest` : undefined),
    efforts: [10, 20, 50, 100, 200, 400],
    page: `import init, { EdgeVec, EdgeVecConfig } from "edgevec"; globalThis.app = [init, EdgeVec, EdgeVecConfig];`,
    assets: ["edgevec/edgevec_bg.wasm"],
  },
  {
    name: "mememo",
    packages: ["mememo"],
    how: "JS, f64, in memory, cosine-normalized",
    refuses: cosineOnly(atMost(20000, "too slow")),
    page: `import { HNSW } from "mememo"; globalThis.app = HNSW;`,
  },
  {
    name: "pglite + pgvector",
    adapter: "pglite",
    packages: ["@electric-sql/pglite", "@electric-sql/pglite-pgvector"],
    how: "hnsw index, Postgres in memory",
    refuses: atMost(20000, "too slow"),
    page: `import { PGlite } from "@electric-sql/pglite"; import { vector } from "@electric-sql/pglite-pgvector";
      globalThis.app = [PGlite, vector];`,
    assets: [
      ...["pglite.wasm", "pglite.data", "initdb.wasm"].map((name) => `@electric-sql/pglite/dist/${name}`),
      "@electric-sql/pglite-pgvector/dist/vector.tar.gz",
    ],
  },
  {
    name: "@ruvector/core",
    adapter: "ruvector",
    packages: ["@ruvector/core"],
    how: "efSearch 100 when it is made (its search() ignores it), one thread, prebuilt addon, a file",
    refuses: (set) => (set.metric === "dot" ? 'its "DotProduct" answers anything, at score 0' : undefined),
    options: { ef: 100 },
    efforts: [100],
  },
  {
    name: "zvec",
    packages: ["@zvec/zvec"],
    how: "f32, one thread, prebuilt addon, a folder",
  },
  {
    name: "lancedb",
    packages: ["@lancedb/lancedb"],
    how: "IVF_HNSW_SQ of one partition, refined twice, prebuilt addon, a folder",
  },
  {
    name: "sqlite-vec",
    packages: ["sqlite-vec", "better-sqlite3"],
    how: "scan, exact, prebuilt addons, in memory",
    refuses: (set) => (set.metric === "dot" ? "no dot" : undefined),
    efforts: [0],
  },
  {
    name: "@ruvector/wasm",
    adapter: "ruvector-wasm",
    packages: ["@ruvector/wasm"],
    how: "scan, exact",
    refuses: atMost(20000, "too slow"),
    efforts: [0],
    page: `import init, { VectorDB } from "@ruvector/wasm"; globalThis.app = [init, VectorDB];`,
    assets: ["@ruvector/wasm/pkg/ruvector_wasm_bg.wasm"],
  },
  {
    name: "faiss-node",
    packages: ["faiss-node"],
    how: "-",
    absent: {
      version: "0.5.1",
      why: "npm install: getaddrinfo ENOTFOUND github.com, where its addon is, and FAISS to compile",
    },
  },
  {
    name: "voy-search",
    packages: ["voy-search"],
    how: "k-d tree, exact",
    refuses: (set) => {
      if (set.metric === "dot") return "l2 alone";
      return set.d > 768 ? "at most 768 dimensions" : atMost(20000, "too slow")(set);
    },
    efforts: [0],
    page: `import { Voy } from "voy-search"; globalThis.app = Voy;`,
  },
  {
    name: "orama",
    packages: ["@orama/orama"],
    how: "JS, scan, exact",
    refuses: cosineOnly(atMost(20000, "too slow")),
    efforts: [0],
    page: `import { create, insertMultiple, search } from "@orama/orama"; globalThis.app = [create, insertMultiple, search];`,
  },
];
