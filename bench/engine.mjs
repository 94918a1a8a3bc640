// An index below its public face: kernels, training and checksum by themselves, over dist/wasm/*.wasm.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { outputFiles } = await build({
  stdin: {
    contents: `
      export { CODEC_NAMES, KIND_NAMES, METRIC_NAMES } from "./kinds.ts";
      export { Engine } from "./memory.ts";
      export { EMPTY, FRESH, stateBytes } from "./state.ts";
      export { learn } from "./training.ts";
      export { rowsOf } from "./vectors.ts";`,
    resolveDir: `${root}src`,
  },
  external: ["vicinal-wasm:*"],
  bundle: true,
  format: "esm",
  write: false,
});
const core = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
export const { learn, rowsOf } = core;

const compiled = {};

/**
 * An empty index, Flat unless `state` says more; the build `name` is a variant's, with "-core" its small one. Its memory
 * has `pages` of 64 KiB from the start: once any memory has grown, its old buffer is detached, and V8 from then on checks
 * every typed array of the process for that, which slows plain JS by a quarter. `watch` may stand between the engine and
 * the wasm's exports.
 */
export async function openEngine(name, pages, { kind = "flat", metric, codec = "f32", ...state }, watch = (exports) => exports) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 });
  compiled[name] ??= await WebAssembly.compile(readFileSync(`${root}dist/wasm/${name}.wasm`));
  const { exports } = await WebAssembly.instantiate(compiled[name], { env: { memory } });
  const numbers = {
    kind: core.KIND_NAMES.indexOf(kind),
    metric: core.METRIC_NAMES.indexOf(metric),
    codec: core.CODEC_NAMES.indexOf(codec),
  };
  const whole = { ...core.EMPTY, ...core.FRESH, seed: 42, rerank: 0, rerankFactor: 1, ...numbers, ...state };
  return new core.Engine({ exports: watch(exports), memory, variant: name, maxBytes: 2 ** 32 }, core.stateBytes(whole));
}
