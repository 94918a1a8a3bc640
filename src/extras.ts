// What only some indices need, in a chunk of its own that is loaded with the first of them.
export { Fetcher } from "./fetching.js";
export { Learner, retrain } from "./learner.js";
export { buildLists } from "./lists.js";
