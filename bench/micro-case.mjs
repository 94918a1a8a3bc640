// One kernel at one dimension, in a process of its own: node micro-case.mjs METRIC CODEC D. Prints JSON: million
// distances per second, median of the rounds, for every plain-JS form and every wasm variant.
import { openEngine } from "./engine.mjs";
import { forms } from "./js-kernels.mjs";
import { enableRelaxed } from "./relaxed.mjs";
import { interleave, median } from "./timing.mjs";

const [metric, codec, d, rounds, ms] = process.argv.slice(2).map((arg) => (Number.isNaN(Number(arg)) ? arg : Number(arg)));
/** Rows that stay in the second-level cache, 256 where f32 rows fit half a MiB. */
const ROWS = 2 ** Math.min(8, Math.floor(Math.log2(2 ** 19 / (4 * d))));
/** Distances per call, so that binding the query counts as little as in a search. */
const BATCH = 2048;
/** Of memory: enough that it never grows. */
const PAGES = 256;

// Integers from 0 to 255, bits for hamming: sq8 stores them exactly, so all answers must agree.
let seed = 1;
const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) >>> 24;
const binary = codec === "binary";
const width = binary ? d / 8 : d;
/** Bytes or values of a row in JS: whole words, as in wasm. */
const padded = Math.ceil(width / 16) * 16;
const query = Uint8Array.from({ length: width }, random);
const rows = Uint8Array.from({ length: ROWS * width }, random);

function pad(bytes) {
  const out = new Uint8Array((bytes.length / width) * padded);
  for (let from = 0, to = 0; from < bytes.length; from += width, to += padded) out.set(bytes.subarray(from, from + width), to);
  return out;
}

function plain({ Query, Row, apart, run }) {
  const as = (Type, bytes) => (binary ? new Type(bytes.buffer) : Type.from(bytes));
  const q = as(Query, pad(query));
  const all = as(Row, pad(rows));
  const length = q.length;
  const apartRows = Array.from({ length: ROWS }, (_, r) => all.slice(r * length, (r + 1) * length));
  const out = new Float32Array(ROWS);
  return {
    call: () => {
      for (let i = 0; i < BATCH; i += ROWS) run(q, apart ? apartRows : all, length, ROWS, out);
    },
    answers: () => out,
  };
}

async function wasm(variant) {
  const engine = await openEngine(`${variant}-core`, PAGES, { metric, codec, dimensions: d });
  const { exports } = engine;
  const input = (bytes) => (binary ? bytes : new Uint8Array(Float32Array.from(bytes).buffer));
  engine.done(exports.reserve(ROWS, false, 1 << 21));
  engine.scope(() => {
    const ids = engine.writeU32(Array.from({ length: ROWS }, (_, i) => i));
    engine.done(exports.addVectors(engine.writeU8(input(rows)), ids, 0, ROWS));
  });
  engine.setQueryFrom(engine.writeU8(input(query)), 0);
  const slots = engine.writeU32(Array.from({ length: BATCH }, (_, i) => i % ROWS));
  const out = engine.alloc(BATCH * 4);
  return {
    call: () => exports.scoreSlots(slots, BATCH, out),
    answers: () => engine.f32().subarray(out >>> 2, (out >>> 2) + ROWS),
  };
}

/** Million distances per second over at least `ms`. */
function speed(call) {
  const start = performance.now();
  let calls = 0;
  let spent = 0;
  for (; spent < ms; spent = performance.now() - start, calls++) call();
  return (calls * BATCH) / spent / 1000;
}

enableRelaxed();
const contenders = Object.fromEntries(forms(metric, codec).map((form) => [form.name, plain(form)]));
for (const variant of ["scalar", "simd", "relaxed"]) contenders[variant] = await wasm(variant);

const WARM_UP_ROUNDS = 3;
const samples = await interleave(
  WARM_UP_ROUNDS + rounds,
  Object.fromEntries(Object.entries(contenders).map(([name, { call }]) => [name, () => speed(call)])),
);

const [first, ...others] = Object.entries(contenders).map(([name, { answers }]) => [name, answers()]);
for (const [name, answers] of others) {
  first[1].forEach((right, i) => {
    const off = Math.abs(Math.abs(answers[i]) - right); // a dot's distance is its negative
    if (off > 1e-5 * right) throw new Error(`${metric} ${codec} ${d}: ${name} says ${answers[i]}, ${first[0]} says ${right}`);
  });
}
console.log(JSON.stringify(Object.entries(samples).map(([name, all]) => [name, median(all.slice(WARM_UP_ROUNDS))])));
