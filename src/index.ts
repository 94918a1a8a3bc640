/** Nearest neighbours among embedding vectors. See README.md. */
export type {
  AddAllOptions,
  BatchHits,
  BatchOptions,
  Hit,
  IndexOptions,
  IndexStats,
  SearchOptions,
  SearchStats,
} from "./base.js";
export { VectorIndex } from "./base.js";
export { type ErrorCode, VicinalError } from "./errors.js";
export { type FileBytes, type FileInfo, inspect } from "./file.js";
export type { Filter } from "./filter.js";
export { Flat } from "./flat.js";
export { Hnsw, type HnswOptions } from "./hnsw.js";
export type { Codec, Kind, Metric } from "./kinds.js";
export { type LoadOptions, load } from "./load.js";
export { type InitOptions, init, type Variant, variant, type WasmModule } from "./runtime.js";
export type { Vector, Vectors } from "./vectors.js";
