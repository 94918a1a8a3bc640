/** Files of other libraries, and files of vectors. */
export type { FileLike } from "./interop/bytes-of.js";
export { type FaissImport, type FaissOptions, readFaiss } from "./interop/faiss/read.js";
export { writeFaiss } from "./interop/faiss/write.js";
export { type HnswlibOptions, readHnswlib } from "./interop/hnswlib.js";
export type { Imported } from "./interop/imported.js";
