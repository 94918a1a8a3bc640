import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const dist = (file: string): string => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));

/** The suites test what is published: dist/, built before; a process a file, and as many at a time as there are cores. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  resolve: {
    alias: [
      { find: /^vicinal$/, replacement: dist("index.js") },
      { find: /^vicinal\/node$/, replacement: dist("node.js") },
    ],
  },
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: ["**/node_modules/**"],
    pool: "forks",
    maxWorkers: "100%",
    // Nothing may depend on how fast a machine is: these end what hangs.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
