/** One collection in a worker, so that the thread that asks stays free. See README.md. */

export { type Port, serve, WorkerCollection } from "./collection/worker.js";
