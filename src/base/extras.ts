// What only some indices need, or what takes its time anyway, in a chunk of its own that is loaded with the first that wants it; and what only mistakes need.
export { Fetcher } from "../search/fetching.js";
export { codecState } from "../words/codec-state.js";
export { rerankState } from "../words/rerank-state.js";
export { addAll } from "./add-all.js";
export { findLists } from "./coarse-graph.js";
export { compact } from "./compacting.js";
export { notTogether, trainAtOf } from "./refusals.js";
export { prepareLearner, train } from "./succession.js";
