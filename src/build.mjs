// npm run build: assembly/ and src/ become dist/.
//   wasm/*.wasm          four variants, each with everything, as core and as graph (asconfig.json)
//   index.js node.js     ESM; each build's bytes a chunk of its own behind a dynamic import
//   index.cjs node.cjs   CommonJS, the builds as wasm/*.cjs
//   cli.js               the command line with its libraries
//   types/               declarations for both
//   THIRD-PARTY.txt      the licences of what is bundled
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
rmSync("dist", { recursive: true, force: true });
mkdirSync("dist/wasm", { recursive: true });

const { targets } = JSON.parse(readFileSync("asconfig.json", "utf8"));
const builds = Object.keys(targets);
for (const target of builds) {
  const entry = `assembly/${target.split("-")[1] ?? "index"}.ts`;
  const { error, stderr } = await asc.main([entry, "--config", "asconfig.json", "--target", target]);
  if (error) throw new Error(`${target}: ${error.message}\n${stderr}`);
  // Another pass, by the binaryen that assemblyscript brings, for size alone: 2 % of the download, and no kernel slower.
  const file = `dist/wasm/${target}.wasm`;
  const features = ["bulk-memory", "nontrapping-float-to-int", "sign-ext", "mutable-globals", ...(targets[target].enable ?? [])];
  const args = [...features.map((feature) => `--enable-${feature}`), "-Os", file, "-o", file];
  execFileSync(process.execPath, ["node_modules/binaryen/bin/wasm-opt", ...args]);
}

/** A build's bytes as src/wasm-text.ts reads them. */
function wasmText(name) {
  const bytes = readFileSync(`dist/wasm/${name}.wasm`);
  const counts = new Array(256).fill(0);
  for (const byte of bytes) counts[byte]++;
  const order = counts.map((count, byte) => [count, byte]).sort(([a, x], [b, y]) => b - a || x - y);
  const frequent = order.slice(0, 89).map(([, byte]) => byte);
  const others = order
    .slice(89)
    .map(([, byte]) => byte)
    .sort((a, b) => a - b);
  const letter = (digit) => String.fromCharCode(digit + 35 + (digit >= 57 ? 1 : 0));
  const codes = [];
  for (const [digit, byte] of frequent.entries()) codes[byte] = letter(digit);
  for (const [i, byte] of others.entries()) codes[byte] = letter(89 + Math.floor(i / 91)) + letter(i % 91);
  return Buffer.from(frequent).toString("hex") + Array.from(bytes, (byte) => codes[byte]).join("");
}

/** `import("vicinal-wasm:simd")`: the bytes themselves, or the file that has them. */
const embedded = {
  name: "embedded-wasm",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^vicinal-wasm:/ }, ({ path }) => ({ path: path.split(":")[1], namespace: "wasm" }));
    onLoad({ filter: /.*/, namespace: "wasm" }, ({ path }) => ({ contents: `export default "${wasmText(path)}";` }));
  },
};
const beside = {
  name: "wasm-beside",
  setup({ onResolve }) {
    onResolve({ filter: /^vicinal-wasm:/ }, ({ path }) => ({ path: `./wasm/${path.split(":")[1]}.cjs`, external: true }));
    onResolve({ filter: /^\.\/index\.js$/, namespace: "file" }, ({ importer }) =>
      importer.endsWith("node.ts") ? { path: "./index.cjs", external: true } : undefined,
    );
  },
};

/** node.js is but a few functions on top of index.js. */
const indexBeside = {
  name: "index-beside",
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/index\.js$/ }, ({ path, importer }) =>
      importer.endsWith("node.ts") ? { path, external: true } : undefined,
    );
  },
};

const common = { bundle: true, target: "es2022", logLevel: "warning", legalComments: "inline", metafile: true };
const esm = {
  ...common,
  outdir: "dist",
  format: "esm",
  platform: "neutral",
  external: ["node:*"],
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  mainFields: ["module", "main"],
  conditions: ["import"],
};
await build({ ...esm, entryPoints: { index: "src/index.ts" }, plugins: [embedded] });
await build({ ...esm, entryPoints: { node: "src/node.ts" }, plugins: [indexBeside] });
for (const name of builds) writeFileSync(`dist/wasm/${name}.cjs`, `module.exports = "${wasmText(name)}";\n`);
await build({
  ...common,
  entryPoints: { index: "src/index.ts", node: "src/node.ts" },
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  format: "cjs",
  platform: "node",
  supported: { "dynamic-import": false },
  plugins: [beside],
});
const cli = await build({
  ...common,
  entryPoints: { cli: "src/cli/index.ts" },
  outdir: "dist",
  format: "esm",
  platform: "node",
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  external: ["@huggingface/transformers"],
  legalComments: "linked",
  plugins: [
    {
      name: "core-beside",
      setup({ onResolve }) {
        onResolve({ filter: /\/(index|node)\.js$/ }, ({ path, importer }) =>
          path.startsWith("../") && importer.includes("/src/cli/")
            ? { path: `./${path.split("/").at(-1)}`, external: true }
            : undefined,
        );
      },
    },
  ],
});

execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "src/tsconfig.json"], { stdio: "inherit" });
for (const name of readdirSync("dist/types")) {
  const declarations = readFileSync(`dist/types/${name}`, "utf8").replaceAll(/(from "\.\/[\w-]+)\.js"/g, '$1.cjs"');
  writeFileSync(`dist/types/${name.replace(".d.ts", ".d.cts")}`, declarations);
}

// AssemblyScript's library is compiled into the wasm.
const paths = Object.keys(cli.metafile.inputs);
const bundled = paths.flatMap((path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []);
const packagesByText = {};
for (const name of new Set(["assemblyscript", ...bundled.sort()])) {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  const folder = `node_modules/${name}`;
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
  if (files.length === 0) throw new Error(`${name} has no licence file`);
  const text = files.map((file) => readFileSync(`${folder}/${file}`, "utf8").trim()).join("\n\n");
  packagesByText[text] = `${packagesByText[text] ?? ""}${name} ${version}, ${license}\n`;
}
const licences = Object.entries(packagesByText).map(([text, packages]) => `${packages}\n${text}\n`);
writeFileSync("dist/THIRD-PARTY.txt", licences.join(`\n${"-".repeat(80)}\n\n`));
