// What a page fetches: bundled by esbuild as ESM with code splitting, minified, gzip -9.
import { builtinModules } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

export const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/** Of a page with this script, gzipped: { js: the entry and its static imports, others: [{ path, bytes }] imported on demand }. */
export async function page(contents, resolveDir = root) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    external: ["node:*", ...builtinModules], // behind checks for Node
    loader: { ".wasm": "file" },
    outdir: "page",
    metafile: true,
    write: false,
    logLevel: "error",
    absWorkingDir: root,
    tsconfigRaw: {}, // tsconfig.json would lead "vicinal" to src/
  });
  const size = (path) => gzipped(outputFiles.find((file) => file.path.endsWith(path)).contents);
  const { outputs } = metafile;
  const first = Object.keys(outputs).find((path) => outputs[path].entryPoint === "<stdin>");
  const reached = (kinds) => {
    const all = new Set([first]);
    for (const path of all)
      for (const { path: to, kind } of outputs[path].imports) if (kinds.includes(kind) && outputs[to]) all.add(to);
    return [...all];
  };
  const fixed = reached(["import-statement", "file-loader"]);
  const others = reached(["import-statement", "dynamic-import", "file-loader"]).filter((path) => !fixed.includes(path));
  return { js: fixed.reduce((sum, path) => sum + size(path), 0), others: others.map((path) => ({ path, bytes: size(path) })) };
}

/** What each build has loaded beside it: src/border/clock.ts, and what trains. */
const ON_DEMAND = { core: /^$/, graph: /\bclock-/, full: /\bextras-/ };

/** Those of shared memory, 1 KB larger, are fetched where `threads` asks for them. */
const isWasm = ({ path }) => /(scalar|simd|relaxed)-/.test(path);

/**
 * vicinal's own: { js, onDemand: other JS, wasm: the largest of the builds, of which a page fetches one, together }. `wasm`
 * says which: "core" has Flat and Hnsw over f32, "graph" also the codecs that learn nothing, fastScan, atOnce and prefilter, "full" all else.
 */
export async function ownPage(names, kind, entry = "vicinal") {
  const { js, others } = await page(`import { ${names} } from "${entry}"; globalThis.app = [${names}];`);
  const builds = others.filter((other) => isWasm(other) && (other.path.match(/-(core|graph|whole)-/)?.[1] ?? "full") === kind);
  const onDemand = others.filter(({ path }) => ON_DEMAND[kind].test(path)).reduce((sum, { bytes }) => sum + bytes, 0);
  const wasm = Math.max(...builds.map(({ bytes }) => bytes));
  return { js, onDemand, wasm, together: js + onDemand + wasm };
}
