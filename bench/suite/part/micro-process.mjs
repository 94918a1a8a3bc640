// A process of bench:micro: node micro-process.mjs CELL HOW, both JSON. Prints the speeds as JSON.

import { measure } from "../../../src/pages/kernels/micro-case.mjs";
import { openEngine } from "../../kit/engine.mjs";
import { enableRelaxed } from "../../kit/relaxed.mjs";

enableRelaxed();
const [cell, how] = process.argv.slice(2).map((text) => JSON.parse(text));
console.log(JSON.stringify(await measure(cell, how, openEngine)));
