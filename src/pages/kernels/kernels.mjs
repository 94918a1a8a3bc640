// What bench:micro and bench:browser measure, and how they show it.
import { fixed, times } from "./table.mjs";

/**
 * Over rows of whole values, bits, and codes of one bit per dimension. `asked`: what simd / JS must reach; `within`: how
 * far apart the answers of codes may be that only estimate, as parts of the distance.
 */
const KERNELS = [
  { metric: "l2", codec: "f32", asked: 4 },
  { metric: "dot", codec: "f32", asked: 4 },
  { metric: "l2", codec: "sq8", asked: 10 },
  { metric: "dot", codec: "sq8", asked: 10 },
  { metric: "l2", codec: "f16" },
  { metric: "dot", codec: "f16" },
  { metric: "l2", codec: "bf16" },
  { metric: "dot", codec: "bf16" },
  { metric: "hamming", codec: "binary" },
  { metric: "l2", codec: "pq", bits: 8 },
  { metric: "l2", codec: "pq", bits: 4, within: 0.01 },
  { metric: "l2", codec: "rabitq", bits: 1, within: 0.35 },
];
export const VARIANTS = ["scalar", "simd", "relaxed"];

/** How long each contender is measured: in so many rounds, of so many milliseconds. */
export const howOf = (quick) => (quick ? { rounds: 3, ms: 2 } : { rounds: 10, ms: 6 });

/** All cells of the table, or with `quick` half of them: { ...kernel, name, d }. */
export function cellsOf(quick) {
  return KERNELS.flatMap((kernel) => {
    const { codec, bits, metric } = kernel;
    const name = bits ? `${codec} x${bits} ${metric}` : `${codec} ${metric}`;
    return (quick ? [128, 1536] : [128, 384, 784, 1536]).map((d) => ({ ...kernel, name, d }));
  });
}

/** A cell with its million distances per second: of the fastest form of JS, and of each variant that runs here. */
export function measured(cell, speeds) {
  const forms = Object.entries(speeds).filter(([name]) => !VARIANTS.includes(name));
  const [form, js] = forms.reduce((best, one) => (one[1] > best[1] ? one : best));
  return { ...cell, form, js, wasm: VARIANTS.map((variant) => speeds[variant] ?? Number.NaN), speeds };
}

export const tableOf = (cells) => ({
  columns: ["million distances per second", "d", ...VARIANTS, "best plain JS", ...VARIANTS.map((v) => `${v} / JS`), "JS form"],
  rows: cells.map(({ name, d, form, js, wasm }) => [
    name,
    d,
    ...wasm.map(fixed(2)),
    fixed(2)(js),
    ...wasm.map((speed) => times(speed / js)),
    form,
  ]),
});
