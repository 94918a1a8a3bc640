// What a bench leaves: tables on the screen, and out/<name>.json with tables, gates and samples for report.mjs.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { partial } from "./options.mjs";
import { markdown, times } from "./table.mjs";

export { fixed, markdown, times, whole } from "./table.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = fileURLToPath(new URL(partial ? "../out/partial" : "../out", import.meta.url));

/** `what` must reach `asked` or more; `value` is NaN where it could not be measured. */
export const atLeast = (what, value, asked, show = times) => gate(what, value, asked, ">=", value >= asked, show);
export const atMost = (what, value, asked, show = times) => gate(what, value, asked, "<=", value <= asked, show);
const gate = (what, value, asked, sign, ok, show) => ({ what, reached: show(value), asked: `${sign} ${show(asked)}`, ok });

/**
 * Saves and prints. `tables`: by the name of their place in README.md, { columns, rows, notes }; `data`: anything measured;
 * `seconds` of the whole bench tell the next run how long this one takes.
 */
export function finish(name, { tables: all, gates = [], data, where = machine() }) {
  const tables = Object.fromEntries(Object.entries(all).filter(([, { rows }]) => rows.length > 0));
  for (const [title, table] of Object.entries(tables)) console.log(`\n${title}\n${markdown(table)}`);
  if (gates.length) console.log(`\n${markdown(gateTable(gates))}`);
  mkdirSync(out, { recursive: true });
  const seconds = Math.ceil(performance.now() / 1000); // of this process
  writeFileSync(`${out}/${name}.json`, JSON.stringify({ name, machine: where, seconds, tables, gates, data }, null, 1));
}

/** The results of the given benches, those that there are. */
export function results(names, folder = out) {
  return names.flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8"))];
    } catch (error) {
      if (error.code === "ENOENT") return [];
      throw error;
    }
  });
}

export const gateTable = (gates) => ({
  columns: ["what", "reached", "asked", "ok"],
  rows: gates.map(({ what, reached, asked, ok }) => [what, reached, asked, ok ? "yes" : "NO"]),
});

/** The machine and the versions, in one line. */
export function machine() {
  const cpus = os.cpus();
  const commit = execFileSync("git", ["describe", "--always", "--dirty"], { cwd: root, encoding: "utf8" }).trim();
  const { node, v8 } = process.versions;
  const memory = `${Math.round(os.totalmem() / 2 ** 30)} GiB`;
  const day = new Date().toISOString().slice(0, 10);
  return `${cpus[0].model} x ${cpus.length}, ${memory}, ${os.type()} ${os.release()}; Node ${node} (V8 ${v8}); vicinal ${commit}, ${day}`;
}
