// node writer.mjs FOLDER FIRST: performs operation FIRST and those after it, four at a time, until it is killed. Each line on its
// output is one that has begun (+) or is said to be done (-), by number.
import { writeSync } from "node:fs";
import { Collection } from "vicinal/collection";
import { folder } from "vicinal/storage/node";
import { operation, perform } from "./operations.mjs";

const [path, first] = process.argv.slice(2);
const say = (line) => writeSync(1, `${line}\n`);
const collection = await Collection.open({ storage: folder(path), dimensions: 8, metric: "l2" });
say("open");

let next = Number(first);
async function work() {
  for (;;) {
    const number = next++;
    say(`+${number}`);
    await perform(collection, operation(number), (background) =>
      background.catch((error) => say(`background: ${error.message}`)),
    );
    say(`-${number}`);
  }
}
await Promise.all([work(), work(), work(), work()]).catch((error) => {
  say(`failed: ${error.stack}`);
  process.exit(1);
});
