// What callers hand in and go on using: arrays that are filled anew, promises that never settle, bytes, arrays that died.
import { File } from "node:buffer";
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { MessageChannel, Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";
import { compareMetrics, type FetchVectors, Flat, Hnsw, Ivf, inspect, load, VectorIndex, type VicinalError } from "vicinal";
import { openFile } from "vicinal/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectSameBytes } from "../support/answers.js";
import { create } from "../support/cases.js";
import { exactData, flatten, packed } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";

const D = 16;
const N = 60;

/** Anything, past the compiler. */
// biome-ignore lint/suspicious/noExplicitAny: bad input has no type
const any = (value: unknown): any => value;

describe("what was handed over is what is stored, whatever becomes of the array", () => {
  type Values = Float32Array | Uint8Array | number[];
  type Fill = (to: Values, values: ArrayLike<number>) => void;
  const fill: Fill = (to, values) => {
    for (let i = 0; i < values.length; i++) to[i] = values[i];
  };
  const INDICES = [
    { name: "flat", make: (metric: "l2" | "hamming") => create("flat", { dimensions: D, metric }) },
    { name: "hnsw", make: (metric: "l2" | "hamming") => create("hnsw", { dimensions: D, metric }) },
    {
      name: "ivf that trains on the way",
      make: (metric: "l2" | "hamming") => create("ivf", { dimensions: D, metric, nlist: 2, trainAt: 40 }),
    },
  ];
  /** A source's items, each of some rows of an array that the next item fills anew. */
  const FORMS: {
    name: string;
    metric: "l2" | "hamming";
    rows: number;
    buffer: () => Values;
    of: (row: Float32Array) => Values;
  }[] = [
    { name: "a Float32Array", metric: "l2", rows: 1, buffer: () => new Float32Array(D), of: (row) => row },
    { name: "a plain array", metric: "l2", rows: 1, buffer: () => [], of: (row) => row },
    { name: "a chunk of two rows", metric: "l2", rows: 2, buffer: () => new Float32Array(2 * D), of: (row) => row },
    { name: "an Int8Array", metric: "l2", rows: 1, buffer: () => any(new Int8Array(D)), of: (row) => row },
    { name: "bits", metric: "hamming", rows: 1, buffer: () => new Uint8Array(D / 8), of: packed },
    { name: "a chunk of two rows of bits", metric: "hamming", rows: 2, buffer: () => new Uint8Array(D / 4), of: packed },
    { name: "a Node Buffer of bits", metric: "hamming", rows: 1, buffer: () => Buffer.alloc(D / 8), of: packed },
  ];

  for (const { name, metric, rows: n, buffer, of } of FORMS) {
    const rows = exactData(metric, N, D, 3);
    function* refilled(): Generator<Values> {
      const one = buffer();
      for (let i = 0; i < N; i += n) {
        fill(
          one,
          rows.slice(i, i + n).flatMap((row) => [...of(row)]),
        );
        yield one;
      }
      fill(one, new Array(one.length).fill(1));
    }
    async function* refilledLater(): AsyncGenerator<Values> {
      for (const one of refilled()) {
        await null;
        yield one;
        await null;
      }
    }
    /** An iterator that fills while nobody has asked for the next. */
    const eager = {
      [Symbol.asyncIterator]() {
        const source = refilled();
        return { next: async () => source.next() };
      },
    };
    describe(name, () => {
      // Ivf has no hamming.
      it.each(INDICES.filter(({ name }) => metric === "l2" || !name.startsWith("ivf")))(
        "yielded again and again to $name",
        async ({ make }) => {
          for (const source of [refilled(), refilledLater(), eager]) {
            const index = await make(metric);
            await index.addAll(any(source));
            expect(index.size).toBe(N);
            for (const [id, row] of rows.entries()) expect(index.get(id), `row ${id}`).toEqual(row);
          }
        },
      );
    });
  }

  /** What is called with arrays, which are then filled with nines before the promise is awaited. */
  const rows = exactData("l2", N, D, 4);
  const arrays = (): { flat: Float32Array; typed: Float32Array[]; plain: number[][] } => ({
    flat: flatten(rows),
    typed: rows.map((row) => row.slice()),
    plain: rows.map((row) => [...row]),
  });
  const nines = (list: Float32Array | (Float32Array | number[])[]): void => {
    if (list instanceof Float32Array) list.fill(9);
    else {
      for (const row of list) row.fill(9);
      list.length = 0;
    }
  };
  const SHAPES = ["flat", "typed", "plain"] as const;

  it.each(SHAPES)("of addAll(%s): its ids", async (shape) => {
    for (const { make } of INDICES) {
      const index = await make("l2");
      const ids = rows.map((_, i) => 1000 - i);
      const adding = index.addAll(any(arrays()[shape]), { ids });
      ids.fill(7);
      await adding;
      for (const [i, row] of rows.entries()) expect(index.get(1000 - i)).toEqual(row);
      expect(index.size).toBe(N);
    }
  });

  it.each(SHAPES)("of train(%s)", async (shape) => {
    const files: Uint8Array[] = [];
    for (const late of [false, true]) {
      const index = await Ivf.create({ dimensions: D, metric: "l2", nlist: 4 });
      const sample = arrays()[shape];
      const training = index.train(any(sample));
      if (late) nines(sample);
      await training;
      index.add(rows);
      files.push(index.toBytes());
    }
    expect(Buffer.compare(files[0], files[1])).toBe(0);
  });

  it.each(SHAPES)("of compareMetrics(%s)", async (shape) => {
    const [base, queries] = [arrays()[shape], arrays()[shape]];
    const options = { k: 5, dimensions: D };
    const before = await compareMetrics(any(queries), any(base), "l2", "dot", options);
    const comparing = compareMetrics(any(queries), any(base), "l2", "dot", options);
    nines(base);
    nines(queries);
    expect(await comparing).toEqual(before);
  });

  it("of load and inspect", async () => {
    const index = await Hnsw.create({ dimensions: D, metric: "l2" });
    index.add(rows);
    const file = index.toBytes();
    const info = await inspect(file);
    for (const form of [(bytes: Uint8Array) => bytes, (bytes: Uint8Array) => bytes.buffer, Buffer.from]) {
      const bytes = any(form)(file.slice());
      const [loading, inspecting] = [load(bytes), inspect(bytes)];
      new Uint8Array(bytes.buffer ?? bytes).fill(9);
      expect(Buffer.compare((await loading).toBytes(), file)).toBe(0);
      expect(await inspecting).toEqual(info);
    }
  });

  describe("and of fetchVectors", () => {
    const D = 32;
    const all = exactData("l2", 600, D, 5);
    /** One buffer for all answers; the ids are gone with the question, as after postMessage. */
    function careless(ids: Uint32Array): Float32Array {
      const answer = buffer.subarray(0, ids.length * D);
      Array.from(ids, (id, i) => answer.set(all[id], i * D));
      structuredClone(ids, { transfer: [ids.buffer] });
      return answer;
    }
    const buffer = new Float32Array(all.length * D);
    const make = async (fetchVectors: FetchVectors): Promise<VectorIndex> => {
      const index = await Flat.create({ dimensions: D, metric: "l2", codec: "rabitq", rerank: { fetchVectors } });
      await index.train(all);
      await index.addAll(all.values());
      return index;
    };

    it("searches and training see what it brought", async () => {
      const [own, shared] = [
        await make((ids) => Array.from(ids, (id) => all[id])),
        await make(async (ids) => {
          await null;
          return careless(ids);
        }),
      ];
      for (const options of [{}, { radius: 900 }, { exact: true }]) {
        expect(await shared.searchAsync(all[3], options)).toEqual(await own.searchAsync(all[3], options));
      }
      // The sample is kept while other answers come in the same buffer.
      const reports = await Promise.all([own.train(), shared.train(), shared.searchAsync(all[1]), shared.searchAsync(all[2])]);
      expect(reports[1]).toEqual(reports[0]);
      expect(Buffer.compare(shared.toBytes(), own.toBytes())).toBe(0);
    });

    it("a filter is the one that was given", async () => {
      const filter = Uint32Array.from({ length: 50 }, (_, i) => i * 7);
      const expected = await (await make((ids) => Array.from(ids, (id) => all[id]))).searchAsync(all[3], {
        filter,
        radius: 2000,
      });
      const index = await make(async (ids) => Array.from(ids, (id) => all[id]));
      const searching = index.searchAsync(all[3], { filter, radius: 2000 });
      filter.fill(1);
      expect(await searching).toEqual(expected);
    });
  });
});

describe("a promise that waits for others can be ended", () => {
  const D = 16;
  const rows = exactData("l2", 400, D, 6);
  const never = new Promise<never>(() => {});

  /** An index whose fetchVectors does not answer any more. */
  async function stuck(): Promise<VectorIndex> {
    let answers = true;
    const index = await Flat.create({
      dimensions: D,
      metric: "l2",
      codec: "rabitq",
      rerank: { fetchVectors: (ids) => (answers ? Array.from(ids, (id) => rows[id]) : never) },
    });
    await index.train(rows);
    index.add(rows);
    answers = false;
    return index;
  }
  const flat = (): Promise<VectorIndex> => create("flat", { dimensions: D, metric: "l2" });

  interface Source {
    readonly iterable: AsyncIterable<Float32Array>;
    /** Whether return() was called, which never settles either. */
    returned: boolean;
  }
  function waiting(first: number): Source {
    const items = rows.slice(0, first).values();
    const source: Source = {
      iterable: {
        [Symbol.asyncIterator]: () => ({
          async next() {
            const { value, done } = items.next();
            return done ? never : { value, done: false };
          },
          return() {
            source.returned = true;
            return never;
          },
        }),
      },
      returned: false,
    };
    return source;
  }
  async function* generator(): AsyncGenerator<Float32Array> {
    yield* rows.slice(0, 5);
    await never;
  }
  const ofPromises = [Promise.resolve(rows[0]), never];

  type Wait = [
    name: string,
    make: () => Promise<VectorIndex>,
    begin: (index: VectorIndex, signal?: AbortSignal) => Promise<unknown>,
  ];
  const ABORTABLE: Wait[] = [
    ["addAll from what waits", flat, (index, signal) => index.addAll(waiting(5).iterable, { signal })],
    ["addAll from what never begins", flat, (index, signal) => index.addAll(waiting(0).iterable, { signal })],
    ["addAll from a generator that waits", flat, (index, signal) => index.addAll(generator(), { signal })],
    ["addAll from promises", flat, (index, signal) => index.addAll(any(ofPromises.values()), { signal })],
    ["searchAsync", stuck, (index, signal) => index.searchAsync(rows[0], { signal })],
    ["searchAsync within a radius", stuck, (index, signal) => index.searchAsync(rows[0], { radius: 1e6, signal })],
    ["train", stuck, (index, signal) => index.train(undefined, { signal })],
    ["train from a sample, whose vectors cannot be coded anew", stuck, (index, signal) => index.train(rows, { signal })],
    [
      "train behind another",
      stuck,
      (index, signal) => {
        index.train().catch(() => {});
        return index.train(rows, { signal });
      },
    ],
  ];
  const CLOSABLE: Wait[] = [
    ...ABORTABLE,
    [
      "compact behind training",
      stuck,
      (index) => {
        index.train().catch(() => {});
        return index.compact();
      },
    ],
  ];
  /** Until whatever can happen has happened. */
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it.each(ABORTABLE)("%s, by its signal", async (_, make, begin) => {
    const index = await make();
    for (const reason of [undefined, new Error("enough")]) {
      for (const wait of [turns, () => {}]) {
        const controller = new AbortController();
        const error = thrownBy(() => begin(index, controller.signal));
        await wait();
        controller.abort(reason);
        if (reason) expect(await error).toBe(reason);
        else expect(await error).toMatchObject({ name: "AbortError" });
      }
    }
    // Nothing is left behind: the index does what it did.
    index.add(rows.slice(0, 3), [7000, 7001, 7002]);
    index.remove([7000, 7001, 7002]);
    expect((await load(index.toBytes(), any(index.rerank ? { fetchVectors: () => never } : {}))).size).toBe(index.size);
  });

  it.each(CLOSABLE)("%s, by close()", async (_, make, begin) => {
    for (const wait of [turns, () => {}]) {
      const index = await make();
      const error = thrownBy(() => begin(index));
      await wait();
      index.close();
      expect(await error).toMatchObject({ name: "VicinalError", code: "CLOSED" });
    }
  });

  it.each(["abort", "close", "a bad vector"])("and the source is told, by %s, though it never answers", async (how) => {
    const index = await flat();
    const controller = new AbortController();
    const source = waiting(5);
    if (how === "a bad vector") {
      const { iterable } = source;
      const error = await thrownBy(() => index.addAll(any(mapped(iterable)), { signal: controller.signal }));
      expect(error).toMatchObject({ code: "BAD_DIMENSION" });
    } else {
      const error = thrownBy(() => index.addAll(source.iterable, { signal: controller.signal }));
      await turns();
      if (how === "abort") controller.abort();
      else index.close();
      expect(await error).toBeInstanceOf(Error);
    }
    expect(source.returned).toBe(true);

    function mapped(items: AsyncIterable<Float32Array>): AsyncIterable<unknown> {
      const inner = items[Symbol.asyncIterator]();
      const short = async (): Promise<unknown> => ({ done: false, value: (await inner.next()).value.slice(1) });
      return any({ [Symbol.asyncIterator]: () => ({ next: short, return: () => inner.return?.() }) });
    }
  });

  it("an iterable of ids is told too, as is a plain iterator", async () => {
    const told: string[] = [];
    function* endless<T>(name: string, value: (i: number) => T): Generator<T> {
      try {
        for (let i = 0; ; i++) yield value(i);
      } finally {
        told.push(name);
      }
    }
    const index = await flat();
    const controller = new AbortController();
    const adding = index.addAll(
      endless("vectors", (i) => rows[i % rows.length]),
      { ids: endless("ids", (i) => 2 * i), signal: controller.signal },
    );
    await turns();
    controller.abort();
    expect(await thrownBy(() => adding)).toMatchObject({ name: "AbortError" });
    expect(told).toEqual(["vectors", "ids"]);
    expect(index.size).toBeGreaterThan(0);
    expect(index.has(2)).toBe(true);
  });

  it("by the one who is asked, before the answer that never comes", async () => {
    const controller = new AbortController();
    let index = await flat();
    const next = (): Promise<never> => {
      controller.abort();
      return never;
    };
    const source = { [Symbol.asyncIterator]: () => ({ next }) };
    expect(await thrownBy(() => index.addAll(any(source), { signal: controller.signal }))).toMatchObject({ name: "AbortError" });
    const fetchVectors: FetchVectors = (ids) => {
      if (!closes) return Array.from(ids, (id) => rows[id]);
      index.close();
      return never;
    };
    let closes = false;
    index = await Flat.create({ dimensions: D, codec: "rabitq", rerank: { fetchVectors } });
    await index.train(rows);
    index.add(rows);
    closes = true;
    expect(await thrownBy(() => index.searchAsync(rows[0]))).toMatchObject({ code: "CLOSED" });
  });

  it("what was behind it then has its turn", async () => {
    const index = await stuck();
    const controller = new AbortController();
    const training = thrownBy(() => index.train(undefined, { signal: controller.signal }));
    index.remove([1, 2, 3]);
    let compacted = false;
    const compacting = index.compact().then(() => {
      compacted = true;
    });
    await turns();
    expect(compacted).toBe(false);
    controller.abort();
    expect(await training).toMatchObject({ name: "AbortError" });
    await compacting;
    expect(index.size).toBe(397);
  });

  it("searchAsync heeds its signal where nothing is fetched, too; search has none", async () => {
    const index = await flat();
    index.add(rows);
    const { signal } = new AbortController();
    expect(await index.searchAsync(rows[0], { k: 3, signal })).toEqual(index.search(rows[0], { k: 3 }));
    expect(await thrownBy(() => index.searchAsync(rows[0], { signal: AbortSignal.abort() }))).toMatchObject({
      name: "AbortError",
    });
    for (const one of [index, await stuck()]) {
      await expectError(() => one.searchAsync(rows[0], { signal: any(5) }), "BAD_OPTION", "signal is 5");
      await expectError(() => one.search(rows[0], any({ signal })), "BAD_OPTION", '"signal"');
    }
  });
});

describe("an array whose buffer is gone is named, everywhere", () => {
  const rows = exactData("l2", 8, D, 7);
  const bits = exactData("hamming", 8, D, 7);
  const transferred = <T extends ArrayBufferView>(view: T): T => {
    structuredClone(view, { transfer: [view.buffer as ArrayBuffer] });
    return view;
  };
  /** Too short for the view, which does not follow it. */
  const shrunk = <T extends ArrayBufferView>(view: T): T => {
    const buffer = new (any(ArrayBuffer))(view.byteLength, { maxByteLength: view.byteLength });
    const gone = new (any(view.constructor))(buffer, 0, any(view).length);
    buffer.resize(1);
    return gone;
  };
  const floats = (n = D): Float32Array => new Float32Array(n).fill(1);

  type Use = [
    name: string,
    code: VicinalError["code"],
    saying: RegExp,
    use: (index: VectorIndex, dead: typeof transferred) => unknown,
  ];
  const USES: Use[] = [
    ["vectors in a row", "BAD_DIMENSION", /^vectors is \[Float32Array\]/, (x, dead) => x.add(dead(floats(2 * D)))],
    ["doubles", "BAD_DIMENSION", /^vectors is \[Float64Array\]/, (x, dead) => x.add(dead(new Float64Array(D)))],
    ["a row", "BAD_DIMENSION", /^vectors\[1\] is/, (x, dead) => x.add([rows[0], dead(floats())])],
    ["a query", "BAD_DIMENSION", /^query is/, (x, dead) => x.search(dead(floats()))],
    ["a query of searchAsync", "BAD_DIMENSION", /^query is/, (x, dead) => x.searchAsync(dead(floats()))],
    ["queries in a row", "BAD_DIMENSION", /^queries is/, (x, dead) => x.searchBatch(dead(floats(2 * D)))],
    ["a query among others", "BAD_DIMENSION", /^queries\[0\] is/, (x, dead) => x.searchBatch([dead(floats()), rows[0]])],
    ["a source", "BAD_DIMENSION", /^source is/, (x, dead) => x.addAll(dead(floats(2 * D)))],
    ["an item of a source", "BAD_DIMENSION", /^source\[1\] is/, (x, dead) => x.addAll([rows[0], dead(floats())].values())],
    ["a sample", "BAD_DIMENSION", /^sample is/, (x, dead) => x.train(dead(floats(2 * D)))],
    ["ids of add", "BAD_ID", /^ids is \[Uint32Array\]/, (x, dead) => x.add([], dead(Uint32Array.of(9)))],
    ["ids of addAll", "BAD_ID", /^ids is/, (x, dead) => x.addAll([rows[0]], { ids: dead(Uint32Array.of(9)) })],
    ["ids to remove", "BAD_ID", /^ids is/, (x, dead) => x.remove(dead(Uint32Array.of(1, 2)))],
    ["a filter of ids", "BAD_OPTION", /^filter is/, (x, dead) => x.search(rows[0], { filter: dead(Uint32Array.of(1, 2)) })],
    ["a bitset", "BAD_OPTION", /^filter is/, (x, dead) => x.searchBatch([rows[0]], { filter: dead(Uint8Array.of(1, 2)) })],
    [
      "vectors to compare",
      "BAD_DIMENSION",
      /^base is/,
      (_, dead) => compareMetrics(rows, dead(floats()), "l2", "dot", { dimensions: D }),
    ],
    ["a file", "BAD_FILE", /ArrayBuffer was transferred or shrunk/, (x, dead) => load(dead(x.toBytes()))],
    ["a file to inspect", "BAD_FILE", /ArrayBuffer was transferred or shrunk/, (x, dead) => inspect(dead(x.toBytes()))],
  ];
  const WAYS = { transferred, shrunk };

  describe.each(Object.entries(WAYS))("%s", (_, dead) => {
    it.each(USES)("%s", async (_, code, saying, use) => {
      const index = await create("flat", { dimensions: D, metric: "l2" });
      index.add(rows);
      const before = index.toBytes();
      await expectError(() => use(index, dead), code, saying);
      await expectError(() => use(index, dead), code, "transferred or shrunk");
      expectSameBytes(index.toBytes(), before);
    });

    it("bits", async () => {
      const index = await create("flat", { dimensions: D, metric: "hamming" });
      index.add(bits);
      const row = (): Uint8Array => dead(new Uint8Array(D / 8));
      for (const use of [
        () => index.add(row()),
        () => index.add([row()]),
        () => index.search(row()),
        () => index.addAll(row()),
      ]) {
        await expectError(use, "BAD_DIMENSION", "transferred or shrunk");
      }
      expect(index.size).toBe(8);
    });
  });

  it("the buffer of a file", async () => {
    const file = (await create("flat", { dimensions: D })).toBytes();
    await expectError(() => load(any(transferred(file).buffer)), "BAD_FILE", "transferred or shrunk");
  });

  it("an array that lives and is empty still is nothing to add", async () => {
    const index = await create("flat", { dimensions: D, metric: "l2" });
    index.add(new Float32Array(0), new Uint32Array(0));
    await index.addAll(new Float32Array(0));
    expect(index.remove(new Uint32Array(0))).toBe(0);
    index.add(rows);
    expect(index.search(rows[0], { filter: new Uint32Array(0) })).toEqual([]);
    expect(index.size).toBe(8);
  });
});

describe("what is no id is named", () => {
  const rows = exactData("l2", 8, D, 8);
  const BAD: [id: unknown, shown: string][] = [
    ["1", '"1"'],
    ["", '""'],
    [1n, "1n"],
    [true, "true"],
    [1.5, "1.5"],
    [-1, "-1"],
    [NaN, "NaN"],
    [2 ** 32 - 1, "4294967295"],
    [2 ** 40, "1099511627776"],
    [null, "null"],
    [undefined, "undefined"],
    [[1], "[Array]"],
    [{}, "[Object]"],
    [Symbol("s"), "Symbol(s)"],
  ];
  const USES: [name: string, at: string, use: (index: VectorIndex, ids: unknown[]) => unknown][] = [
    ["a filter", "filter[1]", (index, filter) => index.search(rows[0], { filter: any(filter) })],
    ["a Set", "filter[1]", (index, filter) => index.search(rows[0], { filter: any(new Set(filter)) })],
    ["a filter within a radius", "filter[1]", (index, filter) => index.search(rows[0], { filter: any(filter), radius: 9 })],
    ["a filter of a batch", "filter[1]", (index, filter) => index.searchBatch(rows, { filter: any(filter) })],
    ["a filter of searchAsync", "filter[1]", (index, filter) => index.searchAsync(rows[0], { filter: any(filter) })],
    ["a filter to prepare", "filter[1]", (index, filter) => index.prepareFilter(any(filter))],
    ["a Set to prepare", "filter[1]", (index, filter) => index.prepareFilter(any(new Set(filter)))],
    ["the ids of add", "ids[1]", (index, ids) => index.add(rows.slice(0, 2), any(ids))],
    ["the ids of addAll", "ids[1]", (index, ids) => index.addAll(rows.slice(0, 2), { ids: any(ids) })],
    ["the ids of addAll from a Set", "ids[1]", (index, ids) => index.addAll(rows.slice(0, 2), { ids: any(new Set(ids)) })],
    ["the ids to remove", "ids[1]", (index, ids) => index.remove(any(ids))],
  ];
  describe.each(USES)("in %s", (_, at, use) => {
    it.each(BAD)("%o", async (id, shown) => {
      const index = await create("flat", { dimensions: D, metric: "l2" });
      index.add(rows);
      await expectError(() => use(index, [100, id]), "BAD_ID", `${at} is ${shown}; an id is an integer from 0 to 4294967294`);
      expect(index.size).toBe(8);
    });

    it.each(["Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"] as const)("%s", async (type) => {
      const index = await create("flat", { dimensions: D, metric: "l2" });
      index.add(rows);
      const ids: unknown = type.startsWith("Big")
        ? new globalThis[type as "BigInt64Array"](2)
        : new globalThis[type as "Float64Array"]([8, 1.5]);
      const error = await thrownBy(() => use(index, any(ids)));
      if (at === "filter[1]" && !_.includes("Set"))
        expect(error).toMatchObject({ code: "BAD_OPTION", message: expect.stringContaining(type) });
      else expect(error).toMatchObject({ code: "BAD_ID", message: expect.stringMatching(/is (0n|1\.5);/) });
      expect(index.size).toBe(8);
    });
  });
});

describe("bytes are not taken for numbers", () => {
  const rows = exactData("l2", 8, D, 9);
  const values = flatten(rows);
  const bufferOf = (list: Float32Array | Uint32Array): Buffer => Buffer.from(list.buffer, list.byteOffset, list.byteLength);
  const folder = mkdtempSync(join(tmpdir(), "vicinal-"));
  const path = join(folder, "vectors.f32");
  writeFileSync(path, values);
  afterAll(() => rmSync(folder, { recursive: true }));

  const FLOATS = /Buffer, of bytes: give new Float32Array\(b\.buffer, b\.byteOffset, b\.byteLength \/ 4\)/;
  const STREAM =
    /source is a stream, cut anywhere, of bytes: give new Float32Array\(b\.buffer, b\.byteOffset, b\.byteLength \/ 4\)/;
  const IDS = /Buffer, of bytes: give new Uint32Array\(b\.buffer, b\.byteOffset, b\.byteLength \/ 4\)/;
  const row = bufferOf(rows[0]);
  const short = Buffer.alloc(D);
  const USES: [name: string, code: VicinalError["code"], saying: RegExp, use: (index: VectorIndex) => unknown][] = [
    ["readFileSync", "BAD_DIMENSION", FLOATS, (x) => x.add(readFileSync(path))],
    ["a Buffer for each row", "BAD_DIMENSION", FLOATS, (x) => x.add([row, row])],
    ["a Buffer as long as a row", "BAD_DIMENSION", FLOATS, (x) => x.add([short])],
    ["a query", "BAD_DIMENSION", FLOATS, (x) => x.search(row)],
    ["a query as long as a row", "BAD_DIMENSION", FLOATS, (x) => x.search(short)],
    ["queries", "BAD_DIMENSION", FLOATS, (x) => x.searchBatch(bufferOf(values))],
    ["a sample", "BAD_DIMENSION", FLOATS, (x) => x.train(bufferOf(values))],
    ["a source", "BAD_DIMENSION", FLOATS, (x) => x.addAll(bufferOf(values))],
    ["an item of a source", "BAD_DIMENSION", FLOATS, (x) => x.addAll([row].values())],
    ["createReadStream", "BAD_DIMENSION", FLOATS, (x) => x.addAll(any(createReadStream(path)))],
    ["a stream's chunks", "BAD_DIMENSION", FLOATS, (x) => x.addAll(any(createReadStream(path, { highWaterMark: D })))],
    ["the body of a Response", "BAD_DIMENSION", STREAM, (x) => x.addAll(any(new Response(any(values)).body))],
    ["the stream of a Blob", "BAD_DIMENSION", STREAM, (x) => x.addAll(any(new Blob([any(values)]).stream()))],
    [
      "a stream that was gzipped",
      "BAD_DIMENSION",
      STREAM,
      (x) => x.addAll(any(new Blob([gzipSync(values)]).stream().pipeThrough(new DecompressionStream("gzip")))),
    ],
    ["ids of add", "BAD_ID", IDS, (x) => x.add(rows.slice(0, 4), bufferOf(Uint32Array.of(9)))],
    ["ids of addAll", "BAD_ID", IDS, (x) => x.addAll(rows.slice(0, 4), { ids: bufferOf(Uint32Array.of(9)) })],
    ["ids to remove", "BAD_ID", IDS, (x) => x.remove(bufferOf(Uint32Array.of(1)))],
    ["vectors to compare", "BAD_DIMENSION", FLOATS, () => compareMetrics(rows, row, "l2", "dot", { dimensions: D })],
  ];
  it.each(USES)("%s", async (_, code, saying, use) => {
    const index = await create("flat", { dimensions: D, metric: "l2" });
    index.add(rows);
    await expectError(() => use(index), code, saying);
    expect(index.size).toBe(8);
  });

  it("nor in what fetchVectors brings", async () => {
    const brings: unknown[] = [bufferOf(rows[0]), [bufferOf(rows[0])]];
    let answer: (ids: Uint32Array) => unknown = (ids) => Array.from(ids, (id) => rows[id]);
    const fetchVectors: FetchVectors = (ids) => any(answer(ids));
    const index = await Flat.create({ dimensions: D, codec: "rabitq", trainAt: 8, rerank: { fetchVectors } });
    index.add(rows);
    for (const brought of brings) {
      answer = () => brought;
      await expectError(() => index.search(rows[0], { k: 1 }), "BAD_DIMENSION", FLOATS);
      await expectError(() => index.train(), "BAD_DIMENSION", FLOATS);
    }
  });

  it("the remedy is one", async () => {
    const index = await create("flat", { dimensions: D, metric: "l2" });
    const b = readFileSync(path);
    index.add(new Float32Array(b.buffer, b.byteOffset, b.byteLength / 4));
    expect(index.get(5)).toEqual(rows[5]);
  });

  it("small integers stay vectors, also in a stream of one's own", async () => {
    for (const type of [Uint8Array, Int8Array, Uint8ClampedArray, Int16Array, Uint32Array]) {
      const small = exactData("hamming", 8, D, 9).map((row) => type.from(row));
      const index = await create("flat", { dimensions: D, metric: "l2" });
      index.add(small);
      index.add(type.from(small.flatMap((row) => [...row])));
      await index.addAll(small.values());
      await index.addAll(any(Readable.from(small)));
      expect(index.size).toBe(32);
      for (const id of index.ids()) expect(index.get(id)).toEqual(Float32Array.from(small[id % 8]));
    }
  });

  it("a stream of vectors is read", async () => {
    const index = await create("flat", { dimensions: D, metric: "l2" });
    const stream = new ReadableStream({
      start(to) {
        for (const row of rows) to.enqueue(row);
        to.close();
      },
    });
    await index.addAll(any(stream));
    expect(index.get(7)).toEqual(rows[7]);
  });

  describe("under hamming", () => {
    const rows = exactData("hamming", 16, D, 9);
    const bits = Uint8Array.from(rows.flatMap((row) => [...packed(row)]));
    const signed = new Int8Array(bits.buffer);

    it("a Buffer is bits", async () => {
      const index = await create("flat", { dimensions: D, metric: "hamming" });
      index.add(Buffer.from(bits));
      index.add(rows.map((row) => Buffer.from(packed(row))));
      await index.addAll(any(Readable.from([Buffer.from(bits)])));
      await index.addAll(any(new Blob([any(bits)]).stream()));
      for (const id of index.ids()) expect(index.get(id)).toEqual(rows[id % 16]);
      expect(index.search(Buffer.from(packed(rows[3])), { k: 4 }).every(({ distance }) => distance === 0)).toBe(true);
      expect(index.size).toBe(64);
    });

    it.each([Int8Array, Int16Array, Uint16Array, Int32Array, Uint32Array])("%o in a row may be bits or numbers", async (type) => {
      const index = await create("flat", { dimensions: D, metric: "hamming" });
      const many = new type(bits.buffer);
      const saying = new RegExp(`\\[${type.name}\\]: bits \\(give new Uint8Array.*\\) or numbers \\(give Float32Array.from`);
      await expectError(() => index.add(many), "BAD_DIMENSION", saying);
      await expectError(() => index.searchBatch(many), "BAD_DIMENSION", saying);
      await expectError(() => index.addAll(many), "BAD_DIMENSION", saying);
      // By themselves their length tells.
      index.add(rows.map((row) => type.from(row)));
      expect(index.get(3)).toEqual(rows[3]);
      expect(index.size).toBe(16);
    });

    it("signed bytes that are bits are told from their length, one by one", async () => {
      const index = await create("flat", { dimensions: D, metric: "hamming" });
      const saying = /has 2 values, the index has 16 dimensions; packed bits are a Uint8Array/;
      await expectError(() => index.add([signed.subarray(0, 2)]), "BAD_DIMENSION", saying);
      await expectError(() => index.search(signed.subarray(0, 2)), "BAD_DIMENSION", saying);
      await expectError(() => index.addAll([signed.subarray(0, 2)].values()), "BAD_DIMENSION", saying);
    });
  });
});

describe("what is not our file", () => {
  const rows = exactData("l2", 8, D, 10);
  let file: Uint8Array;
  let origin: string;
  const server = createServer((request, response) => {
    if (request.url === "/index.vic") response.end(file);
    else response.writeHead(404, "Not Found", { "content-type": "text/html" }).end("<!doctype html><title>Not found</title>");
  });
  beforeAll(async () => {
    const index = await create("flat", { dimensions: D, metric: "l2" });
    index.add(rows);
    file = index.toBytes();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.close();
  });

  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const OTHERS: [name: string, bytes: () => Uint8Array, saying: RegExp][] = [
    ["HTML", () => text("<!DOCTYPE html>\n<html></html>"), /looks like HTML.*response\.ok/],
    ["HTML after a byte order mark and blanks", () => text("\ufeff\n  <html></html>"), /looks like HTML/],
    ["XML", () => text("<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>"), /looks like HTML/],
    ["JSON", () => text('{"error":"not found"}'), /looks like JSON/],
    ["a JSON array", () => text(" [1, 2, 3]".padEnd(200)), /looks like JSON/],
    ["gzip", () => gzipSync(file), /looks like gzip: decompress it/],
    ["zip", () => Uint8Array.of(80, 75, 3, 4, ...file), /looks like a zip/],
    [
      "a Git LFS pointer",
      () => text("version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 9"),
      /looks like a Git LFS pointer/,
    ],
    ["nothing", () => new Uint8Array(0), /it is empty/],
    ["a few bytes", () => text("hello"), /5 bytes are fewer than a header's 64/],
    ["text", () => text("hello".padEnd(100)), /does not begin with VICINAL/],
    ["the beginning of a file", () => file.slice(0, 60), /60 bytes are fewer than a header's 64/],
  ];
  it.each(OTHERS)("%s", async (_, bytes, saying) => {
    const folder = mkdtempSync(join(tmpdir(), "vicinal-"));
    const path = join(folder, "index.vic");
    writeFileSync(path, bytes());
    for (const read of [load, inspect]) {
      for (const from of [bytes(), bytes().slice().buffer, new Blob([any(bytes())]), new Response(any(bytes()))]) {
        await expectError(() => read(any(from)), "BAD_FILE", saying);
      }
    }
    await expectError(() => openFile(path), "BAD_FILE", saying);
    rmSync(folder, { recursive: true });
  });

  it("a Response that is not ok says its status and its url", async () => {
    for (const read of [load, inspect]) {
      const response = await fetch(`${origin}/gone.vic`);
      await expectError(() => read(response), "BAD_FILE", new RegExp(`^${origin}/gone.vic answered with status 404$`));
    }
    await expectError(() => load(new Response("", { status: 503 })), "BAD_FILE", "the server answered with status 503");
    // As it is often done.
    const page = await (await fetch(`${origin}/gone.vic`)).arrayBuffer();
    await expectError(() => load(page), "BAD_FILE", "HTML, perhaps an error page: check response.ok");
  });

  it("a Response and a Blob are files", async () => {
    const blob = new Blob([any(file)]);
    for (const from of [await fetch(`${origin}/index.vic`), blob, new File([any(blob)], "index.vic"), new Response(blob)]) {
      expectSameBytes((await load(from)).toBytes(), file);
    }
    expect(await inspect(await fetch(`${origin}/index.vic`))).toEqual(await inspect(file));
    expect(await inspect(blob)).toEqual(await inspect(file));
  });

  it("a promise of one is not, nor is what brings none", async () => {
    await expectError(() => load(any(Promise.resolve(new Response()))), "BAD_FILE", /a Response or a Blob, not \[Promise\]/);
    await expectError(() => load(any({ arrayBuffer: async () => "file" })), "BAD_FILE", /not "file"/);
    await expectError(() => load(any([1, 2, 3])), "BAD_FILE", /not \[Array\]/);
  });
});

describe("small traps", () => {
  const rows = exactData("l2", 60, D, 11);

  it("add returns the ids it gave", async () => {
    for (const kind of ["flat", "hnsw", "ivf"] as const) {
      const index = await create(kind, { dimensions: D, metric: "l2", ...(kind === "ivf" && { nlist: 2, trainAt: 40 }) });
      expect(index.add(rows.slice(0, 2))).toEqual(Uint32Array.of(0, 1));
      const ids = [70, 20];
      const given = index.add(rows.slice(0, 2), ids);
      expect(given).toEqual(Uint32Array.of(70, 20));
      expect(index.add([])).toEqual(new Uint32Array(0));
      // Of an index that trains within this call, too.
      expect(index.add(rows)).toEqual(Uint32Array.from({ length: 60 }, (_, i) => 71 + i));
      expect(index.trained).toBe(true);
      expect(index.get(72)).toEqual(rows[1]);
      given.fill(3);
      expect(index.has(20)).toBe(true);
    }
  });

  it("an index cannot be posted to a worker, and says what can", async () => {
    const index = await create("hnsw", { dimensions: D, metric: "l2" });
    index.add(rows);
    const worker = new Worker("require('node:worker_threads').parentPort.once('message', () => {})", { eval: true });
    const { port1 } = new MessageChannel();
    for (const send of [
      () => worker.postMessage(index),
      () => worker.postMessage({ index }),
      () => port1.postMessage([index]),
      () => structuredClone(index),
      () => new Worker("", { eval: true, workerData: index }),
    ]) {
      const error = (await thrownBy(send)) as Error;
      expect(error).toMatchObject({ name: "DataCloneError" });
      expect(error.message).toMatch(/post index\.toBytes\(\), and load\(\) that there/);
    }
    port1.close();
    await worker.terminate();
  });

  it("an index in a Proxy says so, whatever is asked", async () => {
    const index = await create("flat", { dimensions: D, metric: "l2" });
    index.add(rows);
    const proxy = new Proxy(index, {});
    const uses: Record<string, (index: VectorIndex) => unknown> = {
      add: (x) => x.add(rows),
      upsert: (x) => x.upsert(rows[0], 1),
      addAll: (x) => x.addAll(rows),
      train: (x) => x.train(),
      search: (x) => x.search(rows[0]),
      "search in a radius": (x) => x.search(rows[0], { radius: 5 }),
      searchAsync: (x) => x.searchAsync(rows[0]),
      explain: (x) => x.explain(rows[0]),
      prepareFilter: (x) => x.prepareFilter([1]),
      searchBatch: (x) => x.searchBatch(rows),
      has: (x) => x.has(1),
      get: (x) => x.get(1),
      ids: (x) => x.ids(),
      remove: (x) => x.remove(1),
      compact: (x) => x.compact(),
      toBytes: (x) => x.toBytes(),
      close: (x) => x.close(),
      stats: (x) => x.stats(),
      size: (x) => x.size,
      deleted: (x) => x.deleted,
      trained: (x) => x.trained,
      bytes: (x) => x.bytes,
      variant: (x) => x.variant,
      lastStats: (x) => x.lastStats,
    };
    const methods = Object.entries(Object.getOwnPropertyDescriptors(VectorIndex.prototype)).map(([name]) => name);
    const inner = ["constructor", "seat", "engine"];
    expect(methods.filter((name) => !inner.includes(name)).filter((name) => !(name in uses))).toEqual([]);
    for (const [name, use] of Object.entries(uses)) {
      const error = await thrownBy(() => use(proxy));
      expect(error, name).toMatchObject({ name: "VicinalError", code: "BAD_OPTION" });
      expect((error as Error).message).toMatch(/Proxy: in Vue, make it markRaw\(index\), or use toRaw\(index\)/);
    }
    expect(index.size).toBe(60);
    expect(proxy.dimensions).toBe(D);
  });

  const MEANT: [call: string, use: (index: VectorIndex) => unknown, saying: string][] = [
    ["dim", () => create("flat", any({ dim: 8 })), 'no option "dim" (did you mean "dimensions"?); it has dimensions, metric'],
    ["dimension", () => create("flat", any({ dimension: 8 })), '"dimension" (did you mean "dimensions"?)'],
    ["space", () => create("hnsw", any({ dimensions: 8, space: "l2" })), '"space" (did you mean "metric"?)'],
    ["Metric", () => create("hnsw", any({ dimensions: 8, Metric: "l2" })), '"Metric" (did you mean "metric"?)'],
    ["metirc", () => create("hnsw", any({ dimensions: 8, metirc: "l2" })), '"metirc" (did you mean "metric"?)'],
    ["M", () => create("hnsw", any({ dimensions: 8, M: 16 })), '"M" (did you mean "m"?)'],
    ["ef_construction", () => create("hnsw", any({ dimensions: 8, ef_construction: 9 })), '(did you mean "efConstruction"?)'],
    ["efSearch", () => create("hnsw", any({ dimensions: 8, efSearch: 9 })), '"efSearch" (did you mean "ef"?)'],
    ["n_probe", () => create("ivf", any({ dimensions: 8, n_probe: 9 })), '"n_probe" (did you mean "nprobe"?)'],
    [
      "euclidean",
      () => create("flat", any({ dimensions: 8, metric: "euclidean" })),
      '"euclidean" (did you mean "l2"?); it must be one of l2',
    ],
    ["L2", () => create("flat", any({ dimensions: 8, metric: "L2" })), '"L2" (did you mean "l2"?)'],
    ["ip", () => create("flat", any({ dimensions: 8, metric: "ip" })), '"ip" (did you mean "dot"?)'],
    ["inner_product", () => create("flat", any({ dimensions: 8, metric: "inner_product" })), '(did you mean "dot"?)'],
    ["cosin", () => create("flat", any({ dimensions: 8, metric: "cosin" })), '(did you mean "cosine"?)'],
    ["angular", () => create("flat", any({ dimensions: 8, metric: "angular" })), '(did you mean "cosine"?)'],
    ["float32", () => create("flat", any({ dimensions: 8, codec: "float32" })), '(did you mean "f32"?)'],
    ["int8", () => create("flat", any({ dimensions: 8, codec: "int8" })), '(did you mean "sq8"?)'],
    ["topK", (x) => x.search(rows[0], any({ topK: 5 })), 'search has no option "topK" (did you mean "k"?)'],
    ["top_k", (x) => x.searchBatch(rows, any({ top_k: 5 })), '"top_k" (did you mean "k"?)'],
    ["limit", (x) => x.searchAsync(rows[0], any({ limit: 5 })), '"limit" (did you mean "k"?)'],
    ["onprogress", (x) => x.addAll(rows, any({ onprogress: () => {} })), '(did you mean "onProgress"?)'],
    // What nobody can guess is not guessed.
    ["colour", () => create("flat", any({ dimensions: 8, colour: 1 })), 'no option "colour"; it has'],
    ["q", (x) => x.search(rows[0], any({ q: 1 })), 'no option "q"; it has'],
    ["chebyshev", () => create("flat", any({ dimensions: 8, metric: "chebyshev" })), '"chebyshev"; it must be one of'],
    ["an object", () => create("flat", any({ dimensions: 8, metric: Object.create(null) })), "; it must be one of"],
  ];
  it.each(MEANT)("did you mean: %s", async (_, use, saying) => {
    const index = await create("flat", { dimensions: D, metric: "l2" });
    await expectError(() => use(index), "BAD_OPTION", new RegExp(saying.replace(/[()?]/g, "\\$&")));
  });
});
