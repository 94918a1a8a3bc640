// npm run bench: every bench in a process of its own, one after the other, then all gates in one table. `--only hnsw`
// (several times if wanted) runs some; the other options go to the benches.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { APART, BENCHES, SECONDS, SHORT_SETS } from "./kit/benches.mjs";
import { only, partial, sets } from "./kit/options.mjs";
import { Progress } from "./kit/progress.mjs";
import { gateTable, markdown, results } from "./kit/result.mjs";

const names = only ?? BENCHES;
const known = [...BENCHES, ...APART];
const unknown = names.find((name) => !known.includes(name));
if (unknown) throw new Error(`there is no bench ${unknown}, only ${known.join(", ")}`);

const before = Object.fromEntries(results(names).map(({ name, seconds }) => [name, seconds]));
const progress = new Progress(
  names,
  names.map((name) => before[name] ?? SECONDS[name]),
);

/** Whether the bench ended well. Beside a bar its tables wait until it has, and what it says is noted. */
async function runs(name) {
  progress.begin();
  const script = fileURLToPath(new URL(`suite/${name}.mjs`, import.meta.url));
  const shorter = sets ? [] : (SHORT_SETS[name] ?? []).flatMap((set) => ["--set", set]);
  const stdio = progress.bar ? ["ignore", "pipe", "pipe"] : "inherit";
  const child = spawn(process.execPath, [script, ...process.argv.slice(2), ...shorter], { stdio });
  const closed = once(child, "close");
  const tables = child.stdout && text(child.stdout);
  const said = [];
  if (child.stderr) {
    createInterface({ input: child.stderr }).on("line", (line) => {
      said.push(line);
      progress.note(line);
    });
  }
  const [status] = await closed;
  progress.end();
  if (tables) process.stdout.write(await tables);
  if (status !== 0) console.error(said.join("\n"));
  return status === 0;
}

process.once("SIGINT", () => {
  progress.end(); // gives the terminal back as it was
  process.exit(130);
});

const failed = [];
for (const name of names) if (!(await runs(name))) failed.push(name);

const gates = results(names.filter((name) => !failed.includes(name))).flatMap((result) => result.gates);
console.log(`\nGates${partial ? ", of a partial run: no measurement" : ""}\n${markdown(gateTable(gates))}`);
const minutes = (progress.elapsed / 60).toFixed(1);
console.log(`\n${gates.filter(({ ok }) => ok).length} of ${gates.length} gates reached in ${minutes} min.`);
if (failed.length) console.log(`Failed: ${failed.join(", ")}`);
process.exitCode = failed.length || (!partial && gates.some(({ ok }) => !ok)) ? 1 : 0;
