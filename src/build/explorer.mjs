// dist/explorer: the page of src/pages/explorer, as files that run from anywhere, a disk too: plain scripts, and the workers as texts in
// scripts of their own (src/pages/explorer/jobs.ts).
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const FROM = "src/pages/explorer";
const TO = "dist/explorer";

/** `plugins`: how the engine is made to be in one file, wasm and all. Returns the files that the page is made of. */
export async function writeExplorer(plugins) {
  const common = { bundle: true, minify: true, format: "iife", target: "es2022", logLevel: "warning", legalComments: "none" };
  const made = (options) => build({ ...common, write: false, metafile: true, outdir: "out", ...options });
  mkdirSync(TO, { recursive: true });
  copyFileSync(`${FROM}/index.html`, `${TO}/index.html`);
  // Of experiments the page has what they ask alone: nothing of the engine is left in it.
  const page = await made({
    entryPoints: { page: `${FROM}/page.ts`, style: `${FROM}/page.css`, offline: `${FROM}/offline.ts` },
    external: ["vicinal-wasm:*", "vicinal-worker:*"],
  });
  if (page.outputFiles.some(({ text }) => text.includes("vicinal-wasm:")))
    throw new Error("the explorer's page has the engine in it");
  for (const { path, text } of page.outputFiles) writeFileSync(`${TO}/${path.split("/").at(-1)}`, text);
  const inputs = Object.keys(page.metafile.inputs);
  for (const name of ["worker"]) {
    const { outputFiles, metafile } = await made({ entryPoints: { [name]: `${FROM}/${name}.ts` }, plugins });
    const text = JSON.stringify(outputFiles[0].text);
    writeFileSync(`${TO}/${name}.js`, `(globalThis.vicinalWorkers??={}).${name}=${text};\n`);
    inputs.push(...Object.keys(metafile.inputs));
  }
  return inputs;
}
