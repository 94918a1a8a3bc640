// Scans of pq codes: 8-bit codes and their lookups against plain JS over the very same codes and tables, and 4-bit codes
// in as many bytes against them.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { Flat } from "vicinal";
import { Contender } from "../../kit/contender.mjs";
import { queriesOf, recall } from "../../kit/data.mjs";
import { quick, roundsOr } from "../../kit/options.mjs";
import { answers, K, searchSeconds } from "../../kit/queries.mjs";
import { atLeast, fixed, times } from "../../kit/result.mjs";
import { interleave, median } from "../../kit/timing.mjs";
import { contendersOf, onVariants, VARIANTS } from "../../kit/variants.mjs";

/** Of a code. They divide 160, the dimensions of the set, so that parts are of equal width. */
const CODE_BYTES = quick ? [16] : [16, 20, 40];
const TRAINING_ROWS = 10_000;
/** Queries of one sample, ours and in each form of JS. */
const QUERIES = quick ? 5 : 50;
const JS_QUERIES = quick ? 2 : 10;
const ROUNDS = roundsOr(9, 2);
const CHECKED_QUERIES = 3;

async function built(set, m, bits) {
  const index = await Flat.create({ dimensions: set.d, metric: "l2", codec: { type: "pq", m, bits } });
  await index.train(set.base.subarray(0, TRAINING_ROWS * set.d));
  index.add(set.base);
  return onVariants(index);
}

/** The 8-bit codes of an index and their centroids: a vector comes back as the centroids of its parts. */
function codesOf(index, m) {
  const width = index.dimensions / m;
  const codes = new Uint8Array(index.size * m);
  const books = Array.from({ length: m }, () => ({ codeOf: new Map(), centroids: [] }));
  for (let id = 0; id < index.size; id++) {
    const vector = index.get(id);
    books.forEach(({ codeOf, centroids }, j) => {
      const first = vector[j * width];
      if (!codeOf.has(first)) codeOf.set(first, centroids.push(vector.subarray(j * width, (j + 1) * width)) - 1);
      codes[id * m + j] = codeOf.get(first);
    });
  }
  return { codes, books: books.map(({ centroids }) => centroids) };
}

/** parts x 256 squared distances to the centroids. */
function tableOf(query, books) {
  const table = new Float32Array(books.length * 256);
  books.forEach((centroids, j) => {
    centroids.forEach((centroid, code) => {
      table[j * 256 + code] = centroid.reduce((sum, x, i) => sum + (x - query[j * centroid.length + i]) ** 2, 0);
    });
  });
  return table;
}

async function openJs(dir, index, queries, m) {
  const { codes, books } = codesOf(index, m);
  writeFileSync(`${dir}/codes.u8`, codes);
  const tables = queries.slice(0, JS_QUERIES).map((query) => tableOf(query, books));
  writeFileSync(`${dir}/tables.f32`, Buffer.concat(tables.map(({ buffer }) => new Uint8Array(buffer))));
  const worker = fileURLToPath(new URL("../../rival/js-lookup.mjs", import.meta.url));
  const js = new Contender(process.execPath, [worker, dir, index.size, m, K]);
  for (let q = 0; q < Math.min(CHECKED_QUERIES, JS_QUERIES); q++) {
    const right = await js.ask(`nearest ${q}`);
    index.search(queries[q], { k: K }).forEach(({ id, distance }, i) => {
      const off = Math.abs(distance - Math.sqrt(right[i])) > 1e-4 * distance;
      if (off) throw new Error(`PQ${m}x8, query ${q}: id ${id} at ${distance}, JS finds ${Math.sqrt(right[i])}`);
    });
  }
  return js;
}

/** Million vectors per second of each contender at one code size. */
async function measure(set, dir, m) {
  process.stderr.write(`PQ${m}x8 and PQ${2 * m}x4: training, then ${ROUNDS} rounds\n`);
  const queries = queriesOf(set);
  const indices = { eight: await built(set, m, 8), four: await built(set, 2 * m, 4) };
  const js = await openJs(dir, indices.eight.simd, queries, m);
  const contenders = contendersOf(indices, (index) => (set.n * QUERIES) / searchSeconds(index, queries, {}, QUERIES) / 1e6);
  contenders.js = () => js.ask(`scan ${JS_QUERIES}`);
  await interleave(1, contenders); // warm-up
  const { js: scans, ...ours } = await interleave(ROUNDS, contenders);
  js.close();
  const jsSpeed = (form) => (set.n * JS_QUERIES) / median(scans.map((seconds) => seconds[form])) / 1e6;
  const forms = Object.keys(scans[0]).map((form) => [form, jsSpeed(form)]);
  const recalls = Object.values(indices).map(({ relaxed }) => recall(answers(relaxed, queries), set.truth));
  for (const index of Object.values(indices).flatMap(Object.values)) index.close();
  return {
    m,
    speeds: Object.fromEntries(Object.entries(ours).map(([name, samples]) => [name, median(samples)])),
    forms,
    js: forms.reduce((best, form) => (form[1] > best[1] ? form : best)),
    recalls,
  };
}

/** Both gates of scans over codes, on a set of unit vectors, where l2 and cosine have the same neighbours. */
export async function codeScans(set) {
  const dir = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
  process.on("exit", () => rmSync(dir, { recursive: true }));
  const measured = [];
  for (const m of CODE_BYTES) measured.push(await measure(set, dir, m));
  const cells = measured.flatMap((one) =>
    VARIANTS.map((variant) => ({ ...one, variant, eight: one.speeds[`eight ${variant}`], four: one.speeds[`four ${variant}`] })),
  );
  return {
    data: measured,
    tables: {
      "gates-scan": {
        columns: [
          "million vectors per second",
          "8 bits",
          "recall@10",
          "4 bits",
          "recall@10",
          "4 / 8 bits",
          "best plain JS",
          "8 bits / JS",
          "JS form",
        ],
        rows: cells.map(({ m, variant, eight, four, recalls, js }) => [
          `${m} bytes, ${variant}`,
          fixed(1)(eight),
          fixed(4)(recalls[0]),
          fixed(1)(four),
          fixed(4)(recalls[1]),
          times(four / eight),
          fixed(1)(js[1]),
          times(eight / js[1]),
          js[0],
        ]),
      },
    },
    gates: [
      ...cells.map(({ m, variant, eight, four }) =>
        atLeast(`PQ${2 * m}x4 fast-scan / PQ${m}x8 scan, ${variant}`, four / eight, 4),
      ),
      ...cells.map(({ m, variant, eight, js }) =>
        atLeast(`PQ${m}x8 scan / best plain-JS lookup loop, ${variant}`, eight / js[1], 1.5),
      ),
    ],
  };
}
