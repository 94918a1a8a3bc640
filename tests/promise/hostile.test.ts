// Bad input: each a VicinalError with its code and the value in its sentence, and the index is what it was before.
import fc from "fast-check";
import {
  type Hit,
  type HnswOptions,
  init,
  inspect,
  load,
  type SearchOptions,
  type VectorIndex,
  type Vectors,
  VicinalError,
} from "vicinal";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { KINDS } from "../../src/words/kinds.js";
import { expectSameBytes, expectSameHits } from "../support/answers.js";
import { CASES, create, EVERY_KIND_AND_CODEC, KINDS_AND_CODECS, QUICK } from "../support/cases.js";
import { exactData, flatten, integers, packed } from "../support/data.js";
import { expectError, thrownBy } from "../support/errors.js";
import { THOROUGH, thorough } from "../support/thorough.js";

const D = 12;
const N = 40;

type Bad = [what: string, code: VicinalError["code"], saying: string | RegExp, call: (index: VectorIndex) => unknown];

/** Anything, past the compiler. */
// biome-ignore lint/suspicious/noExplicitAny: bad input has no type
const any = (value: unknown): any => value;
const good = (n = 1): number[][] => Array.from({ length: n }, (_, i) => Array.from({ length: D }, (_, j) => (i + j) % 2));
const withValue = (value: unknown, at = 5): number[] => any(good()[0].map((x, i) => (i === at ? value : x)));

/** Of every kind and codec. */
const ALWAYS: Bad[] = [
  ["a short vector", "BAD_DIMENSION", /vectors\[1\] has 11 values.*12/, (x) => x.add([good()[0], good()[0].slice(1)])],
  ["a long vector", "BAD_DIMENSION", /vectors\[0\] has 13 values/, (x) => x.add([[...good()[0], 1]])],
  ["an empty vector", "BAD_DIMENSION", /vectors\[0\] has 0 values/, (x) => x.add([[]])],
  ["a broken block", "BAD_DIMENSION", /25 values/, (x) => x.add(new Float32Array(25))],
  ["a broken list of numbers", "BAD_DIMENSION", /11 values/, (x) => x.add(good()[0].slice(1))],
  ["no vectors", "BAD_DIMENSION", /undefined/, (x) => x.add(any(undefined))],
  ["null for vectors", "BAD_DIMENSION", /null/, (x) => x.add(any(null))],
  ["text for vectors", "BAD_DIMENSION", /"abc"/, (x) => x.add(any("abc"))],
  ["a number for vectors", "BAD_DIMENSION", /5/, (x) => x.add(any(5))],
  ["a function for vectors", "BAD_DIMENSION", /Function/, (x) => x.add(any(() => 1))],
  ["a hole among vectors", "BAD_DIMENSION", /vectors\[1\] is null/, (x) => x.add(any([good()[0], null]))],
  ["text among vectors", "BAD_DIMENSION", /vectors\[1\] is "twelve chars"/, (x) => x.add(any([good()[0], "twelve chars"]))],
  ["a short query", "BAD_DIMENSION", /query has 11 values.*12/, (x) => x.search(good()[0].slice(1))],
  ["a typed short query", "BAD_DIMENSION", /query has 11 values.*12/, (x) => x.search(new Float32Array(11))],
  ["an empty query", "BAD_DIMENSION", /query has 0 values/, (x) => x.search([])],
  ["no query", "BAD_DIMENSION", /query is undefined/, (x) => x.search(any(undefined))],
  ["a short query of a batch", "BAD_DIMENSION", /queries\[1\] has 3 values/, (x) => x.searchBatch([good()[0], [1, 2, 3]])],
  ["a broken block of queries", "BAD_DIMENSION", /13 values/, (x) => x.searchBatch(new Float32Array(13))],
  ["NaN", "NOT_FINITE", /NaN/, (x) => x.add([good()[0], withValue(NaN)])],
  ["Infinity", "NOT_FINITE", /Infinity/, (x) => x.add([withValue(Infinity)])],
  ["-Infinity", "NOT_FINITE", /-Infinity/, (x) => x.add([withValue(-Infinity)])],
  ["text that is no number", "NOT_FINITE", /"x"/, (x) => x.add([withValue("x")])],
  ["a hole", "NOT_FINITE", /undefined/, (x) => x.add([withValue(undefined)])],
  ["an object for a number", "NOT_FINITE", /Object/, (x) => x.add([withValue({})])],
  ["NaN as the very last value", "NOT_FINITE", /NaN/, (x) => x.add([...good(200), withValue(NaN, D - 1)])],
  ["NaN under ids of one's own", "NOT_FINITE", /NaN/, (x) => x.add([withValue(NaN)], [7777])],
  ["NaN in the query", "NOT_FINITE", /NaN/, (x) => x.search(withValue(NaN))],
  ["Infinity in a typed query", "NOT_FINITE", /Infinity/, (x) => x.search(new Float32Array(D).fill(Infinity))],
  ["NaN in a query of a batch", "NOT_FINITE", /NaN/, (x) => x.searchBatch([good()[0], withValue(NaN)])],
  ["NaN in addAll", "NOT_FINITE", /NaN/, (x) => x.addAll([withValue(NaN)])],
  ["a short vector in addAll", "BAD_DIMENSION", /\[0\] has 11 values/, (x) => x.addAll([good()[0].slice(1)])],
  ["a short vector in a stream", "BAD_DIMENSION", /\[0\] has 11 values/, (x) => x.addAll(new Set([good()[0].slice(1)]))],
  ["a source that is none", "BAD_OPTION", /source is 5/, (x) => x.addAll(any(5))],
  ["no source", "BAD_OPTION", /source is undefined/, (x) => x.addAll(any(undefined))],
  ["text in a stream", "BAD_DIMENSION", /"word"/, (x) => x.addAll(any(new Set(["word"])))],
  ["BigInt values", "NOT_FINITE", /1n/, (x) => x.add(any([new Array(D).fill(1n)]))],
  ["a symbol for a number", "NOT_FINITE", /Symbol/, (x) => x.add([withValue(Symbol("s"))])],
  ["BigInt in the query", "NOT_FINITE", /1n/, (x) => x.search(any(new Array(D).fill(1n)))],
  ["a BigInt64Array", "NOT_FINITE", /n/, (x) => x.add(any(new BigInt64Array(D)))],
  ["a vector list of negative length", "BAD_DIMENSION", /-12/, (x) => x.add(any({ length: -D }))],
  ["few ids", "BAD_ID", /2 vectors and 1 ids/, (x) => x.add(good(2), [9000])],
  ["many ids", "BAD_ID", /1 vectors and 2 ids/, (x) => x.add(good(), [9000, 9001])],
  ["an id of text", "BAD_ID", /ids\[0\] is "7"/, (x) => x.add(good(), any(["7"]))],
  ["a fractional id", "BAD_ID", /1.5/, (x) => x.add(good(), [1.5])],
  ["a negative id", "BAD_ID", /-1/, (x) => x.add(good(), [-1])],
  ["NaN for an id", "BAD_ID", /NaN/, (x) => x.add(good(), [NaN])],
  ["the id that stands for none", "BAD_ID", /4294967295/, (x) => x.add(good(), [4294967295])],
  ["an id beyond 32 bits", "BAD_ID", /4294967296/, (x) => x.add(good(), new Float64Array([2 ** 32]))],
  ["a number for ids", "BAD_ID", /7/, (x) => x.add(good(), any(7))],
  ["null for ids", "BAD_ID", /null/, (x) => x.add(good(), any(null))],
  ["ids of negative length", "BAD_ID", /-1/, (x) => x.add(good(), any({ length: -1 }))],
  ["ids of fractional length", "BAD_ID", /undefined|1\.5/, (x) => x.add(good(), any({ length: 1.5 }))],
  ["an id that is taken", "DUPLICATE_ID", /ids\[1\] is 3/, (x) => x.add(good(2), [9000, 3])],
  ["an id twice", "DUPLICATE_ID", /9000 twice/, (x) => x.add(good(3), [9000, 5000, 9000])],
  ["an id twice in a row", "DUPLICATE_ID", /9000 twice/, (x) => x.add(good(2), [9000, 9000])],
  ["an id that is taken, in addAll", "DUPLICATE_ID", /is 3/, (x) => x.addAll(good(1), { ids: [3] })],
  ["a number for the ids of addAll", "BAD_OPTION", /ids is 5/, (x) => x.addAll(good(), { ids: any(5) })],
  ["a bad id in addAll", "BAD_ID", /0.5/, (x) => x.addAll(good(), { ids: [0.5] })],
  ["a signal that is none", "BAD_OPTION", /signal is 5/, (x) => x.addAll(good(), { signal: any(5) })],
  ["onProgress that is no function", "BAD_OPTION", /onProgress is 5/, (x) => x.addAll(good(), { onProgress: any(5) })],
  ["an unknown option of addAll", "BAD_OPTION", /"id".*ids/, (x) => x.addAll(good(), any({ id: [1] }))],
  ["has of text", "BAD_ID", /"1"/, (x) => x.has(any("1"))],
  ["get of a negative id", "BAD_ID", /-1/, (x) => x.get(-1)],
  ["get of nothing", "BAD_ID", /undefined/, (x) => x.get(any(undefined))],
  ["remove of a fraction", "BAD_ID", /2.5/, (x) => x.remove(2.5)],
  ["remove of text", "BAD_ID", /"1"/, (x) => x.remove(any("1"))],
  ["remove of a set", "BAD_ID", /Set/, (x) => x.remove(any(new Set([1])))],
  ["remove of a good and a bad id", "BAD_ID", /ids\[1\] is -3/, (x) => x.remove([1, -3])],
  ["remove of a list of negative length", "BAD_ID", /-1/, (x) => x.remove(any({ length: -1 }))],
  ["an unknown search option", "BAD_OPTION", /"K".*k, /, (x) => x.search(good()[0], any({ K: 5 }))],
  ["a number for search options", "BAD_OPTION", /5/, (x) => x.search(good()[0], any(5))],
  ["null for search options", "BAD_OPTION", /null/, (x) => x.search(good()[0], any(null))],
  ["radius in a batch", "BAD_OPTION", /"radius"/, (x) => x.searchBatch(good(), any({ radius: 1 }))],
  ["exact that is no flag", "BAD_OPTION", /exact is 1/, (x) => x.search(good()[0], { exact: any(1) })],
  ["exact null", "BAD_OPTION", /exact is null/, (x) => x.search(good()[0], { exact: any(null) })],
  ["a filter of text", "BAD_OPTION", /filter is "even"/, (x) => x.search(good()[0], { filter: any("even") })],
  ["a filter of null", "BAD_OPTION", /filter is null/, (x) => x.search(good()[0], { filter: any(null) })],
  [
    "a filter of floats",
    "BAD_OPTION",
    /filter is \[Float32Array\]/,
    (x) => x.search(good()[0], { filter: any(new Float32Array(3)) }),
  ],
  ["a filter object", "BAD_OPTION", /filter is \[Object\]/, (x) => x.searchBatch(good(), { filter: any({ a: 1 }) })],
  ["radius of text", "BAD_OPTION", /radius is "1"/, (x) => x.search(good()[0], { radius: any("1") })],
  ["radius NaN", "BAD_OPTION", /radius is NaN/, (x) => x.search(good()[0], { radius: NaN })],
  ["radius null", "BAD_OPTION", /radius is null/, (x) => x.search(good()[0], { radius: any(null) })],
  ["a batch of too many results", "BAD_OPTION", /134217728 results/, (x) => x.searchBatch(good(2), { k: 2 ** 31 })],
];

/** A number of a search option that is none. */
function badNumbers(name: string): Bad[] {
  const values = [0, -1, 1.5, NaN, Infinity, 2 ** 32, "5", true, [5], 5n];
  // maxLeaves may be Infinity: all of them.
  return values
    .filter((value) => name !== "maxLeaves" || value !== Infinity)
    .flatMap((value): Bad[] => [
      [`${name} ${String(value)}`, "BAD_OPTION", `${name} is `, (x) => x.search(good()[0], { [name]: value } as SearchOptions)],
      [
        `${name} ${String(value)} with a radius`,
        "BAD_OPTION",
        `${name} is `,
        (x) => x.search(good()[0], { [name]: value, radius: 1 } as SearchOptions),
      ],
      [
        `${name} ${String(value)} in a batch`,
        "BAD_OPTION",
        `${name} is `,
        (x) => x.searchBatch(good(), { [name]: value } as SearchOptions),
      ],
    ]);
}

/** Where values are numbers, not bits. */
const NUMERIC: Bad[] = [
  ["1e300", "NOT_FINITE", /1e\+300 at position 5/, (x) => x.add([withValue(1e300)])],
  ["-1e300 in doubles", "NOT_FINITE", /-1e\+300/, (x) => x.add(new Float64Array(D).fill(-1e300))],
  ["1e39 in the query", "NOT_FINITE", /1e\+39/, (x) => x.search(withValue(1e39))],
  ["a vector of length 2^63", "TOO_LARGE", /vectors\[1\]/, (x) => x.add([good()[0], withValue(2 ** 63)])],
  ["a query of length 2^63", "TOO_LARGE", /query/, (x) => x.search(withValue(-(2 ** 63)))],
  ["a batch query of length 2^100", "TOO_LARGE", /queries\[2\]/, (x) => x.searchBatch([...good(2), withValue(2 ** 100)])],
  ["many values that add up", "TOO_LARGE", /vectors\[0\]/, (x) => x.add(new Float32Array(D).fill(2 ** 62))],
];

/** Under hamming. */
const PACKED: Bad[] = [
  ["a byte too many", "BAD_DIMENSION", /3 values.*2 bytes/, (x) => x.add([new Uint8Array(3)])],
  ["a byte too few", "BAD_DIMENSION", /1 values.*2 bytes/, (x) => x.search(new Uint8Array(1))],
  ["half a packed row", "BAD_DIMENSION", /5 values/, (x) => x.add(new Uint8Array(5))],
];

for (const { name, kind, codec, metric, own } of EVERY_KIND_AND_CODEC) {
  describe(name, () => {
    const rows = exactData(metric, N, D, 1);
    const query = rows[3];
    let index: VectorIndex;
    let before: Uint8Array;
    let answer: Hit[];
    /** Found unharmed. */
    let sound = false;

    function works(): void {
      index.add([query]);
      expect(index.size).toBe(N + 1);
    }

    // Where CI=true each call has an index of its own, for a user one index bears them all.
    beforeEach(async () => {
      if (sound && !THOROUGH) return;
      index = await create(kind, { dimensions: D, metric, codec, ...QUICK[kind], ...own });
      index.add(rows);
      before = index.toBytes();
      answer = index.search(query, { k: N });
    });
    afterEach(() => {
      sound = false;
      expectSameBytes(index.toBytes(), before, "the index was changed");
      expectSameHits(index.search(query, { k: N }), answer);
      sound = true;
      if (THOROUGH) works();
    });
    afterAll(() => {
      if (!THOROUGH) works();
    });

    const numbers = ["k", KINDS[kind].effort ?? "ef"].flatMap(badNumbers);
    for (const [what, code, saying, call] of [...ALWAYS, ...numbers, ...(metric === "hamming" ? PACKED : NUMERIC)]) {
      it(what, () => expectError(() => call(index), code, saying));
    }
  });
}

describe("options of create", () => {
  const bad: [options: unknown, saying: string | RegExp][] = [
    [undefined, /undefined/],
    [null, /null/],
    [5, /5/],
    [{}, /dimensions is undefined/],
    ...[0, -1, 1.5, NaN, 65537, "8", null, [8]].map((dimensions): [unknown, string] => [{ dimensions }, "dimensions is "]),
    [{ dimensions: 8, metric: "euclid" }, /metric is "euclid".*l2, cosine, dot, hamming/],
    [{ dimensions: 8, metric: 1 }, /metric is 1/],
    [{ dimensions: 8, codec: "f64" }, /codec is "f64"/],
    [{ dimensions: 8, metric: "hamming", codec: "f32" }, /"f32".*"hamming".*binary/],
    [{ dimensions: 8, metric: "l2", codec: "binary" }, /"binary".*"l2".*f32, .*sq8, pq or rabitq/],
    [{ dimensions: 8, metric: "toString" }, /toString/],
    [{ dimensions: 8, rerank: 0 }, /rerank is 0/],
    [{ dimensions: 8, rerank: NaN }, /rerank is NaN/],
    [{ dimensions: 8, rerank: "yes" }, /rerank is "yes"/],
    [{ dimensions: 8, seed: -1 }, /seed is -1/],
    [{ dimensions: 8, seed: 2 ** 53 }, /seed is 9007199254740992/],
    [{ dimensions: 8, seed: 0.5 }, /seed is 0.5/],
    [{ dimensions: 8, maxBytes: 1000 }, /maxBytes is 1000/],
    [{ dimensions: 8, maxBytes: 2 ** 33 }, /maxBytes is/],
    [{ dimensions: 8, dimension: 8 }, /"dimension"/],
  ];
  const ofHnsw: [options: Partial<HnswOptions>, saying: RegExp][] = [
    ...[1, 0, 513, 2.5, NaN].map((m): [Partial<HnswOptions>, RegExp] => [{ m }, /m is /]),
    ...[0, -5, 65537].map((efConstruction): [Partial<HnswOptions>, RegExp] => [{ efConstruction }, /efConstruction is /]),
    ...[0, NaN, 2 ** 32].map((ef): [Partial<HnswOptions>, RegExp] => [{ ef }, /ef is /]),
    [{ mips: "both" as "native", metric: "dot" }, /mips is "both"/],
    [{ mips: "augment", metric: "l2" }, /mips.*"dot".*"l2"/],
    [{ mips: "augment" }, /mips.*"cosine"/],
  ];
  it.each(["flat", "hnsw"] as const)("of %s", async (kind) => {
    for (const [options, saying] of bad) await expectError(() => create(kind, any(options)), "BAD_OPTION", saying);
  });
  it("of hnsw alone", async () => {
    for (const [own, saying] of ofHnsw) await expectError(() => create("hnsw", { dimensions: 8, ...own }), "BAD_OPTION", saying);
    await expectError(() => create("flat", { dimensions: 8, m: 16 }), "BAD_OPTION", /"m"/);
  });
  it("of init, load and inspect", async () => {
    await expectError(() => init(any({ variant: 5 })), "BAD_OPTION", "variant is 5");
    await expectError(() => init(any({ Variant: "simd" })), "BAD_OPTION", "Variant");
    await expectError(() => init(any({ module: {} })), "BAD_OPTION", "module is");
    const foreign = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    await expectError(() => init({ module: foreign }), "BAD_VARIANT", "module");
    for (const bytes of [undefined, null, "file", 5, [1, 2, 3], {}]) {
      await expectError(() => load(any(bytes)), "BAD_FILE", "Uint8Array");
      await expectError(() => inspect(any(bytes)), "BAD_FILE", "Uint8Array");
    }
    const file = (await create("flat", { dimensions: 2 })).toBytes();
    await expectError(() => load(file, any({ max: 1 })), "BAD_OPTION", "max");
    await expectError(() => load(file, { maxBytes: 1 }), "BAD_OPTION", "maxBytes is 1");
  });
});

describe("the ends of the ranges", () => {
  it.each(KINDS_AND_CODECS)("ids of $kind $codec end at 4294967294", async ({ kind, codec, metric }) => {
    const index = await create(kind, { dimensions: 3, metric, codec });
    index.add([[1, 0, 1]], [4294967294]);
    const before = index.toBytes();
    await expectError(() => index.add([[0, 0, 1]]), "BAD_ID", "4294967294");
    await expectError(() => index.addAll([[0, 0, 1]]), "BAD_ID", "4294967294");
    expectSameBytes(index.toBytes(), before);
    index.add([[0, 0, 1]], [0]);
    index.add([]);
    expect(index.search([0, 0, 1])).toEqual([
      { id: 0, distance: 0 },
      { id: 4294967294, distance: 1 },
    ]);
    expect((await load(index.toBytes())).has(4294967294)).toBe(true);
    index.remove(4294967294);
    await expectError(() => index.add([[0, 0, 1]]), "BAD_ID", "4294967294");
    expect([...index.ids()]).toEqual([0]);
  });

  it.each(CASES.filter(({ metric }) => metric === "cosine"))(
    "$name: a zero vector is at distance 1 from everything",
    async (of) => {
      const index = await create(of.kind, { dimensions: D, ...of.options });
      const rows = integers(20, D, 1, 1, 9);
      index.add([...rows, new Float32Array(D)]);
      expect(index.search(rows[0], { k: 21, exact: true }).find(({ id }) => id === 20)).toEqual({ id: 20, distance: 1 });
      const hits = index.search(new Float32Array(D), { k: 21 });
      expect(hits).toEqual(Array.from({ length: 21 }, (_, id) => ({ id, distance: 1 })));
      expect(index.get(20)).toEqual(new Float32Array(D));
      expect((await load(index.toBytes())).search(new Float32Array(D), { k: 21 })).toEqual(hits);
    },
  );

  it.each(CASES.filter(({ metric }) => metric !== "hamming"))("$name: the smallest and the longest vectors", async (of) => {
    const index = await create(of.kind, { dimensions: 4, ...of.options });
    const rows = [1e-45, 1e-44, 1e-40, 1e-38, 1e-30, 1e-20, 1, 1e18, 2 ** 62].flatMap((x) => [
      [x, 0, 0, 0],
      [0, x, 0, -x / 8],
      [-x, x / 2, 0, 0],
    ]);
    index.add(rows);
    const again = await load(index.toBytes());
    expectSameBytes(again.toBytes(), index.toBytes());
    for (const [id, row] of rows.entries()) {
      const hits = index.search(row, { k: rows.length });
      expect(hits.length).toBe(rows.length);
      expect(hits.every(({ distance }) => Number.isFinite(distance))).toBe(true);
      expect(again.search(row, { k: rows.length })).toEqual(hits);
      if (of.metric === "l2" && of.codec === "f32") expect(hits.find((hit) => hit.id === id)!.distance).toBe(0);
      if (of.metric === "cosine") expect(hits.find((hit) => hit.id === id)!.distance).toBeLessThan(0.02);
      const largest = Math.max(...row.map(Math.abs));
      index.get(id)!.forEach((x, i) => {
        expect(Math.abs(x - Math.fround(row[i]))).toBeLessThanOrEqual(largest * (of.codec === "f32" ? 1e-6 : 1 / 127) + 3e-45);
      });
    }
  });
});

describe("memory that cannot grow", () => {
  const MAX = 20 * 65536;

  /** `call` may do its work or throw OUT_OF_MEMORY, but then changes nothing. */
  async function orOutOfMemory(index: VectorIndex, call: () => unknown): Promise<void> {
    const before = index.toBytes();
    const { deleted } = index;
    const error = await thrownBy(call);
    if (error === undefined) return;
    expect(error).toMatchObject({ code: "OUT_OF_MEMORY" });
    expect((await load(index.toBytes())).size).toBe(index.size);
    // compact() may have repaired the graph around removed vectors first.
    if (deleted === 0) expectSameBytes(index.toBytes(), before);
  }

  for (const { kind, codec, metric } of KINDS_AND_CODECS) {
    it.each([1, 50, 3000])(`${kind} ${codec}: the add of %d vectors that does not fit changes nothing`, async (batch) => {
      const index = await create(kind, { dimensions: 64, metric, codec, maxBytes: MAX, ...QUICK[kind] });
      const rows = exactData(metric, 3000, 64, 1);
      let error: unknown;
      let size = 0;
      let before = index.toBytes();
      for (let calls = 0; error === undefined && calls < 40_000; calls++) {
        const from = (calls * batch) % rows.length;
        const ids = calls % 2 ? undefined : Array.from({ length: batch }, (_, i) => 1_000_000 + calls * batch - i);
        if (batch > 1 || calls % 64 === 0) before = index.toBytes();
        size = index.size;
        error = await thrownBy(() => index.add(rows.slice(from, from + batch), ids));
      }
      expect(error).toMatchObject({ name: "VicinalError", code: "OUT_OF_MEMORY" });
      expect((error as Error).message).toMatch(`limit ${MAX} bytes`);
      expect(index.size).toBe(size);
      expect(index.bytes).toBeLessThanOrEqual(MAX);
      if (batch > 1) expectSameBytes(index.toBytes(), before);
      const again = await load(before, { maxBytes: 2 * MAX });
      if (batch > 1) expect(index.search(rows[1])).toEqual(again.search(rows[1]));
      // Room that is given back can be used again.
      for (const id of again.ids()) index.remove(id);
      if (batch === 1) index.remove(index.ids());
      index.add(rows.slice(0, 100));
      expect(index.size).toBe(100);
      expect(index.search(rows[7], { k: 1, exact: true })[0].distance).toBe(0);
    });

    it(`${kind} ${codec}: a full index can be saved, searched and thinned out`, async () => {
      const index = await create(kind, { dimensions: 16, metric, codec, maxBytes: 6 * 65536, ...QUICK[kind] });
      const rows = exactData(metric, 4000, 16, 1);
      let size = 0;
      expect(
        await thrownBy(() => {
          for (; ; size++) index.add([rows[size % rows.length]]);
        }),
      ).toMatchObject({ code: "OUT_OF_MEMORY" });
      expect(index.size).toBe(size);
      expect(index.search(rows[3], { k: 1, exact: true })[0].distance).toBe(0);
      expect(index.search(rows[3], { k: 5 })).toHaveLength(5);
      expect(index.get(3)).toEqual(rows[3]);
      const again = await load(index.toBytes());
      expect(again.size).toBe(size);
      // What needs room of its own says so and does no harm.
      for (const call of [
        () => index.ids(),
        () => index.search(rows[1], { filter: (id) => id % 2 === 0 }),
        () => index.search(rows[1], { k: size }),
        () => index.searchBatch(rows.slice(0, 99), { k: 99 }),
        () => index.compact(),
      ]) {
        await orOutOfMemory(index, call);
      }
      for (let id = 0; id < size; id += 2) expect(index.remove(id)).toBe(1);
      await orOutOfMemory(index, () => index.compact());
      expect(index.size).toBe(size >> 1);
      expect(index.has(3)).toBe(true);
      expect(index.search(rows[3], { k: 1, exact: true })[0].distance).toBe(0);
    });
  }

  it("a search that asks for more scratch than there is says so, and the next one works", async () => {
    const index = await create("flat", { dimensions: 16, metric: "l2", maxBytes: 12 * 65536 });
    index.add(integers(5000, 16, 1, 0, 99));
    const before = index.toBytes();
    const [query] = integers(1, 16, 2, 0, 99);
    const huge = new Uint8Array(64 << 20).fill(255);
    await expectError(() => index.search(query, { filter: huge }), "OUT_OF_MEMORY", "limit 786432 bytes");
    expectSameBytes(index.toBytes(), before);
    expect(index.search(query, { k: 3 }).length).toBe(3);
  });

  it("an index that does not fit at all is refused", async () => {
    await expectError(() => create("flat", { dimensions: 65536, maxBytes: 65536 }), "OUT_OF_MEMORY", "limit 65536 bytes");
    const index = await create("flat", { dimensions: 64 });
    index.add(integers(2000, 64, 1, 0, 9));
    await expectError(() => load(index.toBytes(), { maxBytes: 65536 * 4 }), "OUT_OF_MEMORY", "limit 262144 bytes");
  });
});

describe("garbage", () => {
  /** Values of every type, the lengths of array-likes kept small. */
  const value = fc.oneof(
    fc.anything({ maxDepth: 1, withBigInt: true, withTypedArray: true, withSparseArray: true }),
    fc.constantFrom<unknown>(NaN, -1, 0.5, 2 ** 32, Infinity, -0, 4294967295, "", "5", null, undefined, Symbol("s"), 7n, () => 1),
    fc
      .record({ length: fc.oneof(fc.integer({ min: -3, max: 30 }), fc.double(), fc.constant("2")) })
      .filter(({ length }) => !(typeof length === "number" && length > 1000)),
  );
  const vectors = fc.oneof(
    value,
    fc.array(fc.oneof(fc.double(), fc.float(), fc.integer(), value), { minLength: D - 1, maxLength: D + 1 }),
    fc.array(fc.array(fc.double(), { minLength: D - 1, maxLength: D }), { maxLength: 3 }),
    fc.float32Array({ minLength: D, maxLength: D }),
    fc.uint8Array({ minLength: 2, maxLength: 4 }),
  );
  const ids = fc.oneof(value, fc.array(fc.oneof(value, fc.integer({ min: -1, max: 60 })), { maxLength: 3 }));
  const options = fc.oneof(
    value,
    fc.record(
      {
        k: fc.oneof(value, fc.integer({ min: 1, max: 99 })),
        ef: value,
        filter: fc.oneof(value, ids),
        radius: value,
        exact: value,
      },
      { requiredKeys: [] },
    ),
  );
  const call = fc.oneof(
    fc.record({ name: fc.constantFrom("add"), args: fc.tuple(vectors, ids) }),
    fc.record({
      name: fc.constantFrom("addAll"),
      args: fc.tuple(vectors, fc.oneof(value, fc.record({ ids, signal: value }, { requiredKeys: [] }))),
    }),
    fc.record({ name: fc.constantFrom("search", "searchBatch"), args: fc.tuple(vectors, options) }),
    fc.record({ name: fc.constantFrom("has", "get", "remove"), args: fc.tuple(ids) }),
  );

  it.each(KINDS_AND_CODECS)("does not harm $kind $codec", async ({ kind, codec, metric }) => {
    const index = await create(kind, { dimensions: D, metric, codec, ...QUICK[kind] });
    const rows = exactData(metric, N, D, 1);
    index.add(rows);
    index.remove([1, 2]);
    const file = index.toBytes();
    await fc.assert(
      fc.asyncProperty(call, async ({ name, args }) => {
        const victim = await load(file);
        let calm = true;
        const error = await thrownBy(async () => {
          const result = await any(victim)[name](...args);
          calm = result !== undefined;
        });
        if (error !== undefined) {
          if (!(error instanceof VicinalError)) throw error;
          // addAll keeps the slices before.
          if (name !== "addAll") expectSameBytes(victim.toBytes(), file, `${name} threw ${error.code} and changed the index`);
        } else if (calm && name !== "remove" && name !== "add")
          expectSameBytes(victim.toBytes(), file, `${name} changed the index`);
        const again = await load(victim.toBytes());
        expect(again.search(rows[5], { k: 5, exact: true })).toEqual(victim.search(rows[5], { k: 5, exact: true }));
        expect(victim.size).toBe(victim.ids().length);
      }),
      { seed: 7, numRuns: thorough(100, 400) },
    );
  });

  it("as options of create is a VicinalError or none", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("flat", "hnsw"),
        fc.record(
          { dimensions: fc.oneof(value, fc.constant(4)), metric: value, codec: value, rerank: value, seed: value },
          { requiredKeys: [] },
        ),
        async (kind, given) => {
          const error = await thrownBy(() => create(any(kind), any(given)));
          if (error !== undefined) expect(error).toBeInstanceOf(VicinalError);
        },
      ),
      { seed: 7, numRuns: thorough(100, 300) },
    );
  });
});

it("input that changes while it is read does no harm", async () => {
  // The first pass sees good values, the second bad ones.
  const index = await create("hnsw", { dimensions: 2, metric: "l2", ...QUICK.hnsw });
  let reads = 0;
  const row = {
    length: 2,
    0: 1,
    get 1() {
      return reads++ ? NaN : 1;
    },
  };
  await thrownBy(() => index.add([row]));
  for (const vectors of [packed([1, 1, 1]), flatten([[1, 2]]), new Uint8ClampedArray(4)] as Vectors[]) {
    await thrownBy(() => index.add(vectors));
  }
  expect((await load(index.toBytes())).size).toBe(index.size);
});
