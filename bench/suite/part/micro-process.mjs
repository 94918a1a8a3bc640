// A process of bench:micro: node micro-process.mjs CELL HOW, both JSON. Prints the speeds as JSON.
import { openEngine } from "../../kit/engine.mjs";
import { enableRelaxed } from "../../kit/relaxed.mjs";
import { measure } from "./micro-case.mjs";

enableRelaxed();
const [cell, how] = process.argv.slice(2).map((text) => JSON.parse(text));
console.log(JSON.stringify(await measure(cell, how, openEngine)));
