// What a page downloads, minified and gzipped: the entry, its static imports, and the largest wasm variant's chunk.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { atMost, finish, whole } from "./result.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const IMPORTS = ["Hnsw, Flat", "Flat", "Hnsw, Flat, load"];
const ASKED_BYTES = 35 * 1024;

const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** Gzipped bytes of { js: entry and static imports, wasm: largest chunk behind a dynamic import }. */
async function page(names) {
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
  const fixed = new Set([first]);
  const onDemand = new Set();
  for (const path of fixed) {
    for (const { path: imported, kind } of outputs[path].imports) (kind === "dynamic-import" ? onDemand : fixed).add(imported);
  }
  const sum = [...fixed].reduce((total, path) => total + size(path), 0);
  return { names, js: sum, wasm: Math.max(...[...onDemand].map(size)) };
}

const pages = [];
for (const names of IMPORTS) pages.push(await page(names));
const wasm = readdirSync(`${root}dist/wasm`)
  .filter((name) => name.endsWith(".wasm"))
  .map((name) => ({ name, bytes: readFileSync(`${root}dist/wasm/${name}`) }));

finish("size", {
  tables: {
    size: {
      columns: ["gzip bytes", "JS", "largest wasm chunk", "together"],
      rows: pages.map(({ names, js, wasm }) => [`import { ${names} }`, whole(js), whole(wasm), whole(js + wasm)]),
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
  gates: [atMost("download of { Hnsw, Flat }, gzip bytes", pages[0].js + pages[0].wasm, ASKED_BYTES, whole)],
  data: pages,
});
