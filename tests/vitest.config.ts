import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const dist = (file: string): string => fileURLToPath(new URL(`../dist/${file}`, import.meta.url));

/** The suites test what is published: dist/, built before. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  resolve: {
    alias: [
      { find: /^vicinal$/, replacement: dist("index.js") },
      { find: /^vicinal\/node$/, replacement: dist("node.js") },
    ],
  },
  test: { include: ["tests/**/*.test.ts"], exclude: ["**/node_modules/**"], testTimeout: 120_000, pool: "forks" },
});
