// src/ and dist/wasm/ become what is imported: index.js and node.js (ESM), index.cjs and node.cjs, cli.js.
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";
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

/** The command line runs on the package's own entries. */
const coreBeside = {
  name: "core-beside",
  setup({ onResolve }) {
    onResolve({ filter: /\/(index|node)\.js$/ }, ({ path, importer }) =>
      path.startsWith("../") && importer.includes("/src/cli/")
        ? { path: `./${path.split("/").at(-1)}`, external: true }
        : undefined,
    );
  },
};

const common = { bundle: true, target: "es2022", logLevel: "warning", legalComments: "inline", metafile: true, outdir: "dist" };
const esm = {
  ...common,
  format: "esm",
  platform: "neutral",
  external: ["node:*"],
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  mainFields: ["module", "main"],
  conditions: ["import"],
};

/** Returns the files that cli.js is made of. */
export async function bundle(builds) {
  await build({ ...esm, entryPoints: { index: "src/index.ts" }, plugins: [embedded] });
  await build({ ...esm, entryPoints: { node: "src/node.ts" }, plugins: [indexBeside(".js")] });
  for (const name of builds) writeFileSync(`dist/wasm/${name}.cjs`, `module.exports = "${text(name)}";\n`);
  await build({
    ...common,
    entryPoints: { index: "src/index.ts", node: "src/node.ts" },
    outExtension: { ".js": ".cjs" },
    format: "cjs",
    platform: "node",
    supported: { "dynamic-import": false },
    plugins: [wasmBeside, indexBeside(".cjs")],
  });
  const cli = await build({
    ...common,
    entryPoints: { cli: "src/cli/index.ts" },
    format: "esm",
    platform: "node",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    external: ["@huggingface/transformers"],
    legalComments: "linked",
    plugins: [coreBeside],
  });
  return Object.keys(cli.metafile.inputs);
}
