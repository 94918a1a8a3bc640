// An index below its public face: the kernels and the checksum by themselves, over dist/wasm/*.wasm.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const { outputFiles } = await build({
  stdin: {
    contents: `export { newState, stateBytes } from "./base.ts"; export { Engine } from "./memory.ts";`,
    resolveDir: `${root}src`,
  },
  external: ["vicinal-wasm:*"],
  bundle: true,
  format: "esm",
  write: false,
});
const core = await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);

const compiled = {};

/**
 * An empty Flat index. Its memory has `pages` of 64 KiB from the start: once any memory has grown, its old buffer is
 * detached, and V8 from then on checks every typed array of the process for that, which slows plain JS by a quarter.
 */
export async function openEngine(variant, pages, options) {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536 });
  compiled[variant] ??= await WebAssembly.compile(readFileSync(`${root}dist/wasm/${variant}.wasm`));
  const { exports } = await WebAssembly.instantiate(compiled[variant], { env: { memory } });
  return new core.Engine(exports, memory, variant, 2 ** 32, core.stateBytes(core.newState("flat", options, {})));
}
