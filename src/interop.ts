/** Files of other libraries, and files of vectors. */
export { type AnnoyOptions, readAnnoy } from "./interop/annoy.js";
export type { BlobLike, FileLike, ResponseLike } from "./interop/bytes-of.js";
/** @internal For the command line. */
export { openBytes } from "./interop/bytes-of.js";
export { type HnswlibOptions, readHnswlib } from "./interop/hnswlib.js";
export type { Imported } from "./interop/imported.js";
/** @internal */
export { ByteReader, latin1 } from "./interop/read/bytes.js";
export type { Chunk } from "./interop/read/chunk.js";
/** @internal */
export { badId, notFinite, parseId, RowGatherer } from "./interop/read/chunk.js";
/** @internal */
export { type FieldNames, findName, idNames, vectorNames } from "./interop/read/fields.js";
/** @internal */
export { NPY_MARK } from "./interop/read/npy.js";
/** @internal */
export {
  chunksOfStream,
  formatOfName,
  openVectors,
  STREAMS,
  VECTOR_FORMATS,
  type VectorFile,
  type VectorFormat,
  type VectorOptions,
} from "./interop/read/open.js";
/** @internal */
export { openParquet, type Parquet } from "./interop/read/parquet.js";
/** @internal */
export { readIvecs } from "./interop/read/vecs.js";
export { readUsearch, type UsearchOptions } from "./interop/usearch.js";
/** @internal */
export { graphOf } from "./interop/vic-graph.js";
/** @internal */
export { hnswlibOf, writeHnswlib } from "./interop/write-hnswlib.js";
