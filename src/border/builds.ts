// The wasm: each build's bytes as text, in a chunk of its own behind a dynamic import. In vicinal/static builds-static.ts is in
// its place.
import type { Build } from "../words/kinds.js";
import type { Variant } from "./variants.js";

export type Loader = () => Promise<{ default: string }>;

export const LOADERS: Readonly<Record<Build, Readonly<Partial<Record<Variant, Loader>>>>> = {
  core: {
    scalar: () => import("vicinal-wasm:scalar-core"),
    simd: () => import("vicinal-wasm:simd-core"),
    relaxed: () => import("vicinal-wasm:relaxed-core"),
    threads: () => import("vicinal-wasm:threads-core"),
  },
  graph: {
    scalar: () => import("vicinal-wasm:scalar-graph"),
    simd: () => import("vicinal-wasm:simd-graph"),
    relaxed: () => import("vicinal-wasm:relaxed-graph"),
    threads: () => import("vicinal-wasm:threads-graph"),
  },
  full: {
    scalar: () => import("vicinal-wasm:scalar"),
    simd: () => import("vicinal-wasm:simd"),
    relaxed: () => import("vicinal-wasm:relaxed"),
    threads: () => import("vicinal-wasm:threads"),
  },
};

/** What a runtime may lack here, for the end of a sentence. */
export const LACKS = "";
