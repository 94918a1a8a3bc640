/** Documents with vectors: found by meaning and by fields, on a medium that keeps them. See README.md. */

export type { DocumentInput, DocumentPatch, UpsertOptions } from "./collection/changing.js";
export { Collection } from "./collection/collection.js";
export type { FieldInfo } from "./collection/columns/columns.js";
export type { Progress } from "./collection/embedding.js";
export type { CollectionStats, VerifyReport } from "./collection/health.js";
export type { Health } from "./collection/keeping.js";
export type { DocumentId } from "./collection/keys.js";
export type { CollectionOptions, Embed, MainOptions, ReindexOptions, WorkerOptions } from "./collection/options.js";
export type { Data } from "./collection/reading.js";
export type { Document, ScanOptions } from "./collection/scanning.js";
export type { CollectionSearchOptions, DocumentHit, Rescore } from "./collection/searching.js";
export type { FieldKind, Fields } from "./collection/where/fields.js";
export type { Where } from "./collection/where/parse.js";
export type { WorkerCollection } from "./collection/worker.js";
