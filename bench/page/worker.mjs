// A worker of the page: measures one cell. A failure ends as the worker's error event.
import * as core from "../core.ts";
import { measure } from "../micro-case.mjs";
import { engineOpener } from "../open-engine.mjs";

const openEngine = engineOpener(core, (name) => WebAssembly.compileStreaming(fetch(`wasm/${name}.wasm`)));

addEventListener("message", ({ data: { cell, how } }) => {
  measure(cell, how, openEngine).then(postMessage, reportError);
});
