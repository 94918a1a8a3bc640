/** The library as the command line uses it: everything comes through here. */
export type { Codec, Hit, Metric, VectorIndex as Index } from "../index.js";
export { Flat, Hnsw, inspect, load, VicinalError, variant } from "../index.js";
export { readBytes, saveFile } from "../node.js";
