// k-means in plain JS, step for step as vicinal's (assembly/learn/kmeans.ts): the same start, blocked assignment by
// |c|^2 - 2 <p, c>, empty cells repaired. Assignment comes in every honest form, each a function of its own; `train` takes
// the fastest. A process without wasm, under the command `train ROUNDS`.
// usage: node js-kmeans.mjs DIR N D K SEED, n a multiple of 4; in DIR points.f32
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [dir, ...rest] = process.argv.slice(2);
const [n, d, k, seed] = rest.map(Number);
const floats = new Float32Array(readFileSync(`${dir}/points.f32`).buffer);
/** Centres are held in a multiple of 4; those behind the last are never nearest. */
const padded = Math.ceil(k / 4) * 4;
const APART = 1 / 1024;

const range = (count) => Array.from({ length: count }, (_, i) => i);

const each = (count, text, between = " ") => range(count).map(text).join(between);

/** (points, centres, norms, nearest): the sum of the least scores; blocks of `many` points x `wide` centres. */
function assignment({ many, wide, unrolled }) {
  const cells = (text, between = " ") => each(many, (p) => each(wide, (c) => text(p, c), between), between);
  const step = (at) => `{
          ${each(many, (p) => `const x${p} = points[p${p} + ${at}];`)}
          ${each(wide, (c) => `const y${c} = centres[c${c} + ${at}];`)}
          ${cells((p, c) => `s${p}_${c} += x${p} * y${c};`)}
        }`;
  return new Function(`return function (points, centres, norms, nearest) {
    let objective = 0;
    for (let i = 0; i < ${n}; i += ${many}) {
      ${each(many, (p) => `let best${p} = Infinity, which${p} = 0;`)}
      for (let c = 0; c < ${padded}; c += ${wide}) {
        let ${cells((p, c) => `s${p}_${c} = 0`, ", ")};
        let ${each(many, (p) => `p${p} = (i + ${p}) * ${d}`, ", ")}, ${each(wide, (c) => `c${c} = (c + ${c}) * ${d}`, ", ")};
        for (let x = 0; x < ${d}; x += ${unrolled}) {
          ${each(unrolled, step)}
          ${each(many, (p) => `p${p} += ${unrolled};`)} ${each(wide, (c) => `c${c} += ${unrolled};`)}
        }
        ${cells((p, c) => `const score${p}_${c} = norms[c + ${c}] - 2 * s${p}_${c};`)}
        ${cells((p, c) => `if (score${p}_${c} < best${p}) { best${p} = score${p}_${c}; which${p} = c + ${c}; }`)}
      }
      ${each(many, (p) => `nearest[i + ${p}] = which${p}; objective += best${p};`)}
    }
    return objective;
  }`)();
}

const BLOCKS = [
  [1, 1],
  [1, 4],
  [2, 2],
  [2, 4],
  [4, 2],
  [4, 4],
];
const forms = BLOCKS.flatMap(([many, wide]) =>
  [1, 4].flatMap((unrolled) =>
    [Float32Array, Float64Array].map((Values) => ({
      name: `${Values.name}, ${many} points x ${wide} centres${unrolled > 1 ? `, ${unrolled} values a step` : ""}`,
      Values,
      assign: assignment({ many, wide, unrolled: d % unrolled ? 1 : unrolled }),
    })),
  ),
);

/** splitmix64, as assembly/base/random.ts. */
function random64(index) {
  const whole = (x) => BigInt.asUintN(64, x);
  let u = whole(BigInt(seed) + BigInt(index + 1) * 0x9e3779b97f4a7c15n);
  u = whole((u ^ (u >> 30n)) * 0xbf58476d1ce4e5b9n);
  u = whole((u ^ (u >> 27n)) * 0x94d049bb133111ebn);
  return u ^ (u >> 31n);
}

/** k different points: the first k of a seeded shuffle. */
function seeds() {
  const order = range(n);
  for (let i = 0; i < k; i++) {
    const other = i + Number(random64(i) % BigInt(n - i));
    [order[i], order[other]] = [order[other], order[i]];
  }
  return order.slice(0, k);
}

function normsOf(centres) {
  return Float64Array.from({ length: padded }, (_, c) => {
    let sum = 0;
    for (let x = c * d; x < (c + 1) * d; x++) sum += centres[x] * centres[x];
    return c < k ? sum : Infinity;
  });
}

/** Centres move to the means of their points; an empty one takes half of the largest cell. */
function update(points, centres, nearest) {
  const counts = new Int32Array(k);
  const sums = new Float64Array(k * d);
  for (let i = 0; i < n; i++) {
    const cell = nearest[i];
    counts[cell]++;
    for (let x = 0, p = i * d, s = cell * d; x < d; x++) sums[s++] += points[p++];
  }
  for (let c = 0; c < k; c++) {
    if (counts[c]) for (let x = c * d; x < (c + 1) * d; x++) centres[x] = sums[x] / counts[c];
  }
  for (let c = 0; c < k; c++) {
    if (counts[c]) continue;
    const largest = counts.indexOf(Math.max(...counts));
    for (let x = 0; x < d; x++) {
      const value = centres[largest * d + x];
      const apart = x & 1 ? APART : -APART;
      centres[largest * d + x] = value * (1 + apart);
      centres[c * d + x] = value * (1 - apart);
    }
    counts[c] = counts[largest] - (counts[largest] >> 1);
    counts[largest] >>= 1;
  }
}

function train({ Values, assign }, rounds) {
  const start = performance.now();
  const points = Values.from(floats);
  const centres = new Values(padded * d);
  seeds().forEach((i, c) => {
    centres.set(points.subarray(i * d, (i + 1) * d), c * d);
  });
  const nearest = new Int32Array(n);
  let objective = 0;
  for (let round = 0; round < rounds; round++) {
    objective = assign(points, centres, normsOf(centres), nearest);
    update(points, centres, nearest);
  }
  return { seconds: (performance.now() - start) / 1000, objective };
}

for (const form of forms) form.seconds = train(form, 1).seconds;
const best = forms.reduce((a, b) => (b.seconds < a.seconds ? b : a));

for await (const line of createInterface({ input: process.stdin })) {
  const [, rounds] = line.split(" ");
  console.log(JSON.stringify({ form: best.name, ...train(best, Number(rounds)) }));
}
