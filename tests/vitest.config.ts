import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { textOf } from "../src/build/text.mjs";

const dist = (file: string): string => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));

/** Every simd build is the one that has everything and asserts. */
const checkedWasm = {
  name: "checked-wasm",
  load: (id: string) =>
    /\/chunks\/simd(-core|-graph|-whole)?-\w+\.js$/.test(id)
      ? `export default ${JSON.stringify(textOf(readFileSync(dist("wasm/checked.wasm"))))};`
      : undefined,
};
/**
 * Where CI=true alone, for the minutes they take: browsers and tabs, some of which die, servers that are killed, files that are damaged at every place, memory
 * that is full at every size, what is found among many vectors, and layers that stand on what a user's run tests.
 */
const LONG = [
  "tests/storage/{browser,pages,tabs}.test.ts",
  "tests/collection/{shared,in-page}.test.ts",
  "tests/pool/*.test.ts",
  "tests/cli/{cli,collection,demo-page}.test.ts",
  "tests/explorer/page.test.ts",
  "tests/range/{damage,hosts,page,range}.test.ts",
  "tests/file/file.test.ts",
  "tests/numbers/{at-once,bulk,prefilter,recall}.test.ts",
  "tests/promise/{choosing,cliffs,full,memory}.test.ts",
  "tests/nats/{answers,faults,generations,kills,in-page,readme}.test.ts",
  "tests/guide/*.test.ts",
  "tests/package/{browser,examples,static}.test.ts",
  "tests/interop/{annoy,convert,page,vectors}.test.ts",
  "tests/hybrid/judged.test.ts",
  "tests/adapters/{langchain,llamaindex}.test.ts",
];

/** What is run with asserts too, where CI=true. */
const CHECKED = {
  name: "checked",
  include: ["tests/promise/{search,add-all,filters,model,full,hostile}.test.ts"],
  env: { VICINAL_VARIANT: "simd" },
};

/** The suites test what is published: dist/, built before; a process a file, and as many at a time as there are cores. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  resolve: {
    alias: [
      { find: /^vicinal$/, replacement: dist("index.js") },
      { find: /^vicinal\/node$/, replacement: dist("node.js") },
      { find: /^vicinal\/collection$/, replacement: dist("collection.js") },
      { find: /^vicinal\/worker$/, replacement: dist("worker.js") },
      { find: /^vicinal\/range$/, replacement: dist("range.js") },
      { find: /^vicinal\/tabs$/, replacement: dist("tabs.js") },
      { find: /^vicinal\/pool$/, replacement: dist("pool.js") },
      { find: /^vicinal\/nats$/, replacement: dist("nats.js") },
      { find: /^vicinal\/nats\/cluster$/, replacement: dist("nats-cluster.js") },
      { find: /^vicinal\/nats\/replica$/, replacement: dist("nats-replica.js") },
      { find: /^vicinal\/hybrid$/, replacement: dist("hybrid.js") },
      { find: /^vicinal\/langchain$/, replacement: dist("langchain.js") },
      { find: /^vicinal\/llamaindex$/, replacement: dist("llamaindex.js") },
      { find: /^vicinal\/transformers$/, replacement: dist("transformers.js") },
      { find: /^vicinal\/guide$/, replacement: dist("guide.js") },
      { find: /^vicinal\/interop$/, replacement: dist("interop.js") },
      { find: /^vicinal\/storage$/, replacement: dist("storage.js") },
      { find: /^vicinal\/storage\/node$/, replacement: dist("storage-node.js") },
    ],
  },
  test: {
    exclude: ["**/node_modules/**", ...(process.env.CI ? [] : LONG)],
    pool: "forks",
    maxWorkers: "100%",
    // Nothing may depend on how fast a machine is: these end what hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      { extends: true, test: { name: "published", include: ["tests/**/*.test.ts"] } },
      ...(process.env.CI ? [{ extends: true as const, plugins: [checkedWasm], test: CHECKED }] : []),
    ],
  },
});
