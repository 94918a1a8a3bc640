// In a worker of its own: one kernel, plain JS against the wasm that is in this file.
import whole from "vicinal-wasm:simd-whole";
import { Engine } from "../../border/engine.js";
import { decodeWasm } from "../../border/wasm-text.js";
import { CODEC_NAMES, KIND_NAMES, METRIC_NAMES } from "../../words/kinds.js";
import { EMPTY, FRESH, stateBytes } from "../../words/state.js";
import type { Speeds } from "../kernels/kernels.mjs";
import { measure } from "../kernels/micro-case.mjs";
import { engineOpener } from "../kernels/open-engine.mjs";
import type { KernelAsked } from "./messages.js";

/** The one build that there is in the page has all kernels. */
const compile = (): Promise<WebAssembly.Module> => WebAssembly.compile(decodeWasm(whole) as BufferSource);

const openEngine = engineOpener({ Engine, CODEC_NAMES, KIND_NAMES, METRIC_NAMES, EMPTY, FRESH, stateBytes }, compile);

export const measureKernel = ({ cell, ...how }: KernelAsked): Promise<Speeds> =>
  measure(cell, { ...how, variants: ["simd"] }, openEngine);
