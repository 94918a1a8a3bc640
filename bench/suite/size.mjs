// What a page downloads, minified and gzipped: the entry with its static imports, and the largest of the wasm builds of which
// it fetches one; for everything also what is imported on demand beside the wasm.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import * as vicinal from "vicinal";
import { gzipped, ownPage } from "../kit/page.mjs";
import { atMost, finish, whole } from "../kit/result.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Which wasm build serves them: core is Flat and Hnsw over f32, graph adds the codecs that learn nothing, fastScan, atOnce and prefilter, full has all else. */
const PAGES = [
  { names: "Hnsw, Flat", wasm: "core", askedBytes: 33_700 },
  { names: "Flat", wasm: "core" },
  { names: "Hnsw, Flat, load", wasm: "core" },
  { names: "Hnsw", title: "Hnsw with fastScan", wasm: "graph", askedBytes: 57 * 1024 },
  { names: "Ivf, load", wasm: "full" },
  { names: "Collection", entry: "vicinal/collection", wasm: "core", askedBytes: 62 * 1024 },
  { names: Object.keys(vicinal).join(", "), title: "everything", wasm: "full", askedBytes: 76 * 1024 },
];

const pages = [];
for (const { names, entry, wasm, title = `import { ${names} }`, askedBytes } of PAGES) {
  pages.push({ title, askedBytes, ...(await ownPage(names, wasm, entry)) });
}
const wasm = readdirSync(`${root}dist/wasm`)
  .filter((name) => name.endsWith(".wasm") && name !== "checked.wasm")
  .map((name) => ({ name, bytes: readFileSync(`${root}dist/wasm/${name}`) }));

finish("size", {
  tables: {
    size: {
      columns: ["gzip bytes", "JS", "JS on demand", "largest wasm chunk", "together"],
      rows: pages.map(({ title, js, onDemand, wasm, together }) => [title, ...[js, onDemand, wasm, together].map(whole)]),
    },
    "size-wasm": {
      columns: ["wasm", "bytes", "gzip", "brotli"],
      rows: wasm.map(({ name, bytes }) => [
        name,
        whole(bytes.length),
        whole(gzipped(bytes)),
        whole(brotliCompressSync(bytes).length),
      ]),
    },
  },
  gates: pages.flatMap(({ title, askedBytes, together }) =>
    askedBytes ? [atMost(`download of ${title.replace("import ", "")}, gzip bytes`, together, askedBytes, whole)] : [],
  ),
  data: pages,
});
