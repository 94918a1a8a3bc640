// In Node: by import or require, from the entry that is named.
import { createRequire } from "node:module";
import { everything } from "./everything.js";

const [, , way, entry, variant] = process.argv;
const vicinal = way === "import" ? await import(entry) : createRequire(import.meta.url)(entry);
await vicinal.init(variant ? { variant } : {});
console.log(JSON.stringify(await everything(vicinal)));
