// Kernels against plain JS: every wasm variant beside the fastest of all JS forms, rows in cache, one run per cell.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { quick, roundsOr } from "./options.mjs";
import { atLeast, finish, fixed, times } from "./result.mjs";

const KERNELS = [
  { metric: "l2", codec: "f32", asked: 4 },
  { metric: "dot", codec: "f32", asked: 4 },
  { metric: "l2", codec: "sq8", asked: 10 },
  { metric: "dot", codec: "sq8", asked: 10 },
  { metric: "hamming", codec: "binary" },
];
const DIMENSIONS = [128, 384, 784, 1536];
const VARIANTS = ["scalar", "simd", "relaxed"];
const SAMPLE_MS = quick ? 2 : 6;
const ROUNDS = roundsOr(15, 3);

const cells = KERNELS.flatMap((kernel) =>
  (quick ? [128, 1536] : DIMENSIONS).map((d) => {
    process.stderr.write(`${kernel.codec} ${kernel.metric} ${d}\n`);
    const script = fileURLToPath(new URL("micro-case.mjs", import.meta.url));
    const args = [script, kernel.metric, kernel.codec, d, ROUNDS, SAMPLE_MS].map(String);
    const speeds = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
    const js = speeds.filter(([name]) => !VARIANTS.includes(name)).reduce((best, form) => (form[1] > best[1] ? form : best));
    const wasm = VARIANTS.map((variant) => Object.fromEntries(speeds)[variant]);
    return { ...kernel, d, form: js[0], js: js[1], wasm, speeds };
  }),
);

finish("micro", {
  tables: {
    micro: {
      columns: [
        "million distances per second",
        "d",
        ...VARIANTS,
        "best plain JS",
        ...VARIANTS.map((v) => `${v} / JS`),
        "JS form",
      ],
      rows: cells.map(({ metric, codec, d, form, js, wasm }) => [
        `${codec} ${metric}`,
        d,
        ...wasm.map(fixed(2)),
        fixed(2)(js),
        ...wasm.map((speed) => times(speed / js)),
        form,
      ]),
    },
  },
  gates: cells
    .filter(({ asked }) => asked)
    .flatMap(({ metric, codec, d, js, wasm, asked }) =>
      ["simd", "relaxed"].map((v) =>
        atLeast(`${codec} ${metric} kernel, d ${d}, ${v} / JS`, wasm[VARIANTS.indexOf(v)] / js, asked),
      ),
    ),
  data: cells,
});
