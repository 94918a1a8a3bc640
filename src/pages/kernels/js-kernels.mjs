// The best that plain JS does: every honest form of the loop over typed arrays, each a function of its own so that V8
// compiles it for one kind of array. The bench takes the fastest.

/** One step, added to the sum `s`: on a query value x and a row value y, in the arithmetic named. */
const STEPS = {
  l2: {
    double: (s, x, y) => `{ const t = ${x} - ${y}; ${s} += t * t; }`,
    fround: (s, x, y) => `{ const t = fround(${x} - ${y}); ${s} = fround(${s} + fround(t * t)); }`,
    int: (s, x, y) => `{ const t = ${x} - ${y}; ${s} = ${s} + Math.imul(t, t) | 0; }`,
  },
  dot: {
    double: (s, x, y) => `${s} += ${x} * ${y};`,
    fround: (s, x, y) => `${s} = fround(${s} + fround(${x} * ${y}));`,
    int: (s, x, y) => `${s} = ${s} + Math.imul(${x}, ${y}) | 0;`,
  },
  hamming: {
    popcount: (s, x, y) => `{
        let t = ${x} ^ ${y};
        t = t - (t >>> 1 & 0x55555555) | 0;
        t = (t & 0x33333333) + (t >>> 2 & 0x33333333) | 0;
        ${s} = ${s} + (Math.imul(t + (t >>> 4) & 0x0f0f0f0f, 0x01010101) >>> 24) | 0;
      }`,
  },
  codes: {
    lookup: (s, x, y) => `${s} += q[${x} + ${y}];`,
    estimate: (s, x, y) => `${s} += q[${x} + ${y}];`,
  },
};
/** f16 and bf16 as they are stored: each value looked up in a table of all 65,536. */
for (const metric of ["l2", "dot"]) STEPS[metric].halves = (s, x, y) => STEPS[metric].double(s, x, `aux[${y}]`);

/** What the query has for value number `i` of a row: a value, or where the table of a code's byte begins. */
const ofQuery = (arithmetic, i) => (arithmetic in STEPS.codes ? `${i} << 8` : `q[${i}]`);
/** The distance of row `r` from its sum. rabitq: aux is [bias, shift, add ..., scale ...]. */
const distance = (arithmetic, r, sum) =>
  arithmetic === "estimate" ? `aux[0] + (aux[2 + ${r}] + aux[2 + n + ${r}] * (aux[1] + ${sum}))` : sum;

/** What each codec's query and rows may be, and the arithmetic that suits them. */
const STORED = {
  f32: [
    [Float32Array, Float32Array, "double"],
    [Float64Array, Float32Array, "double"],
    [Float32Array, Float32Array, "fround"],
  ],
  sq8: [
    [Uint8Array, Uint8Array, "int"],
    [Float64Array, Uint8Array, "double"],
    [Float32Array, Float32Array, "double"],
    [Float64Array, Float32Array, "double"],
  ],
  f16: [
    [Float32Array, Uint16Array, "halves"],
    [Float32Array, Float32Array, "double"],
    [Float64Array, Float32Array, "double"],
    ...(globalThis.Float16Array ? [[Float32Array, Float16Array, "double"]] : []),
  ],
  bf16: [
    [Float32Array, Uint16Array, "halves"],
    [Float32Array, Float32Array, "double"],
    [Float64Array, Float32Array, "double"],
  ],
  binary: [[Int32Array, Int32Array, "popcount"]],
  pq: [
    [Float32Array, Uint8Array, "lookup"],
    [Float64Array, Uint8Array, "lookup"],
  ],
  rabitq: [
    [Float32Array, Uint8Array, "estimate"],
    [Float64Array, Uint8Array, "estimate"],
  ],
};

/** The 65,536 values of f16 or bf16, by their bits. */
export function halfValues(codec) {
  if (codec === "bf16") return new Float32Array(Uint32Array.from({ length: 65536 }, (_, bits) => bits << 16).buffer);
  return Float32Array.from({ length: 65536 }, (_, bits) => {
    const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, (bits & 1023) / 1024];
    if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
    return sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
  });
}

/** Sums side by side; rows in one array or each in its own; rows that share a load of the query. */
const SHAPES = [1, 2, 4, 8].flatMap((sums) => [
  { sums, apart: false, together: 1, name: `${sums} sums` },
  { sums, apart: true, together: 1, name: `${sums} sums, rows apart` },
]);
SHAPES.push({ sums: 1, apart: true, together: 4, name: "4 rows at once" });
/** The same for codes. */
const CODE_SHAPES = [1, 2, 4, 8].map((sums) => ({ sums, apart: false, together: 1, name: `${sums} lookups` }));
for (const sums of [1, 2]) CODE_SHAPES.push({ sums, apart: false, together: 4, name: `${sums} lookups, 4 rows at once` });

/** (q, rows, d, n, out, aux): n distances; `rows` is one array of n x d values, or with `apart` n arrays. */
function kernel(name, step, arithmetic, { sums, apart, together }) {
  const zero = arithmetic === "fround" ? "fround(0)" : "0";
  const range = (n) => Array.from({ length: n }, (_, i) => i);
  const cells = range(together).flatMap((r) => range(sums).map((j) => ({ s: `s${r}_${j}`, r, j })));
  const row = ({ r, j }) => (apart ? `row${r}[i + ${j}]` : `rows[(r + ${r}) * d + i + ${j}]`);
  return new Function(`/* ${name} */ const fround = Math.fround;
  return function (q, rows, d, n, out, aux) {
    for (let r = 0; r < n; r += ${together}) {
      ${
        apart
          ? range(together)
              .map((r) => `const row${r} = rows[r + ${r}];`)
              .join(" ")
          : ""
      }
      let ${cells.map(({ s }) => `${s} = ${zero}`).join(", ")};
      for (let i = 0; i < d; i += ${sums}) {
        ${range(sums)
          .map((j) => `const x${j} = ${ofQuery(arithmetic, `i + ${j}`)};`)
          .join(" ")}
        ${cells.map((cell) => step(cell.s, `x${cell.j}`, row(cell))).join("\n        ")}
      }
      ${range(together)
        .map((r) => {
          const sum = range(sums).map((j) => `s${r}_${j}`);
          return `out[r + ${r}] = ${distance(arithmetic, `r + ${r}`, sum.join(" + "))};`;
        })
        .join(" ")}
    }
  }`)();
}

/** { name, Query, Row, apart, run } for all forms of a kernel over rows of so many values. */
export function forms({ metric, codec }, values) {
  const coded = codec === "pq" || codec === "rabitq";
  const fits = ({ sums }) => (coded ? values % sums === 0 : codec !== "binary" || sums <= 4);
  return STORED[codec].flatMap(([Query, Row, arithmetic]) =>
    (coded ? CODE_SHAPES : SHAPES).filter(fits).map((shape) => {
      const name = `${Query.name} x ${Row.name}, ${arithmetic}, ${shape.name}`;
      const run = kernel(name, STEPS[coded ? "codes" : metric][arithmetic], arithmetic, shape);
      return { name, Query, Row, apart: shape.apart, run };
    }),
  );
}
