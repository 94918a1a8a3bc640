// src/ and dist/wasm/ become what is imported: index.js, node.js and static.js (ESM), the same as .cjs, cli.js.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "esbuild";
import { writeExplorer } from "./explorer.mjs";
import { textOf } from "./text.mjs";

const text = (name) => textOf(readFileSync(`dist/wasm/${name}.wasm`));

/** `import("vicinal-wasm:simd")`: the bytes themselves. */
const embedded = {
  name: "embedded-wasm",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vicinal-wasm:/ }, ({ path }) => ({ path: path.split(":")[1], namespace: "wasm" }));
    onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => ({ contents: `export default "${text(path)}";` }));
  },
};

/** The same: a file that has them. */
const wasmBeside = {
  name: "wasm-beside",
  setup({ onResolve }) {
    onResolve({ filter: /^vicinal-wasm:/ }, ({ path }) => ({ path: `./wasm/${path.split(":")[1]}.cjs`, external: true }));
  },
};

/** node.js is but a few functions on top of index.js. */
const indexBeside = (extension) => ({
  name: "index-beside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/index\.js$/, namespace: "file" }, ({ importer }) =>
      importer.endsWith("node.ts") ? { path: `./index${extension}`, external: true } : undefined,
    );
  },
});

/** static.js is one file: its builds are in it, and what is imported when it is needed is imported at once. */
const allInside = {
  name: "all-inside",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/builds\.js$/ }, () => ({ path: resolve("src/border/builds-static.ts") }));
    onLoad({ filter: /\/src\/.*\.ts$/ }, ({ path }) => {
      const imports = [];
      const contents = readFileSync(path, "utf8").replaceAll(/(?<!typeof )\bimport\((".*?")\)/g, (_, from) => {
        imports.push(`\nimport * as part${imports.length} from ${from};`);
        return `Promise.resolve(part${imports.length - 1})`;
      });
      return { contents: contents + imports.join(""), loader: "ts" };
    });
  },
};

/** The command line runs on the package's own entries. */
const coreBeside = {
  name: "core-beside",
  setup({ onResolve }) {
    onResolve(
      { filter: /\/(index|node|collection|range|guide|interop|storage-node|nats-cluster|nats-replica)\.js$/ },
      ({ path, importer }) =>
        path.startsWith("../") && importer.includes("/src/cli/")
          ? { path: `./${path.split("/").at(-1)}`, external: true }
          : undefined,
    );
  },
};

/** Packages that readers of files import from beside, when they are needed. */
const FORMATS = ["apache-arrow", "h5wasm", "hyparquet", "hyparquet-compressors"];
/** Imported from beside the package, where the user has them. */
const FOREIGN = ["@nats-io/*", "@langchain/core/*", "@llamaindex/core/*", "@huggingface/transformers"];

const common = { bundle: true, target: "es2022", logLevel: "warning", legalComments: "inline", metafile: true, outdir: "dist" };
const esm = {
  ...common,
  format: "esm",
  platform: "neutral",
  external: ["node:*", ...FOREIGN, ...FORMATS],
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  mainFields: ["module", "main"],
  conditions: ["import"],
};

/** In a worker that is a text: the thread that has made it is asked for the wasm, and no other such worker is made there. */
const inText = {
  name: "in-text",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/builds\.js$/ }, () => ({ path: resolve("src/border/builds-asked.ts") }));
    onResolve({ filter: /\/own-worker\.js$/ }, ({ path }) => ({ path, namespace: "nothing" }));
    onLoad({ filter: /.*/, namespace: "nothing" }, () => ({ contents: "export const openInWorker = undefined;" }));
  },
};

/** In a pool's worker whatever changes an index waits for those that read it, and memory may be shared without relaxed SIMD. */
const guarded = {
  name: "guarded",
  setup({ onResolve }) {
    const instead = { "instance.js": "src/pool/guarded.ts", "probes.js": "src/pool/probes.ts" };
    onResolve({ filter: /\/(instance|probes)\.js$/ }, ({ path, importer }) =>
      /[\\/]src[\\/]pool[\\/]/.test(importer) ? undefined : { path: resolve(instead[path.split("/").at(-1)]) },
    );
  },
};

/** `import text from "vicinal-worker:storage/opfs-worker"`: a worker of src as one text. */
const workerText = {
  name: "worker-text",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vicinal-worker:/ }, ({ path }) => ({ path: path.split(":")[1], namespace: "worker" }));
    onLoad({ filter: /.*/, namespace: "worker" }, async ({ path }) => {
      const { outputFiles } = await build({
        ...common,
        entryPoints: [`src/${path}.ts`],
        format: "iife",
        minify: true,
        plugins: [inText, workerText, ...(path.startsWith("pool/") ? [guarded] : [])],
        write: false,
      });
      return { contents: outputFiles[0].text, loader: "text" };
    });
  },
};

/** Entries on top of the core, which they share with index. */
const LAYERS = {
  storage: "src/storage.ts",
  "storage-node": "src/storage-node.ts",
  collection: "src/collection.ts",
  tabs: "src/tabs.ts",
  pool: "src/pool.ts",
  guide: "src/guide.ts",
  interop: "src/interop.ts",
  worker: "src/worker.ts",
  range: "src/range.ts",
  nats: "src/nats.ts",
  "nats-cluster": "src/nats-cluster.ts",
  "nats-replica": "src/nats-replica.ts",
  hybrid: "src/hybrid.ts",
  langchain: "src/langchain.ts",
  llamaindex: "src/llamaindex.ts",
  transformers: "src/transformers.ts",
};

/** Replicas and adapters open collections, those of the package's own entries. */
const collectionBeside = (extension) => ({
  name: "collection-beside",
  setup({ onResolve }) {
    const entries = { "collection/collection": "collection", "storage/node": "storage-node", "storage/memory": "storage" };
    onResolve({ filter: /^\.\.\/(collection\/collection|storage\/(node|memory))\.js$/ }, ({ path, importer }) =>
      /\/src\/(nats\/replica\.ts$|adapters\/)/.test(importer)
        ? { path: `./${entries[path.slice(3, -3)]}${extension}`, external: true }
        : undefined,
    );
  },
});

/** Of the core, what a collection needs later: its extras have it once more, so that a page's first download has not. */
const LATER = [
  "src/file/vic.ts",
  "src/file/format.ts",
  "src/make/create-index.ts",
  "src/make/load.ts",
  "src/words/check-state.ts",
];

/** All that src/index.ts imports statically, itself not included. */
async function coreFiles() {
  const { metafile } = await build({ ...esm, entryPoints: ["src/index.ts"], plugins: [embedded], write: false });
  const files = new Set(["src/index.ts"]);
  for (const file of files) {
    for (const { path, kind } of metafile.inputs[file].imports) if (kind === "import-statement") files.add(path);
  }
  files.delete("src/index.ts");
  return [...files];
}

/** All of the core as one module, "core". */
const wholeCore = (files) => ({
  name: "core",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^core$/ }, ({ path }) => ({ path, namespace: "core" }));
    const contents = files.map((file) => `export * from "./${file}";`).join("");
    onLoad({ filter: /.*/, namespace: "core" }, () => ({ contents, resolveDir: process.cwd() }));
  },
});

/** Of a name that two files export, `export *` says nothing and exports neither. */
function checkNames(files) {
  const seen = new Map();
  for (const file of files) {
    for (const [, name] of readFileSync(file, "utf8").matchAll(
      /^export (?:abstract |async )?(?:function\*?|class|const) (\w+)/gm,
    )) {
      if (seen.has(name)) throw new Error(`${seen.get(name)} and ${file} both export ${name}: one of the core's files alone may`);
      seen.set(name, file);
    }
  }
}

/** What the core has is imported from there. */
const besideCore = (files, path) => ({
  name: "beside-core",
  setup({ onResolve }) {
    onResolve({ filter: /^\./ }, ({ path: imported, resolveDir }) =>
      files.some((file) => resolve(file) === resolve(resolveDir, imported.replace(/js$/, "ts")))
        ? { path, external: true }
        : undefined,
    );
  },
});

/**
 * index.js and its chunks, and the layers on top of it. All that index imports is in one chunk, core, which the others import
 * too: esbuild alone would keep apart what each needs, and a page would download 1.2 KB of names and of worse compression.
 */
async function writeIndex(files, builds) {
  const beside = (filter, path) => ({
    name: `beside ${path}`,
    setup({ onResolve }) {
      onResolve({ filter }, () => ({ path, external: true }));
    },
  });
  const extrasBeside = beside(/\/extras\.js$/, "./extras-HASH.js");
  const collectionExtras = beside(/\/extras\.js$/, "./chunks/collection-extras-HASH.js");
  const rangeWhere = beside(/\/where\.js$/, "./chunks/range-where-HASH.js");
  const fielded = beside(/\/fielded\.js$/, "./chunks/fielded-HASH.js");
  const ownWorker = beside(/\/own-worker\.js$/, "./chunks/own-worker-HASH.js");
  const shared = builds.filter((name) => name.startsWith("shared"));
  const sharedBeside = shared.map((name) => beside(new RegExp(`^vicinal-wasm:${name}$`), `./chunks/${name}-HASH.js`));
  const first = files.filter((file) => !LATER.includes(file));
  const parts = [
    { entryPoints: { "chunks/core": "core" }, plugins: [wholeCore(files), extrasBeside, embedded] },
    { entryPoints: { "chunks/extras": "src/base/extras.ts" }, plugins: [besideCore(files, "./core-HASH.js")] },
    { entryPoints: { index: "src/index.ts" }, plugins: [besideCore(files, "./chunks/core-HASH.js")] },
    {
      entryPoints: { "chunks/collection-extras": "src/collection/extras.ts" },
      plugins: [extrasBeside, besideCore(first, "./core-HASH.js")],
    },
    {
      entryPoints: { "chunks/own-worker": "src/collection/own-worker.ts" },
      plugins: [workerText, besideCore(files, "./core-HASH.js")],
    },
    { entryPoints: Object.fromEntries(shared.map((name) => [`chunks/${name}`, `vicinal-wasm:${name}`])), plugins: [embedded] },
    { entryPoints: { "chunks/range-where": "src/range/where.ts" }, plugins: [besideCore(files, "./core-HASH.js")] },
    { entryPoints: { "chunks/fielded": "src/collection/fielded.ts" }, plugins: [besideCore(files, "./core-HASH.js")] },
    {
      entryPoints: LAYERS,
      plugins: [
        ...[collectionBeside(".js"), ...sharedBeside, collectionExtras, rangeWhere, fielded, ownWorker, workerText],
        besideCore(files, "./chunks/core-HASH.js"),
      ],
      splitting: false,
    },
  ];
  const built = await Promise.all(parts.map((part) => build({ ...esm, ...part, write: false })));
  const outputs = built.flatMap(({ outputFiles }) => outputFiles);
  const hash = createHash("sha256");
  for (const { contents } of outputs) hash.update(contents);
  const name = hash.digest("hex").toUpperCase().slice(0, 8);
  mkdirSync("dist/chunks", { recursive: true });
  for (const { path, text } of outputs) {
    writeFileSync(
      path.replace(/(core|extras|graph|whole|shared|own-worker|range-where|fielded)\.js$/, `$1-${name}.js`),
      text.replaceAll("-HASH.js", `-${name}.js`),
    );
  }
}

/** Returns the files that cli.js and the explorer are made of. */
export async function bundle(builds) {
  const files = await coreFiles();
  checkNames(files);
  await writeIndex(files, builds);
  await build({ ...esm, entryPoints: { node: "src/node.ts" }, plugins: [indexBeside(".js")] });
  const whole = { entryPoints: { static: "src/static.ts" }, plugins: [allInside, embedded] };
  await build({ ...esm, ...whole, splitting: false });
  await build({ ...esm, ...whole, splitting: false, format: "cjs", outExtension: { ".js": ".cjs" } });
  for (const name of builds) writeFileSync(`dist/wasm/${name}.cjs`, `module.exports = "${text(name)}";\n`);
  const cjs = { ...common, outExtension: { ".js": ".cjs" }, format: "cjs", platform: "node" };
  await build({
    ...cjs,
    entryPoints: { core: "core" },
    supported: { "dynamic-import": false },
    plugins: [wholeCore(files), wasmBeside],
  });
  const { interop, ...layers } = LAYERS;
  // Its packages are ES modules, which import() alone can have in every Node.
  await build({ ...cjs, entryPoints: { interop }, external: FORMATS, plugins: [besideCore(files, "./core.cjs")] });
  await build({
    ...cjs,
    entryPoints: { index: "src/index.ts", ...layers },
    supported: { "dynamic-import": false },
    external: FOREIGN,
    plugins: [collectionBeside(".cjs"), workerText, wasmBeside, besideCore(files, "./core.cjs")],
  });
  await build({ ...cjs, entryPoints: { node: "src/node.ts" }, plugins: [indexBeside(".cjs")] });
  const cli = await build({
    ...common,
    entryPoints: { cli: "src/cli/index.ts" },
    format: "esm",
    platform: "node",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    external: FOREIGN,
    legalComments: "linked",
    plugins: [coreBeside],
  });
  return [...Object.keys(cli.metafile.inputs), ...(await writeExplorer([allInside, embedded]))];
}
