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
};

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
  binary: [[Int32Array, Int32Array, "popcount"]],
};

/** Sums side by side; rows in one array or each in its own; rows that share a load of the query. */
const SHAPES = [1, 2, 4, 8].flatMap((sums) => [
  { sums, apart: false, together: 1, name: `${sums} sums` },
  { sums, apart: true, together: 1, name: `${sums} sums, rows apart` },
]);
SHAPES.push({ sums: 1, apart: true, together: 4, name: "4 rows at once" });

/** (q, rows, d, n, out): n distances; `rows` is one array of n x d values, or with `apart` n arrays. */
function kernel(name, step, zero, { sums, apart, together }) {
  const range = (n) => Array.from({ length: n }, (_, i) => i);
  const cells = range(together).flatMap((r) => range(sums).map((j) => ({ s: `s${r}_${j}`, r, j })));
  const row = ({ r, j }) => (apart ? `row${r}[i + ${j}]` : `rows[(r + ${r}) * d + i + ${j}]`);
  return new Function(`/* ${name} */ const fround = Math.fround;
  return function (q, rows, d, n, out) {
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
          .map((j) => `const x${j} = q[i + ${j}];`)
          .join(" ")}
        ${cells.map((cell) => step(cell.s, `x${cell.j}`, row(cell))).join("\n        ")}
      }
      ${range(together)
        .map(
          (r) =>
            `out[r + ${r}] = ${range(sums)
              .map((j) => `s${r}_${j}`)
              .join(" + ")};`,
        )
        .join(" ")}
    }
  }`)();
}

/** { name, Query, Row, apart, run } for all forms of one metric over one codec. */
export function forms(metric, codec) {
  return STORED[codec].flatMap(([Query, Row, arithmetic]) =>
    SHAPES.filter(({ sums }) => codec !== "binary" || sums <= 4).map((shape) => {
      const name = `${Query.name} x ${Row.name}, ${arithmetic}, ${shape.name}`;
      const run = kernel(name, STEPS[metric][arithmetic], arithmetic === "fround" ? "fround(0)" : "0", shape);
      return { name, Query, Row, apart: shape.apart, run };
    }),
  );
}
