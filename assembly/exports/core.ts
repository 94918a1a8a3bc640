// What the core builds export (src/border/exports.ts declares it): Flat and Hnsw over f32. Pointers and codes
// only; JS owns sentences. Where ALL is true (base/codes.ts), the same functions serve every family.
export { STATE, WORK, alloc, mark, reset } from "../memory/arena";
export { blobCount } from "../memory/blobs";
export { checksumAdd, checksumEnd, checksumStart } from "../memory/checksum";
export { closeFilter, openFilter, passIds } from "../table/filters";
export { slotOfId } from "../table/ids";
export { ask } from "../search/ask";
export { inputBytes } from "../search/prepare";
export { batchBytes, searchTogether, sharesScans } from "../family/flat/batch";
export { countUnreachable } from "../family/graph/reach";
export { startSweep, sweep } from "../family/graph/sweep";
export { addVectors, firstBad, removeIds, reserve, tryReplace, whyBad } from "../index/change";
export { compactSlots } from "../index/compact";
export {
  blobAt, blobBytes, blobTag, columnAt, columnPacking, columnRun, columnStride, columnTag, countLinks, restore, slotsOnLevel,
  storeColumns, storeCount,
} from "../index/content";
export { keepFilter, passBits } from "../index/filter";
export { getVector, liveIds, prepareQuery, queryAddress, scoreSlots, search } from "../index/find";
export { build, open, variant } from "../index/open";
export { roomToUse } from "../index/room";
export { isValid } from "../index/validate";
