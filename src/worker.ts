/** One collection in a worker's script of yours, so that the thread that asks stays free. See README.md. */

export type { Port } from "./border/wire.js";
export type { Served } from "./collection/answering.js";
export { serve, WorkerCollection } from "./collection/worker.js";
