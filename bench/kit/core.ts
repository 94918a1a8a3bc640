// What the benches take from src/, below the public face of the package.

export { learn } from "../../src/base/training.js";
export { Engine } from "../../src/border/engine.js";
export { Columns } from "../../src/collection/columns/columns.js";
export { rowsOf } from "../../src/input/vectors.js";
export { mergeHits } from "../../src/search/merging.js";
export { CODEC_NAMES, KIND_NAMES, METRIC_NAMES } from "../../src/words/kinds.js";
export { EMPTY, FRESH, stateBytes } from "../../src/words/state.js";
