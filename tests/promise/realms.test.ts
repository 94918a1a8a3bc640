// What comes from another realm, where Set and Uint32Array are other classes (iframes, jsdom, Electron, node:vm), is what it is.
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { Flat, init, inspect, load, type VectorIndex } from "vicinal";
import { beforeEach, describe, expect, it } from "vitest";
import { expectSameBytes } from "../support/answers.js";
import { create } from "../support/cases.js";
import { exactData, flatten, packed } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";

const D = 16;
const N = 40;
const realm = createContext({});
/** Evaluated over there: not a class of it is one of ours. */
// biome-ignore lint/suspicious/noExplicitAny: values of any type
const there = (source: string): any => runInContext(`(${source})`, realm);
const floats = (values: ArrayLike<number>, type = "Float32Array") => there(`${type}.from([${Array.from(values)}])`);

// As abort-controller of npm has it: no reason, no throwIfAborted.
const POLYFILL = `class AbortSignal {
  aborted = false;
  listeners = new Set();
  get [Symbol.toStringTag]() { return "AbortSignal"; }
  addEventListener(type, listener) { this.listeners.add(listener); }
  removeEventListener(type, listener) { this.listeners.delete(listener); }
  abort() { this.aborted = true; for (const listener of this.listeners) listener(); }
}`;

const METRICS = ["l2", "hamming"] as const;

describe.each(METRICS)("%s", (metric) => {
  const rows = exactData(metric, N, D, 1);
  const bits = rows.map(packed);
  let index: VectorIndex;
  let other: VectorIndex;

  beforeEach(async () => {
    [index, other] = [await create("hnsw", { dimensions: D, metric }), await create("hnsw", { dimensions: D, metric })];
    index.add(rows);
  });

  const FORMS: [name: string, vectors: () => unknown][] = [
    ["numbers in a row", () => floats(flatten(rows))],
    ["an array of typed arrays", () => there(`[${rows.map((row) => `new Float32Array([${row}])`)}]`)],
    ["an array of arrays", () => there(`[${rows.map((row) => `[${row}]`)}]`)],
    ["doubles", () => rows.map((row) => floats(row, "Float64Array"))],
    ...(metric === "hamming"
      ? ([
          [
            "bits in a row",
            () =>
              floats(
                bits.flatMap((row) => [...row]),
                "Uint8Array",
              ),
          ],
          ["rows of bits", () => bits.map((row) => floats(row, "Uint8Array"))],
        ] as [string, () => unknown][])
      : []),
  ];
  it.each(FORMS)("%s", async (_, vectors) => {
    const [added, streamed] = [other, await create("hnsw", { dimensions: D, metric })];
    // biome-ignore lint/suspicious/noExplicitAny: of the other realm
    const given = vectors() as any;
    added.add(given);
    expectSameBytes(added.toBytes(), index.toBytes());
    await streamed.addAll(given, { ids: floats([...rows.keys()], "Uint32Array") });
    expect(streamed.size).toBe(N);
    const batch = index.searchBatch(given, { k: 3 });
    expect(batch).toEqual(index.searchBatch(rows, { k: 3 }));
  });

  it("an iterable, sync and async", async () => {
    const list = rows.map((row) => `new Float32Array([${row}])`);
    for (const source of [`(function* () { yield* [${list}]; })()`, `(async function* () { yield* [${list}]; })()`]) {
      const streamed = await create("hnsw", { dimensions: D, metric });
      await streamed.addAll(there(source));
      expect(streamed.ids()).toEqual(index.ids());
      expect(streamed.get(7)).toEqual(index.get(7));
    }
  });

  it("a query", () => {
    for (const query of [
      floats(rows[3]),
      there(`[${rows[3]}]`),
      ...(metric === "hamming" ? [floats(bits[3], "Uint8Array")] : []),
    ]) {
      expect(index.search(query, there("{ k: 4 }"))).toEqual(index.search(rows[3], { k: 4 }));
    }
  });

  it("a filter of each kind", () => {
    const expected = index.search(rows[3], { filter: [1, 2, 9] });
    for (const filter of [
      "new Set([1, 2, 9])",
      "[1, 2, 9]",
      "Uint32Array.of(1, 2, 9)",
      "Uint8Array.of(6, 2)",
      "(id) => id === 9 || id === 1 || id === 2",
    ]) {
      expect(index.search(rows[3], { filter: there(filter) }), filter).toEqual(expected);
    }
  });

  it("ids", () => {
    expect(index.remove(there("Uint32Array.of(1, 2)"))).toBe(2);
    index.add(rows.slice(1, 3), there("[50, 51]"));
    expect(index.has(51)).toBe(true);
  });

  it("BigInts are still no numbers", async () => {
    for (const type of ["BigInt64Array", "BigUint64Array"]) {
      await expectError(() => index.add(there(`new ${type}(${D})`)), "NOT_FINITE", "0n");
      await expectError(() => index.add([there(`new ${type}(${D})`)]), "NOT_FINITE", "0n");
    }
  });

  it("a file", async () => {
    const file = index.toBytes();
    const info = await inspect(file);
    for (const form of [
      "Uint8Array.from(bytes)",
      "Uint8Array.from(bytes).buffer",
      "new DataView(Uint8Array.from(bytes).buffer)",
    ]) {
      const bytes = there(`(bytes) => ${form}`)(file);
      expectSameBytes((await load(bytes)).toBytes(), file, form);
      expect(await inspect(bytes)).toEqual(info);
    }
  });
});

it("an AbortSignal", async () => {
  const signal = there(`new (${POLYFILL})()`);
  const index = await create("flat", { dimensions: 2 });
  const options = there("(signal) => ({ signal })")(signal);
  const adding = thrownBy(() => index.addAll(there("(async function* () { await new Promise(() => {}); })()"), options));
  await new Promise((resolve) => setTimeout(resolve, 20));
  signal.abort();
  expect(await adding).toMatchObject({ name: "AbortError" });
  expect(signal.listeners.size).toBe(0);
  expect(await thrownBy(() => index.addAll([[1, 2]], options))).toMatchObject({ name: "AbortError" });
  expect(index.size).toBe(0);
});

it("a WebAssembly.Module", async () => {
  const bytes = readFileSync(new URL("../../dist/wasm/simd-core.wasm", import.meta.url));
  const module = there("(bytes) => new WebAssembly.Module(Uint8Array.from(bytes))")(bytes);
  expect(module).not.toBeInstanceOf(WebAssembly.Module);
  expect(await init({ module })).toBe("simd");
  const index = await Flat.create({ dimensions: 2 });
  index.add([[1, 2]]);
  expect(index.search([1, 2])[0].id).toBe(0);
});
