// The command line as a user runs it, in a folder of a test.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

export const CLI = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));

export function commandLine(folder: string) {
  /** Its standard input is no terminal. */
  function run(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd: folder, encoding: "utf8", input: "" });
    return { status, stdout, stderr };
  }

  /** Of a command that must succeed and print nothing but JSON. */
  function json(...args: string[]) {
    const { status, stdout, stderr } = run(...args, "--json");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return JSON.parse(stdout);
  }

  /** Of a command that must fail with one sentence and no stack. */
  function fails(code: number, sentence: string, ...args: string[]) {
    const { status, stderr } = run(...args);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(status).toBe(code);
  }

  return { run, json, fails };
}
