/** An index on any static host: published to a folder of files, and searched over ranges of them. See README.md. */
export { ROW_KINDS, type RowKind } from "./range/format.js";
export type { Fetch, FetchAnswer, FetchInit } from "./range/host.js";
export { type Published, type PublishOptions, type PublishSource, publish } from "./range/publish.js";
export { RangeIndex, type RangeOpenOptions, type RangeSearchOptions, type RangeStats } from "./range/range-index.js";
export type { RangeHit, RangeWork } from "./range/searching.js";
