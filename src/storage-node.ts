/** A folder on disk where collections live, for Node, Deno and Bun. */
export { folder } from "./storage/node.js";
export type { Storage, StoredFile } from "./storage/storage.js";
