/** Places where collections live, in a page and in memory. A folder on disk is in "vicinal/storage/node". */
export { indexedDb } from "./storage/indexed-db.js";
export { memory } from "./storage/memory.js";
export { opfs } from "./storage/opfs.js";
export type { Storage, StoredFile } from "./storage/storage.js";
