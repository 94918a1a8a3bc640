// The same in a page: files from a URL, a Response and an <input>, by what pages have to unzip and by the packages' own builds for pages.
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, it } from "vitest";
import { evaluated, launched, type Site, serve } from "../support/browser.js";
import { describeWith, ROOT } from "../support/packed.js";
import { madeGraph, truth } from "./support/graph.js";
import { writeHnswlibFile } from "./support/hnswlib.js";
import { arrow, hdf5, npy, PLAIN, parquet, ROWS } from "./support/vector-files.js";
import { zip } from "./support/zip.js";

const GRAPH = madeGraph("l2");
const FILES = ["rows.npy", "rows.npy.gz", "rows.npz", "rows.parquet", "rows.arrow", "rows.hdf5"];

describeWith(["tools", "chromium"], "in a page", () => {
  const browser = launched();
  let folder: string;
  let site: Site;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "vicinal-interop-page-"));
    copyFileSync(join(ROOT, "tests/package/app/blank.html"), join(folder, "blank.html"));
    const contents = `import * as interop from "./dist/interop.js"; globalThis.interop = interop;`;
    await build({
      stdin: { contents, resolveDir: ROOT },
      outdir: folder,
      entryNames: "interop",
      bundle: true,
      splitting: true,
      format: "esm",
      logLevel: "error",
    });
    writeFileSync(join(folder, "graph.bin"), writeHnswlibFile(GRAPH));
    writeFileSync(join(folder, "rows.npy"), npy(ROWS));
    writeFileSync(join(folder, "rows.npy.gz"), gzipSync(npy(ROWS)));
    writeFileSync(join(folder, "rows.npz"), zip({ "a.npy": npy(ROWS) }, { deflate: true }));
    writeFileSync(join(folder, "rows.parquet"), parquet());
    writeFileSync(join(folder, "rows.arrow"), arrow("file"));
    await hdf5(join(folder, "rows.hdf5"));
    site = await serve(folder);
  });
  afterAll(() => {
    site?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const said = (expression: string): Promise<unknown> =>
    evaluated(browser(), `${site.origin}/blank.html`, `import("/interop.js").then(async () => ${expression})`);

  it("a graph of hnswlib's from a URL relative to the page, a Response and a File", async () => {
    const query = JSON.stringify(Array.from(GRAPH.rows[3]));
    const ids = `(file) => interop.readHnswlib(file, { metric: "l2" }).then(({ index }) => index.search(${query}, { k: 5, exact: true }).map(({ id }) => id))`;
    const answers = await said(
      `Promise.all(["graph.bin", await fetch("/graph.bin"), new File([await (await fetch("/graph.bin")).blob()], "x.bin")].map(${ids}))`,
    );
    const wanted = truth(GRAPH, GRAPH.rows[3], 5).map(Number);
    expect(answers).toEqual([wanted, wanted, wanted]);
  });

  it.each(FILES)("%s from a URL and a File", async (name) => {
    const rows = `async (file) => { const all = []; for await (const { vectors } of await interop.openVectors(file)) all.push(...vectors); return all; }`;
    const answers = await said(
      `Promise.all(["/${name}", new File([await (await fetch("/${name}")).blob()], "${name}")].map(${rows}))`,
    );
    expect(answers).toEqual([PLAIN.flat(), PLAIN.flat()]);
  });
});
