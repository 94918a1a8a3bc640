// The page of bench:browser as files: { path: { type, body } }.
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Bundled, with the wasm of dist/ beside it; `how` is { quick, rounds, ms }. */
export async function pageFiles(how) {
  const { outputFiles } = await build({
    entryPoints: { page: `${root}bench/page/page.mjs`, worker: `${root}bench/page/worker.mjs` },
    external: ["vicinal-wasm:*"], // of src/border/runtime.ts, which is not called
    bundle: true,
    format: "esm",
    target: "es2022",
    outdir: "page",
    write: false,
  });
  const wasm = readdirSync(`${root}dist/wasm`).filter((name) => name.endsWith(".wasm"));
  return {
    "/": { type: "text/html; charset=utf-8", body: readFileSync(`${root}bench/page/index.html`) },
    "/how.json": { type: "application/json", body: JSON.stringify(how) },
    ...Object.fromEntries(
      outputFiles.map(({ path, contents }) => [`/${basename(path)}`, { type: "text/javascript", body: contents }]),
    ),
    ...Object.fromEntries(
      wasm.map((name) => [`/wasm/${name}`, { type: "application/wasm", body: readFileSync(`${root}dist/wasm/${name}`) }]),
    ),
  };
}
