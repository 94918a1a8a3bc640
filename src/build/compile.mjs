// Compiles variants of assembly/ as asked: a process of its own, since two compile twice as fast, and one that stays, since the
// compiler is twice as fast once it is warm. Message: { target, entry, file }; answer: { failure }, an error's text or nothing.
import { readFileSync, writeFileSync } from "node:fs";
import asc from "assemblyscript/asc";
import binaryen from "assemblyscript/binaryen";

const { targets } = JSON.parse(readFileSync("asconfig.json", "utf8"));

const FEATURES = { simd: "SIMD128", "relaxed-simd": "RelaxedSIMD", threads: "Atomics" };
const ALWAYS = ["BulkMemory", "BulkMemoryOpt", "NontrappingFPToInt", "SignExt", "MutableGlobals"];

/** Another pass for size alone, what `wasm-opt -Os` does: 2 % of the download, and no kernel slower. */
function shrunk(bytes, enabled = []) {
  const module = binaryen.readBinary(bytes);
  const names = [...ALWAYS, ...enabled.map((name) => FEATURES[name])];
  module.setFeatures(names.reduce((all, name) => all | binaryen.Features[name], 0));
  binaryen.setOptimizeLevel(2);
  binaryen.setShrinkLevel(1);
  binaryen.setGenerateStackIR(true);
  binaryen.setOptimizeStackIR(true);
  // Back to binaryen's own: the compiler, which shares this instance, has set others.
  binaryen.setDebugInfo(false);
  binaryen.setLowMemoryUnused(false);
  binaryen.setZeroFilledMemory(false);
  binaryen.setAlwaysInlineMaxSize(2);
  binaryen.setFlexibleInlineMaxSize(20);
  binaryen.setOneCallerInlineMaxSize(-1);
  module.optimize();
  module.optimize(); // what the first has made possible: 73 bytes less to download
  const out = module.emitBinary();
  module.dispose();
  return out;
}

async function compile({ target, entry, file }) {
  const { error, stderr } = await asc.main([entry, "--config", "asconfig.json", "--target", target, "--outFile", file]);
  if (error) return `${target}: ${error.message}\n${stderr}`;
  if (!targets[target].debug) writeFileSync(file, shrunk(readFileSync(file), targets[target].enable));
  return undefined;
}

process.on("message", async (task) => {
  const failure = await compile(task).catch((error) => `${task.target}: ${error.stack}`);
  process.send({ failure }, () => {}); // whoever asked may have ended meanwhile
});
process.on("disconnect", () => process.exit());
