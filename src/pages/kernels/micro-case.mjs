// One kernel at one dimension, in Node and in a page: million distances per second, median of the rounds, for every
// plain-JS form and every wasm variant.

import { forms } from "./js-kernels.mjs";
import { dataFor } from "./kernel-data.mjs";
import { interleave, median } from "./timing.mjs";

/** Rows that stay in the second-level cache, 256 where f32 rows fit half a MiB. */
const rowsFor = (d) => 2 ** Math.min(8, Math.floor(Math.log2(2 ** 19 / (4 * d))));
/** Distances per call, so that binding the query counts as little as in a search. */
const BATCH = 2048;
/** Of memory: enough that it never grows. */
const PAGES = 256;
const WARM_UP_ROUNDS = 3;
/** Section "book" of a pq index, in ASCII, the first letter in the low byte. */
const TAG_BOOK = 0x6b6f6f62;

function plain({ Query, Row, apart, run }, { values, queryOf, rowsOf, aux }, n) {
  const q = queryOf(Query);
  const all = rowsOf(Row);
  const rows = apart ? Array.from({ length: n }, (_, r) => all.slice(r * values, (r + 1) * values)) : all;
  const out = new Float32Array(n);
  return {
    call: () => {
      for (let i = 0; i < BATCH; i += n) run(q, rows, values, n, out, aux);
    },
    answers: () => out,
  };
}

/** The smallest that has the codec: src/words/kinds.ts. */
function buildOf(codec) {
  if (codec === "f32") return "-core";
  return codec === "pq" || codec === "rabitq" ? "" : "-graph";
}

async function wasm(openEngine, variant, { metric, codec, bits = 0 }, d, { query, rows, book }, n) {
  const state = { metric, codec, dimensions: d, codeBits: bits, pqM: book ? d / bits : 0 };
  const engine = await openEngine(`${variant}${buildOf(codec)}`, PAGES, state);
  const { exports } = engine;
  if (book) {
    const blob = Array.from({ length: exports.blobCount() }, (_, i) => i).find((i) => exports.blobTag(i) === TAG_BOOK);
    engine.f32().set(book, exports.blobAt(blob) >>> 2);
  }
  engine.done(exports.reserve(n, false, n));
  engine.scope(() => {
    const ids = engine.writeU32(Array.from({ length: n }, (_, i) => i));
    engine.done(exports.addVectors(engine.writeU8(rows), ids, 0, n));
  });
  engine.setQueryFrom(engine.writeU8(query), 0);
  const slots = engine.writeU32(Array.from({ length: BATCH }, (_, i) => i % n));
  const out = engine.alloc(BATCH * 4);
  if (engine.bytes > PAGES * 65536)
    throw new Error(`${codec} ${d}: memory has grown to ${engine.bytes} bytes, which slows plain JS`);
  return {
    call: () => exports.scoreSlots(slots, BATCH, out),
    answers: () => engine.f32().subarray(out >>> 2, (out >>> 2) + n),
  };
}

/** Million distances per second over at least `ms`. */
function speed(call, ms) {
  const start = performance.now();
  let calls = 0;
  let spent = 0;
  for (; spent < ms; spent = performance.now() - start, calls++) call();
  return (calls * BATCH) / spent / 1000;
}

/** { form or variant: million distances per second }, in `rounds` of at least `ms` each. */
export async function measure({ d, ...kernel }, { rounds, ms, variants }, openEngine) {
  const n = rowsFor(d);
  const data = dataFor(kernel, d, n);
  const contenders = Object.fromEntries(forms(kernel, data.values).map((form) => [form.name, plain(form, data, n)]));
  for (const variant of variants) contenders[variant] = await wasm(openEngine, variant, kernel, d, data, n);
  const samples = await interleave(
    WARM_UP_ROUNDS + rounds,
    Object.fromEntries(Object.entries(contenders).map(([name, { call }]) => [name, () => speed(call, ms)])),
  );
  compare(`${kernel.name} ${d}`, contenders, kernel.within ?? 1e-5);
  return Object.fromEntries(Object.entries(samples).map(([name, all]) => [name, median(all.slice(WARM_UP_ROUNDS))]));
}

/** Throws where a contender answers otherwise than the first. */
function compare(what, contenders, within) {
  const [[right, { answers }], ...others] = Object.entries(contenders);
  const expected = answers();
  for (const [name, other] of others) {
    other.answers().forEach((answer, i) => {
      const off = Math.abs(Math.abs(answer) - expected[i]); // a dot's distance is its negative
      if (!(off <= within * expected[i])) throw new Error(`${what}: ${name} says ${answer}, ${right} says ${expected[i]}`);
    });
  }
}
