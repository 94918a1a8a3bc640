import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, extname } from "node:path";
import { Command } from "commander";
import { InputError } from "../errors.js";
import { wholeNumber } from "../options.js";
import { print } from "../print.js";
import { type ServedFile, serveFiles } from "../serve-files.mjs";

/** From dist/cli.js, where this runs. */
const FOLDER = new URL("./explorer/", import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};

/** Isolated pages have a clock of 5 microseconds, others one of 100. */
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

export function exploreCommand(): Command {
  return new Command("explore")
    .description("Serve a page, to this machine alone, that builds and measures every kind of index in your browser.")
    .argument("[file]", "vectors to begin with, .npy, .fvecs, .bvecs or .csv, each also .gz (default: some are made)")
    .option("--port <n>", "where; 0 is any that is free (default: 8766)", wholeNumber, 8766)
    .action(run);
}

async function run(path: string | undefined, { port }: { readonly port: number }): Promise<void> {
  if (port > 65535) throw new InputError(`--port is ${port}; it must be 0 to 65535`);
  const files: Record<string, ServedFile> = {};
  for (const name of readdirSync(FOLDER)) {
    files[`/${name}`] = { type: TYPES[extname(name)] as string, body: readFileSync(new URL(name, FOLDER)) };
  }
  files["/"] = files["/index.html"] as ServedFile;
  const given = path === undefined ? "" : encodeURIComponent(basename(path));
  if (path !== undefined) {
    if (!(await stat(path)).isFile()) throw new InputError(`${path}: is no file`);
    files[`/given/${given}`] = { type: "application/octet-stream", body: () => createReadStream(path) };
  }
  const { url } = await serveFiles(files, port, ISOLATED).catch((error) => {
    throw error.code === "EADDRINUSE" ? new InputError(`port ${port} is taken: --port 0 takes another`) : error;
  });
  print(`${url}${given && `#given/${given}`}   (Ctrl-C ends it)`);
}
