import { extname } from "node:path";
import type { ByteReader, FieldNames } from "../core.js";
import { InputError } from "../errors.js";
import type { DocumentFile, DocumentRow } from "./document.js";
import { readCsvDocuments } from "./documents-csv.js";
import { readJsonlDocuments } from "./documents-jsonl.js";
import { openParquet } from "./documents-parquet.js";
import { openReader } from "./vectors.js";

type Read = (reader: ByteReader, fields: FieldNames) => AsyncGenerator<DocumentRow>;

const TEXTS: Readonly<Record<string, Read>> = {
  ".jsonl": readJsonlDocuments,
  ".ndjson": readJsonlDocuments,
  ".csv": readCsvDocuments,
  ".tsv": readCsvDocuments,
};
const PARQUET = ".parquet";

export const DOCUMENT_FORMATS = [...Object.keys(TEXTS), PARQUET].map((extension) => extension.slice(1));

/** The formats as help and errors list them. */
export const DOCUMENT_FORMAT_LIST = `${Object.keys(TEXTS).join(" ")} (each also .gz) ${PARQUET}`;

/** Opens a file of documents, or standard input as "-", which is JSON lines where nothing else is said. Rows are read as they are iterated. */
export async function openDocuments(path: string, format: string | undefined, fields: FieldNames): Promise<DocumentFile> {
  const said = format === undefined ? extname(path.replace(/\.gz$/i, "")).toLowerCase() : `.${format}`;
  if (said === PARQUET) return openParquet(path, fields);
  const read = TEXTS[said === "" ? ".jsonl" : said];
  if (read === undefined) {
    throw new InputError(`${path}: unknown format "${said}", expected one of ${DOCUMENT_FORMAT_LIST}; --format says which it is`);
  }
  const reader = await openReader(path);
  return {
    path: reader.path,
    total: reader.fileBytes,
    get done() {
      return reader.fileBytesRead;
    },
    rows: read(reader, fields),
  };
}
