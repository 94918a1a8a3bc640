// Pages of bench/page, in Chromium.
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { CHROMIUM, visited } from "../../kit/chromium.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** What bench/page/NAME.mjs posts that has got `how`; undefined without Chromium. */
export async function answerOf(name, how) {
  if (!existsSync(CHROMIUM)) return undefined;
  const { outputFiles } = await build({
    entryPoints: [`${root}bench/page/${name}.mjs`],
    external: ["node:*"],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "browser",
    tsconfigRaw: {}, // tsconfig.json would lead "vicinal" to src/
    outdir: "page",
    write: false,
    logLevel: "error",
  });
  const html = `<!doctype html><script type="module" src="${name}.js"></script>`;
  return visited({
    "/": { type: "text/html; charset=utf-8", body: html },
    "/how.json": { type: "application/json", body: JSON.stringify(how) },
    ...Object.fromEntries(
      outputFiles.map(({ path, contents }) => [`/${basename(path)}`, { type: "text/javascript", body: contents }]),
    ),
  });
}
