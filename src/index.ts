/** Nearest neighbours among embedding vectors. See README.md. */

export type { IndexOptions } from "./base/create.js";
export type { TrainReport } from "./base/learner.js";
export type { AddAllOptions, IndexStats, TrainOptions } from "./base/vector-index.js";
export { VectorIndex } from "./base/vector-index.js";
export type { Hit, SearchStats } from "./border/answers.js";
export { type InitOptions, init, variant, type WasmModule } from "./border/runtime.js";
export type { Variant } from "./border/variants.js";
export { Flat, type FlatOptions } from "./family/flat.js";
export { Forest, type ForestOptions } from "./family/forest.js";
export { Hnsw, type HnswOptions } from "./family/hnsw.js";
export { Ivf, type IvfOptions } from "./family/ivf.js";
export { KdTree, type KdTreeOptions } from "./family/kdtree.js";
export { Lsh, type LshOptions } from "./family/lsh.js";
export { type FileBytes, type FileInfo, inspect } from "./file/vic.js";
export type { Vector, Vectors } from "./input/vectors.js";
export { compareMetrics, type MetricComparison } from "./make/compare-metrics.js";
export { type CreateIndexOptions, createIndex } from "./make/create-index.js";
export { type FactoryOptions, factory } from "./make/factory.js";
export { type LoadOptions, load } from "./make/load.js";
export type { BatchHits, BatchOptions } from "./search/batch.js";
export type { Filter } from "./search/filter.js";
export type { SearchOptions } from "./search/plan.js";
export type { Bytes, Floats, Ids } from "./words/arrays.js";
export type { CodecOption, PqOptions, RabitqOptions } from "./words/codec-option.js";
export { type ErrorCode, VicinalError } from "./words/errors.js";
export type { Codec, Kind, Metric } from "./words/kinds.js";
export type { Fetched, FetchVectors, RerankOption, RerankOptions } from "./words/rerank-option.js";
