// What the graph builds export: the core's, over every codec that learns nothing, with graphs that keep codes of neighbours and are
// built in bulk, and scans that have a prefilter.
export * from "./core";
export { rescore } from "../search/rerank";
export { serve, setWorkers } from "../family/graph/bulk/team";
export { stopLinking } from "../family/graph/bulk/steps";
export { distancesOfLeaf, linkPending, linkedTogether, storeVectors } from "../index/bulk";
export { readyFilter } from "../index/filter";
export { setCosts } from "../family/graph/costs";
export { practise } from "../family/graph/practice";
