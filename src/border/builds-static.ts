// The wasm of vicinal/static, in the file itself: simd, since every engine of the last years has it and relaxed is faster by
// 8 % at most, of which one build has all families and codecs and the other what graphs and prefilters add.
import full from "vicinal-wasm:simd";
import graph from "vicinal-wasm:simd-graph";
import type { LOADERS as Chunks, Loader } from "./builds.js";

const all: Loader = async () => ({ default: full });

export const LOADERS: typeof Chunks = {
  core: { simd: all },
  graph: { simd: async () => ({ default: graph }) },
  full: { simd: all },
};

export const LACKS = ": vicinal/static has simd alone, and takes others as init({ module })";
