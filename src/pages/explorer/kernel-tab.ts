// The tab of kernels: what npm run bench:browser measures, in the reader's browser, with a result to take along.

import { element } from "../element.js";
import { cellsOf, howOf, type MeasuredKernel, measured, type Speeds } from "../kernels/kernels.mjs";
import { bars } from "../kernels/show.mjs";
import { fixed, markdown, times } from "../kernels/table.mjs";
import { Worked } from "./jobs.js";
import type { KernelAsked } from "./messages.js";
import { stoppable } from "./stoppable.js";

/** Many short rounds: of a page in the midst of others some go amiss. */
const SHORT = { rounds: 9, ms: 2 };
/** The place of simd among the variants. */
const SIMD = 1;

export function kernels(): void {
  const run = element("kernels-run", HTMLButtonElement);
  const stop = element("kernels-stop", HTMLButtonElement);
  const copy = element("kernels-copy", HTMLButtonElement);
  const thorough = element("thorough", HTMLInputElement);
  const progress = element("kernels-progress", HTMLProgressElement);
  const status = element("kernels-status", HTMLElement);
  const shown = element("kernels-bars", HTMLElement);
  const result = element("kernels-result", HTMLTextAreaElement);

  const running = stoppable({ run, stop, status, progress }, async (signal) => {
    const cells = cellsOf(!thorough.checked);
    const done: MeasuredKernel[] = [];
    for (const cell of cells) {
      status.textContent = `${cell.name}, ${cell.d} dimensions: ${done.length + 1} of ${cells.length}`;
      progress.value = done.length / cells.length;
      // V8 compiles a loop for the arrays it has seen: each cell has a worker that has seen none.
      const worked = new Worked("worker");
      const asked: KernelAsked = { cell, ...(thorough.checked ? howOf(false) : SHORT) };
      const speeds = await worked.run<never, Speeds>("kernel", asked, () => {}, signal).finally(() => worked.close());
      done.push(measured(cell, speeds));
      shown.replaceChildren(...bars(done, ["simd"]));
      result.value = textOf(done);
      copy.disabled = false;
    }
    return findingOf(done);
  });
  run.onclick = () => void running.start();
  copy.onclick = async () => {
    result.select();
    try {
      await navigator.clipboard.writeText(result.value);
      status.textContent = "Copied.";
    } catch {
      status.textContent = "This browser lets no page copy: the text is selected, copy it by keyboard.";
    }
  };
}

const ratio = ({ wasm, js }: MeasuredKernel): number => wasm[SIMD] / js;

function findingOf(cells: readonly MeasuredKernel[]): string {
  const sorted = cells.toSorted((a, b) => ratio(a) - ratio(b));
  const [least, most] = [sorted[0], sorted[sorted.length - 1]];
  const said = (one: MeasuredKernel): string => `${times(ratio(one))} (${one.name}, ${one.d} dimensions)`;
  return `The wasm computes ${said(least)} to ${said(most)} as many distances as the best plain JS here.`;
}

function textOf(cells: readonly MeasuredKernel[]): string {
  const table = markdown({
    columns: ["million distances per second", "d", "wasm, simd", "best plain JS", "simd / JS", "JS form"],
    rows: cells.map((cell) => [cell.name, cell.d, fixed(2)(cell.wasm[SIMD]), fixed(2)(cell.js), times(ratio(cell)), cell.form]),
  });
  return `${navigator.userAgent}\n\n${table}\n`;
}
