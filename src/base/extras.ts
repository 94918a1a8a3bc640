// What only some indices need, in a chunk of its own that is loaded with the first of them.
export { Fetcher } from "../search/fetching.js";
export { buildLists } from "./coarse-graph.js";
export { compacted } from "./compacting.js";
export { Learner, retrain } from "./learner.js";
