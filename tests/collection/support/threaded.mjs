// A worker of Node that has a collection.
import { parentPort, workerData } from "node:worker_threads";
import { Collection } from "vicinal/collection";
import { memory } from "vicinal/storage";
import { serve } from "vicinal/worker";

const embed = (texts) => texts.map((text) => [text.length, 0]);
serve(() => Collection.open({ storage: memory(), metric: "l2", embed, ...workerData }), parentPort);
parentPort.on("message", (message) => {
  if (message === "die") process.exit(3);
});
