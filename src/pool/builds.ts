// The wasm that a pool's workers are given. Of shared memory there are two builds each: with relaxed SIMD, and for runtimes without it.
import { LOADERS } from "../border/builds.js";
import { canRun } from "../border/probes.js";
import type { Variant } from "../border/variants.js";
import type { Build } from "../words/kinds.js";

const SHARED = {
  core: () => import("vicinal-wasm:shared-core"),
  graph: () => import("vicinal-wasm:shared-graph"),
  full: () => import("vicinal-wasm:shared"),
  whole: () => import("vicinal-wasm:shared-whole"),
};

export async function wasmText(build: Build, variant: Variant): Promise<string | undefined> {
  const plain = variant === "threads" && !canRun(variant);
  const loader = plain ? SHARED[build] : LOADERS[build][variant];
  return (await loader?.())?.default;
}

export function sharesMemory(): boolean {
  return canRun("threads") || (typeof SharedArrayBuffer !== "undefined" && canRun("simd"));
}
