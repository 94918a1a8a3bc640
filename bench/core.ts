// What the benches take from src/, below the public face of the package.
export { CODEC_NAMES, KIND_NAMES, METRIC_NAMES } from "../src/kinds.js";
export { Engine } from "../src/memory.js";
export { EMPTY, FRESH, stateBytes } from "../src/state.js";
export { learn } from "../src/training.js";
export { rowsOf } from "../src/vectors.js";
