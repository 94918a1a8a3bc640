// The page of bench/page/range.mjs from a plain web server, as a headless Chromium sees it.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { visit } from "../../kit/chromium.mjs";
import { serveFiles } from "../../kit/static-host.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The page and its script as files: { path: { type, body } }. */
export async function pageFiles(index, queries) {
  const { outputFiles } = await build({
    entryPoints: { range: `${root}bench/page/range.mjs` },
    alias: { "vicinal/range": `${root}dist/range.js` },
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    target: "es2022",
    outdir: "page",
    write: false,
  });
  return {
    "/": { type: "text/html; charset=utf-8", body: readFileSync(`${root}bench/page/range.html`) },
    "/queries.json": { type: "application/json", body: JSON.stringify(queries.map((query) => Array.from(query))) },
    ...Object.fromEntries(
      outputFiles.map(({ path, contents }) => [`/${basename(path)}`, { type: "text/javascript", body: contents }]),
    ),
    ...Object.fromEntries(Array.from(index, ([path, body]) => [`/docs${path}`, { type: "application/octet-stream", body }])),
  };
}

/** What the page measures. */
export async function pageResult(index, queries) {
  let posted;
  const done = new Promise((resolve) => {
    posted = resolve;
  });
  const host = await serveFiles(new Map(Object.entries(await pageFiles(index, queries))), { posted });
  try {
    await visit(host.url, done);
    const result = JSON.parse(await done);
    if (result.error) throw new Error(result.error);
    return result;
  } finally {
    host.close();
  }
}
