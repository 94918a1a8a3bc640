// Kernels against plain JS: every wasm variant beside the fastest of all JS forms, rows in cache, one process per cell.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cellsOf, howOf, measured, tableOf, VARIANTS } from "../../src/pages/kernels/kernels.mjs";
import { quick, roundsOr } from "../kit/options.mjs";
import { atLeast, finish } from "../kit/result.mjs";

const { rounds, ms } = howOf(quick);
const HOW = { rounds: roundsOr(rounds, rounds), ms, variants: VARIANTS };

const cells = cellsOf(quick).map((cell) => {
  process.stderr.write(`${cell.name} ${cell.d}\n`);
  const args = [fileURLToPath(new URL("part/micro-process.mjs", import.meta.url)), JSON.stringify(cell), JSON.stringify(HOW)];
  const speeds = execFileSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return measured(cell, JSON.parse(speeds));
});

finish("micro", {
  tables: { micro: tableOf(cells) },
  gates: cells
    .filter(({ asked }) => asked)
    .flatMap(({ name, d, js, wasm, asked }) =>
      ["simd", "relaxed"].map((v) => atLeast(`${name} kernel, d ${d}, ${v} / JS`, wasm[VARIANTS.indexOf(v)] / js, asked)),
    ),
  data: cells,
});
