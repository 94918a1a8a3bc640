// A worker of the page: measures one cell. A failure ends as the worker's error event.

import { measure } from "../../src/pages/kernels/micro-case.mjs";
import { engineOpener } from "../../src/pages/kernels/open-engine.mjs";
import * as core from "../kit/core.ts";

const openEngine = engineOpener(core, (name) => WebAssembly.compileStreaming(fetch(`wasm/${name}.wasm`)));

addEventListener("message", ({ data: { cell, how } }) => {
  measure(cell, how, openEngine).then(postMessage, reportError);
});
