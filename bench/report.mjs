// npm run bench:report: the tables of the last full run, from out/*.json into README.md, each between the marks
// `<!-- table:NAME -->` and `<!-- end -->`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { APART, BENCHES } from "./kit/benches.mjs";
import { gateTable, markdown, results } from "./kit/result.mjs";

const readme = fileURLToPath(new URL("README.md", import.meta.url));
const measured = results([...BENCHES, ...APART]);
const peer = measured.flatMap(({ data }) => data.peer ?? []);
const gates = measured.flatMap((result) => result.gates);
const blocks = {
  machine: [...new Set([...measured.map(({ machine }) => machine), ...peer])].map((line) => `- ${line}`).join("\n"),
  gates: gates.length ? markdown(gateTable(gates)) : "",
};
for (const { tables } of measured) {
  for (const [name, table] of Object.entries(tables)) blocks[name] = markdown(table);
}

const before = readFileSync(readme, "utf8");
const marks = /(<!-- table:([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g;
const after = before.replace(marks, (block, open, name, close) => (blocks[name] ? `${open}${blocks[name]}\n${close}` : block));
writeFileSync(readme, after);
const left = [...before.matchAll(marks)].map(([, , name]) => name).filter((name) => !blocks[name]);
console.log(left.length ? `Without a result, left as they were: ${left.join(", ")}` : "All tables written.");
