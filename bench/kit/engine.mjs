// An index below its public face: kernels, training and checksum by themselves, over dist/wasm/*.wasm.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { engineOpener } from "../../src/pages/kernels/open-engine.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { outputFiles } = await build({
  entryPoints: [`${root}bench/kit/core.ts`],
  external: ["vicinal-wasm:*"],
  bundle: true,
  format: "esm",
  write: false,
});
const core = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
export const { learn, rowsOf, Columns, mergeHits } = core;

export const openEngine = engineOpener(core, (name) => WebAssembly.compile(readFileSync(`${root}dist/wasm/${name}.wasm`)));
