// The best that plain JS does as a scan of 8-bit codes with distance tables: every honest form of the loop, each a function
// of its own. A process without wasm, under the command `scan QUERIES`.
// usage: node js-lookup.mjs DIR N PARTS K, n a multiple of 4; in DIR codes.u8 (n x parts) and tables.f32 (parts x 256 a query)
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const [dir, ...rest] = process.argv.slice(2);
const [n, parts, k] = rest.map(Number);
const read = (name) => readFileSync(`${dir}/${name}`).buffer;
const bytes = new Uint8Array(read("codes.u8"));
const floats = new Float32Array(read("tables.f32"));
const nq = floats.length / (parts * 256);

/** The k nearest so far, nearest first. */
const near = { ids: new Int32Array(k), distances: new Float64Array(k) };
/** The distance of the last, after this one has taken its place. */
function insert(id, distance) {
  let i = k - 1;
  for (; i > 0 && near.distances[i - 1] > distance; i--) {
    near.ids[i] = near.ids[i - 1];
    near.distances[i] = near.distances[i - 1];
  }
  near.ids[i] = id;
  near.distances[i] = distance;
  return near.distances[k - 1];
}

const range = (count) => Array.from({ length: count }, (_, i) => i);
const each = (count, text, between = " ") => range(count).map(text).join(between);

/** (codes, table, insert): a scan with `sums` lookups side by side, of `together` rows at once. */
function kernel(name, { sums, together, words }) {
  const cells = (count, text, between) => each(together, (r) => each(count, (i) => text(r, i), between), between);
  const place = (r) => `(r + ${r}) * ${parts} + j`;
  const code = (r, i) => (words ? `(w${r}_${i >> 2} >>> ${8 * (i & 3)} & 255)` : `codes[${place(r)} + ${i}]`);
  return new Function(`/* ${name} */ return function (codes, table, insert) {
    let worst = Infinity;
    for (let r = 0; r < ${n}; r += ${together}) {
      let ${cells(sums, (r, i) => `s${r}_${i} = 0`, ", ")};
      for (let j = 0; j < ${parts}; j += ${sums}) {
        ${words ? cells(sums >> 2, (r, i) => `const w${r}_${i} = codes[(${place(r)} >> 2) + ${i}];`) : ""}
        ${cells(sums, (r, i) => `s${r}_${i} += table[(j + ${i} << 8) + ${code(r, i)}];`)}
      }
      ${each(together, (r) => `const sum${r} = ${each(sums, (i) => `s${r}_${i}`, " + ")};`)}
      ${each(together, (r) => `if (sum${r} < worst) worst = insert(r + ${r}, sum${r});`)}
    }
  }`)();
}

const SHAPES = [1, 2, 4, 8, parts].flatMap((sums) => [
  { sums, together: 1, words: false },
  { sums, together: 1, words: true },
  { sums, together: 4, words: false },
]);
const fits = ({ sums, together, words }) => parts % sums === 0 && (sums < parts || together === 1) && !(words && sums % 4);
const forms = SHAPES.filter(fits).flatMap(({ sums, together, words }) =>
  [Float32Array, Float64Array].map((Table) => {
    const codes = words ? Uint32Array : Uint8Array;
    const name = `${codes.name} into ${Table.name}, ${sums === parts ? "all" : sums} lookups${together > 1 ? ", 4 rows at once" : ""}`;
    return {
      name,
      codes: new codes(bytes.buffer),
      tables: range(nq).map((q) => Table.from(floats.subarray(q * parts * 256, (q + 1) * parts * 256))),
      run: kernel(name, { sums, together, words }),
    };
  }),
);

function nearest({ codes, tables, run }, q) {
  near.distances.fill(Infinity);
  run(codes, tables[q], insert);
  return [...near.distances];
}

const COMMANDS = {
  /** Of every form the seconds; all must find the same. */
  scan(count) {
    const found = {};
    const seconds = Object.fromEntries(
      forms.map((form) => {
        const start = performance.now();
        for (let q = 0; q < count; q++) found[form.name] = nearest(form, q % nq);
        return [form.name, (performance.now() - start) / 1000];
      }),
    );
    const [[first, right], ...others] = Object.entries(found);
    for (const [name, distances] of others) {
      const off = distances.some((distance, i) => Math.abs(distance - right[i]) > 1e-6 * right[i]);
      if (off) throw new Error(`${name} finds ${distances}, ${first} finds ${right}`);
    }
    return seconds;
  },
  nearest: (q) => nearest(forms[0], q),
};

for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...numbers] = line.split(" ");
  console.log(JSON.stringify(COMMANDS[command](...numbers.map(Number))));
}
