// The wasm that few pages run: without SIMD, of shared memory, and what has everything. Their names are in a chunk of their own, for a page
// to download 130 bytes less.

export const RARE = {
  "scalar-core": () => import("vicinal-wasm:scalar-core"),
  "scalar-graph": () => import("vicinal-wasm:scalar-graph"),
  scalar: () => import("vicinal-wasm:scalar"),
  "scalar-whole": () => import("vicinal-wasm:scalar-whole"),
  "simd-whole": () => import("vicinal-wasm:simd-whole"),
  "relaxed-whole": () => import("vicinal-wasm:relaxed-whole"),
  "threads-core": () => import("vicinal-wasm:threads-core"),
  "threads-graph": () => import("vicinal-wasm:threads-graph"),
  threads: () => import("vicinal-wasm:threads"),
  "threads-whole": () => import("vicinal-wasm:threads-whole"),
};
