// vicinal/node: what one index saves to disk, ESM and CJS both open.
import { createRequire } from "node:module";
import { Flat } from "vicinal";
import * as esm from "vicinal/node";

const require = createRequire(import.meta.url);
const cjs = require("vicinal/node");
const index = await Flat.create({ dimensions: 2, metric: "l2" });
index.add([
  [0, 0],
  [3, 4],
]);
await esm.saveFile(index, "esm.vic");
const opened = await cjs.openFile("esm.vic");
await cjs.saveFile(opened, "cjs.vic");
const again = await esm.openFile("cjs.vic");
console.log(JSON.stringify(again.search([0, 0])));
