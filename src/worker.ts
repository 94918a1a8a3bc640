/** One collection in a worker's script of yours, so that the thread that asks stays free. See README.md. */

export type { Served } from "./collection/answering.js";
export type { Port } from "./collection/wire.js";
export { serve, WorkerCollection } from "./collection/worker.js";
