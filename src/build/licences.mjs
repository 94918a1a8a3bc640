// dist/THIRD-PARTY.txt: the licences of what is bundled.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** Of the packages that `paths` belong to. */
export function writeLicences(paths) {
  const bundled = paths.flatMap((path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1] ?? []);
  const packagesByText = {};
  // AssemblyScript's library is compiled into the wasm.
  for (const name of new Set(["assemblyscript", ...bundled.sort()])) {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
    const files = readdirSync(folder).filter((file) => /^(licen[cs]e|notice)/i.test(file));
    if (files.length === 0) throw new Error(`${name} has no licence file`);
    const text = files.map((file) => readFileSync(`${folder}/${file}`, "utf8").trim()).join("\n\n");
    packagesByText[text] = `${packagesByText[text] ?? ""}${name} ${version}, ${license}\n`;
  }
  const licences = Object.entries(packagesByText).map(([text, packages]) => `${packages}\n${text}\n`);
  writeFileSync("dist/THIRD-PARTY.txt", licences.join(`\n${"-".repeat(80)}\n\n`));
}
