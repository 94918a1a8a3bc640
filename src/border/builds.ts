// The wasm: each build's bytes as text, in a chunk of its own behind a dynamic import. In vicinal/static builds-static.ts is in
// its place.
import type { Build } from "../words/kinds.js";
import type { RARE } from "./builds-rare.js";
import type { Variant } from "./variants.js";

export type Loader = () => Promise<{ default: string }>;

const rare =
  (name: keyof typeof RARE): Loader =>
  async () =>
    (await import("./builds-rare.js")).RARE[name]();

export const LOADERS: Readonly<Record<Build, Readonly<Partial<Record<Variant, Loader>>>>> = {
  core: {
    scalar: rare("scalar-core"),
    simd: () => import("vicinal-wasm:simd-core"),
    relaxed: () => import("vicinal-wasm:relaxed-core"),
    threads: rare("threads-core"),
  },
  graph: {
    scalar: rare("scalar-graph"),
    simd: () => import("vicinal-wasm:simd-graph"),
    relaxed: () => import("vicinal-wasm:relaxed-graph"),
    threads: rare("threads-graph"),
  },
  full: {
    scalar: rare("scalar"),
    simd: () => import("vicinal-wasm:simd"),
    relaxed: () => import("vicinal-wasm:relaxed"),
    threads: rare("threads"),
  },
  whole: {
    scalar: rare("scalar-whole"),
    simd: rare("simd-whole"),
    relaxed: rare("relaxed-whole"),
    threads: rare("threads-whole"),
  },
};

/** What a runtime may lack here, for the end of a sentence. */
export const LACKS = "";
