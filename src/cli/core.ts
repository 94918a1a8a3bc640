/** The library as the command line uses it: everything comes through here, beside the tables of its vocabulary and what recall is. */

export type {
  CollectionStats,
  Data,
  Document,
  DocumentHit,
  DocumentId,
  FieldKind,
  Fields,
  MainOptions,
  Where,
} from "../collection.js";
export { Collection } from "../collection.js";
export { type Curve, doctor, type PlannedDesign, type Point, plan, tune } from "../guide.js";
export type {
  Codec,
  CodecOption,
  FileInfo,
  Hit,
  IndexStats,
  Kind,
  LoadOptions,
  Metric,
  RerankOptions,
  SearchOptions,
  VectorIndex as Index,
} from "../index.js";
export { Flat, Forest, factory, Hnsw, Ivf, inspect, KdTree, Lsh, load, VicinalError, variant } from "../index.js";
export { MAX_ID } from "../input/vectors.js";
export {
  ByteReader,
  badId,
  type Chunk,
  chunksOfStream,
  type FieldNames,
  faissPieces,
  findName,
  formatOfName,
  hnswlibPieces,
  INDEX_FORMATS,
  type IndexFormat,
  idNames,
  indexFormatOf,
  latin1,
  NPY_MARK,
  notFinite,
  openBytes,
  openParquet,
  openVectors as openVectorFile,
  type Parquet,
  parseId,
  type ReadIndexOptions,
  RowGatherer,
  readIndex,
  readIvecs,
  STREAMS,
  VECTOR_FORMATS,
  type VectorFormat,
  vectorNames,
  vicPieces,
} from "../interop.js";
export { destination, readBytes } from "../node.js";
export { type Published, type PublishOptions, type PublishSource, publish, ROW_KINDS } from "../range.js";
export { folder } from "../storage-node.js";
export { CODEC_NAMES, type Effort, isLossy, KIND_NAMES, KINDS, METRIC_NAMES, METRICS, ROTATE_NAMES } from "../words/kinds.js";
export { KNOBS, type Knob } from "../words/knobs.js";
