import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import * as vicinal from "vicinal";
import { roundTrip } from "./round-trip.js";

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url), { workerData: JSON.parse(process.argv[2]) });
  worker.once("message", (answer) => console.log(JSON.stringify(answer)));
} else {
  parentPort.postMessage(await roundTrip(vicinal, workerData));
}
