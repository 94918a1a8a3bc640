// npm run build:wasm [-- TARGET ...]: compiles assembly/ anew and says of each module of dist/wasm whether it is what comes out, byte for
// byte. It needs no other package than assemblyscript, in the version of package.json: for those who want to read what they run.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileAll, taskOf } from "./wasm.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));

const there = readdirSync("dist/wasm").filter((name) => name.endsWith(".wasm"));
const asked = process.argv.slice(2);
const targets = asked.length ? asked : there.map((name) => name.replace(".wasm", ""));
const scratch = mkdtempSync(join(tmpdir(), "vicinal-"));
try {
  await compileAll(
    targets.map((target) => taskOf(target, scratch)),
    ({ target, file }) => {
      const [made, published] = [file, `dist/wasm/${target}.wasm`].map((path) => readFileSync(path));
      const same = made.equals(published);
      console.log(`${target}.wasm: ${same ? `the same ${made.length} bytes` : "another module than the one in dist/wasm"}`);
      if (!same) process.exitCode = 1;
    },
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
