// dist/types: declarations of the package's entries, for import and, as .d.cts, for require.
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

export async function writeTypes() {
  const tsc = ["node_modules/typescript/bin/tsc", "-p", "src/tsconfig.json"];
  await promisify(execFile)(process.execPath, tsc).catch(({ stdout, message }) => {
    throw new Error(stdout || message);
  });
  for (const name of readdirSync("dist/types", { recursive: true })) {
    if (!name.endsWith(".d.ts")) continue;
    const declarations = readFileSync(`dist/types/${name}`, "utf8").replaceAll(/(["'])(\.\.?\/[\w./-]+)\.js\1/g, "$1$2.cjs$1");
    writeFileSync(`dist/types/${name.replace(".d.ts", ".d.cts")}`, declarations);
  }
}
