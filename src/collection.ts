/** Documents with vectors: found by meaning and by fields, on a medium that keeps them. See README.md. */
export { Collection, type ReindexOptions } from "./collection/collection.js";
export type { DocumentInput, DocumentPatch, UpsertOptions } from "./collection/changing.js";
export type { CollectionStats, Health, VerifyReport } from "./collection/health.js";
export type { DocumentId } from "./collection/ids.js";
export type { CollectionOptions, Embed, MainOptions } from "./collection/options.js";
export type { Data } from "./collection/reading.js";
export type { Document, ScanOptions } from "./collection/scanning.js";
export type { CollectionSearchOptions, DocumentHit, Rescore } from "./collection/searching.js";
export type { Fields, FieldKind } from "./collection/where/fields.js";
export type { Where } from "./collection/where/parse.js";
