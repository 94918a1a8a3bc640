// What only some indices need, in a chunk of its own that is loaded with the first of them; and what only mistakes need.
export { Fetcher } from "../search/fetching.js";
export { buildLists } from "./coarse-graph.js";
export { Learner, retrain } from "./learner.js";
export { noEstimates, noMips, noTrainAt } from "./refusals.js";
