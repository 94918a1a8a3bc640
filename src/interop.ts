/** Files of other libraries, and files of vectors. */
export { type AnnoyOptions, readAnnoy } from "./interop/annoy.js";
export type { BlobLike, FileLike, ResponseLike } from "./interop/bytes-of.js";
export { type FaissImport, type FaissOptions, readFaiss } from "./interop/faiss/read.js";
export { writeFaiss } from "./interop/faiss/write.js";
/** @internal */
export * from "./interop/for-command-line.js";
export { type HnswlibOptions, readHnswlib } from "./interop/hnswlib.js";
export type { Imported } from "./interop/imported.js";
export type { Chunk } from "./interop/read/chunk.js";
export { openVectors, VECTOR_FORMATS, type VectorFile, type VectorFormat, type VectorOptions } from "./interop/read/open.js";
export { INDEX_FORMATS, type IndexFormat, type ReadIndexOptions, readIndex } from "./interop/read-index.js";
export { readUsearch, type UsearchOptions } from "./interop/usearch.js";
export { writeHnswlib } from "./interop/write-hnswlib.js";
