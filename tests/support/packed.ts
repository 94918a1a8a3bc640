// The package as its users get it: packed, and installed into an empty project beside the programs of package/app.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, test } from "vitest";
import { THOROUGH } from "./thorough.js";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WINDOWS = process.platform === "win32";

/** What app/round-trip.js reports. */
export interface Report {
  variant: string;
  answers: { index: string; hits: Hit[][]; hitsAgain: Hit[][]; bytes: string }[];
}
type Hit = { id: number; distance: number };

export interface Project {
  folder: string;
  /** Runs a program in the project's folder; its standard output. */
  run(program: string, ...args: string[]): Promise<string>;
  node(...args: string[]): Promise<string>;
  /** Starts one in a folder, absolute or below the project; whoever calls this ends it. */
  start(folder: string, program: string, ...args: string[]): ChildProcess;
  remove(): void;
}

/** `within`: a folder other than the system's for temporary files. */
export async function install(within = tmpdir()): Promise<Project> {
  mkdirSync(within, { recursive: true });
  const folder = realpathSync(mkdtempSync(join(within, "vicinal-package-")));
  const { VICINAL_VARIANT, NODE_OPTIONS, NODE_ENV, ...env } = process.env;
  const run = async (program: string, ...args: string[]): Promise<string> => {
    const shell = WINDOWS && program === "npm";
    return (await promisify(execFile)(program, args, { cwd: folder, env, shell, maxBuffer: 64 << 20 })).stdout;
  };
  cpSync(join(ROOT, "tests/package/app"), folder, { recursive: true });
  await run("npm", "pack", ROOT, "--ignore-scripts", "--silent");
  writeFileSync(join(folder, "package.json"), '{ "name": "app", "private": true }\n');
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  await run("npm", "install", `./${tarball}`, "--offline", "--no-audit", "--no-fund");
  return {
    folder,
    run,
    node: (...args) => run(process.execPath, ...args),
    start: (below, program, ...args) => spawn(program, args, { cwd: resolve(folder, below), env }),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

const TOOLS = join(ROOT, "tests/package/node_modules");

/** For install(): a project in here finds what tests/package has, too; it needs a tsconfig.json, lest that of this repository counts. */
export const BESIDE_TOOLS = join(ROOT, "tests/package/dist");

/** From tests/package. */
export const requireTool = createRequire(join(TOOLS, "x.js"));

/** A runtime of tests/package: in the package for this platform, or where an install script may have moved it. */
export function runtime(name: string, scope: string): string {
  const file = WINDOWS ? `${name}.exe` : name;
  const carriers = readdirSync(join(TOOLS, scope)).map((carrier) => join(TOOLS, scope, carrier));
  const places = carriers.flatMap((carrier) => [join(carrier, file), join(carrier, "bin", file)]);
  const found = [...places, join(TOOLS, name, "bin", `${name}.exe`)].find((place) => existsSync(place));
  if (!found) throw new Error(`tests/package has no ${name} for ${process.platform} ${process.arch}`);
  return found;
}

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** What a suite may lack, and how to get it. */
const NEEDS = {
  tools: { there: existsSync(TOOLS), get: "run `npm ci` in tests/package (some 530 MB)" },
  chromium: {
    there: existsSync(CHROMIUM),
    get: "install Chromium (Debian: apt-get install chromium) or set CHROMIUM to its path",
  },
};

/** A describe() that is skipped where something it needs is missing; under CI it fails. */
export function describeWith(needs: (keyof typeof NEEDS)[], name: string, body: () => void): void {
  const missing = needs.filter((need) => !NEEDS[need].there).map((need) => NEEDS[need].get);
  if (missing.length === 0) {
    describe(name, body);
  } else if (THOROUGH) {
    test(`${name} can run`, () => {
      throw new Error(`not tested; to test it ${missing.join(" and ")}`);
    });
  } else {
    console.warn(`${name}: skipped; to test it ${missing.join(" and ")}`);
    describe.skip(name, body);
  }
}
