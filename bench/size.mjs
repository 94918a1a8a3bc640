// What a page downloads, minified and gzipped: the entry with its static imports, and the largest of the wasm builds of which
// it fetches one; for everything also what is imported on demand beside the wasm.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import * as vicinal from "vicinal";
import { atMost, finish, whole } from "./result.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Which wasm build serves them: core is Flat and Hnsw over plain codecs, graph adds fastScan, full has all else. */
const PAGES = [
  { names: "Hnsw, Flat", wasm: "core", askedBytes: 35 * 1024 },
  { names: "Flat", wasm: "core" },
  { names: "Hnsw, Flat, load", wasm: "core" },
  { names: "Hnsw", title: "Hnsw with fastScan", wasm: "graph" },
  { names: "Ivf, load", wasm: "full" },
  { names: Object.keys(vicinal).join(", "), title: "everything", wasm: "full", askedBytes: 60 * 1024 },
];

const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;
const isWasm = (path) => /(scalar|simd|relaxed|threads)-/.test(path);

/** Gzipped bytes of { js: entry and static imports, onDemand: other JS, wasm: the largest chunk of its builds }. */
async function measure({ names, wasm: kind, ...page }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: `import { ${names} } from "vicinal"; globalThis.app = [${names}];`, resolveDir: root },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    outdir: "page",
    metafile: true,
    write: false,
    absWorkingDir: root,
    tsconfigRaw: {}, // tsconfig.json would lead "vicinal" to src/
  });
  const size = (path) => gzipped(outputFiles.find((file) => file.path.endsWith(path)).contents);
  const { outputs } = metafile;
  const first = Object.keys(outputs).find((path) => outputs[path].entryPoint === "<stdin>");
  const reached = (paths, kinds) => {
    const all = new Set(paths);
    for (const path of all) for (const { path: to, kind } of outputs[path].imports) if (kinds.includes(kind)) all.add(to);
    return [...all];
  };
  const fixed = reached([first], ["import-statement"]);
  const others = reached([first], ["import-statement", "dynamic-import"]).filter((path) => !fixed.includes(path));
  const sum = (paths) => paths.reduce((total, path) => total + size(path), 0);
  const builds = others.filter((path) => isWasm(path) && (path.match(/-(core|graph)-/)?.[1] ?? "full") === kind);
  const js = sum(fixed);
  const onDemand = kind === "full" ? sum(others.filter((path) => !isWasm(path))) : 0;
  const wasm = Math.max(...builds.map(size));
  return { title: `import { ${names} }`, ...page, js, onDemand, wasm, together: js + onDemand + wasm };
}

const pages = [];
for (const page of PAGES) pages.push(await measure(page));
const wasm = readdirSync(`${root}dist/wasm`)
  .filter((name) => name.endsWith(".wasm"))
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
