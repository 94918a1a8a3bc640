// The page of bench:browser: every cell in a worker of its own, as bench:micro has a process for each; the table and the
// bars as they come. What was measured goes back to the server.
import { cellsOf, measured, tableOf, VARIANTS } from "../../src/pages/kernels/kernels.mjs";
import { bars, numbers } from "../../src/pages/kernels/show.mjs";

const [bar, status, main] = ["progress", "[role=status]", "main"].map((selector) => document.querySelector(selector));

async function runsHere(variant) {
  return WebAssembly.validate(await (await fetch(`wasm/${variant}.wasm`)).arrayBuffer());
}

function speedsOf(cell, how) {
  const worker = new Worker("worker.js", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`${cell.name} ${cell.d}: ${message || "the worker failed"}`));
    worker.postMessage({ cell, how });
  }).finally(() => worker.terminate());
}

async function run() {
  const { quick, ...rest } = await (await fetch("how.json")).json();
  const variants = [];
  for (const variant of VARIANTS) if (await runsHere(variant)) variants.push(variant);
  const cells = [];
  const all = cellsOf(quick);
  bar.max = all.length;
  for (const cell of all) {
    status.textContent = `${cell.name}, ${cell.d} dimensions, ${cells.length + 1} of ${all.length}`;
    cells.push(measured(cell, await speedsOf(cell, { ...rest, variants })));
    bar.value = cells.length;
    main.replaceChildren(...bars(cells, variants), numbers(tableOf(cells)));
  }
  const missing = VARIANTS.filter((variant) => !variants.includes(variant));
  status.textContent = `Done.${missing.length ? ` This browser does not run ${missing.join(" and ")}.` : ""}`;
  return { cells };
}

const outcome = await run().catch((error) => ({ error: String(error) }));
if (outcome.error) status.textContent = outcome.error;
await fetch("result", { method: "POST", body: JSON.stringify({ agent: navigator.userAgent, ...outcome }) });
