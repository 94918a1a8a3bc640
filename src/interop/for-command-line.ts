// What the command line uses beside the entry's own names: it is bundled apart and has all of this from there.
export { openBytes } from "./bytes-of.js";
export { faissPieces } from "./faiss/write.js";
export { ByteReader, latin1 } from "./read/bytes.js";
export { badId, notFinite, parseId, RowGatherer } from "./read/chunk.js";
export { type FieldNames, findName, idNames, vectorNames } from "./read/fields.js";
export { NPY_MARK } from "./read/npy.js";
export { chunksOfStream, formatOfName, STREAMS } from "./read/open.js";
export { openParquet, type Parquet } from "./read/parquet.js";
export { readIvecs } from "./read/vecs.js";
export { indexFormatOf } from "./read-index.js";
export { vicPieces } from "./vic-pieces.js";
export { hnswlibPieces } from "./write-hnswlib.js";
