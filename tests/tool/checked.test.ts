// The build with asserts: a call that would read or write where nothing is traps there, and in no build that is published.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { Exports } from "../../src/border/exports.js";
import { EMPTY, FRESH, stateBytes } from "../../src/words/state.js";

/** An empty Flat index with room for a block of slots. */
function opened(file: string): Exports {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(readFileSync(`dist/wasm/${file}.wasm`));
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Exports;
  const given = { seed: 1, kind: 0, metric: 0, codec: 0, dimensions: 4, rerank: 0, rerankFactor: 1 };
  new Uint8Array(memory.buffer).set(stateBytes({ ...EMPTY, ...FRESH, ...given }), exports.STATE.value);
  expect(exports.open(65536)).toBe(0);
  expect(exports.reserve(10, false, 10)).toBe(0);
  return exports;
}

const WRONG: readonly [what: string, call: (exports: Exports) => unknown][] = [
  ["a column that is not there", (wasm) => wasm.columnStride(0, 99)],
  ["a slot behind the last block", (wasm) => wasm.columnAt(0, 0, 1 << 20)],
  ["a table that is not there", (wasm) => wasm.blobAt(wasm.blobCount())],
  ["scratch given back that is in use", (wasm) => wasm.reset(wasm.alloc(64) + 128)],
  ["scratch given back to an address between cache lines", (wasm) => wasm.reset(wasm.alloc(64) + 4)],
  ["permanent memory given back", (wasm) => wasm.reset(wasm.mark() - 64)],
  ["permanent memory behind scratch", (wasm) => wasm.alloc(64) && wasm.reserve(100_000, false, 10)],
];

it.each(WRONG)("%s", (_, call) => {
  expect(() => call(opened("checked"))).toThrow(WebAssembly.RuntimeError);
  for (const published of ["simd", "scalar-core"]) call(opened(published));
});
