// npm run bench: every bench in a process of its own, one after the other, then all gates in one table. `--only hnsw`
// (several times if wanted) runs some; the other options go to the benches.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BENCHES, SHORT_SETS } from "./benches.mjs";
import { only, partial, sets } from "./options.mjs";
import { gateTable, markdown, results } from "./result.mjs";

const names = only ?? BENCHES;
const unknown = names.find((name) => !BENCHES.includes(name));
if (unknown) throw new Error(`there is no bench ${unknown}, only ${BENCHES.join(", ")}`);

const start = performance.now();
const minutes = () => ((performance.now() - start) / 60000).toFixed(1);
const failed = names.filter((name, i) => {
  console.log(`\n[${i + 1}/${names.length}] ${name}, ${minutes()} min so far`);
  const script = fileURLToPath(new URL(`${name}.mjs`, import.meta.url));
  const shorter = sets ? [] : (SHORT_SETS[name] ?? []).flatMap((set) => ["--set", set]);
  return spawnSync(process.execPath, [script, ...process.argv.slice(2), ...shorter], { stdio: "inherit" }).status !== 0;
});

const gates = results(names.filter((name) => !failed.includes(name))).flatMap((result) => result.gates);
console.log(`\nGates${partial ? ", of a partial run: no measurement" : ""}\n${markdown(gateTable(gates))}`);
console.log(`\n${gates.filter(({ ok }) => ok).length} of ${gates.length} gates reached in ${minutes()} min.`);
if (failed.length) console.log(`Failed: ${failed.join(", ")}`);
process.exitCode = failed.length || (!partial && gates.some(({ ok }) => !ok)) ? 1 : 0;
