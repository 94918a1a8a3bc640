/** Places where collections live, in a page and in memory. A folder on disk is in "vicinal/storage/node". */
export { memory } from "./storage/memory.js";
export type { Storage, StoredFile } from "./storage/storage.js";
