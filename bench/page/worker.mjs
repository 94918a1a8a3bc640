// A worker of the page: measures one cell. A failure ends as the worker's error event.
import * as core from "../kit/core.ts";
import { engineOpener } from "../kit/open-engine.mjs";
import { measure } from "../suite/part/micro-case.mjs";

const openEngine = engineOpener(core, (name) => WebAssembly.compileStreaming(fetch(`wasm/${name}.wasm`)));

addEventListener("message", ({ data: { cell, how } }) => {
  measure(cell, how, openEngine).then(postMessage, reportError);
});
