// npm run bench:compare OLD NEW: two results, or two folders of them, such as copies of bench/out, side by side.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compare } from "./kit/compare.mjs";
import { markdown } from "./kit/table.mjs";

function resultsIn(path) {
  const files = statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [path];
  const results = files.filter((file) => file.endsWith(".json")).map((file) => JSON.parse(readFileSync(file, "utf8")));
  if (results.length === 0) throw new Error(`${path} has no result of a bench`);
  return results;
}

const { positionals } = parseArgs({ allowPositionals: true });
if (positionals.length !== 2) {
  console.error("usage: npm run bench:compare OLD NEW, each a file that a bench has left, or a folder of them");
  process.exit(2);
}
const [old, now] = positionals.map(resultsIn);

for (const [side, results] of Object.entries({ old, new: now })) {
  for (const machine of new Set(results.map(({ machine }) => machine))) console.log(`${side}: ${machine}`);
}
const { tables, gates, missing } = compare(old, now);
for (const [name, table] of Object.entries(tables)) console.log(`\n${name}\n${markdown(table)}`);
if (gates.rows.length) console.log(`\nGates\n${markdown(gates)}`);
if (missing.length) console.log(`\nOn one side only\n${markdown({ columns: ["what", "side"], rows: missing })}`);
