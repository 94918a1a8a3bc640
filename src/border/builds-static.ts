// The wasm of vicinal/static, in the file itself: simd, since every engine of the last years has it and relaxed is faster by
// 8 % at most, the build that has everything.
import whole from "vicinal-wasm:simd-whole";
import type { LOADERS as Chunks, Loader } from "./builds.js";
import type { Variant } from "./variants.js";

const all: Readonly<Partial<Record<Variant, Loader>>> = { simd: async () => ({ default: whole }) };

export const LOADERS: typeof Chunks = { core: all, graph: all, full: all, whole: all };

export const LACKS = ": vicinal/static has simd alone, and takes others as init({ module })";
