import { existsSync } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** A text file: its path as shown to the user, and its contents. */
export interface TextFile {
  readonly name: string;
  readonly text: string;
}

const TEXT_NAME = /\.(md|markdown|txt)$/i;
const README_NAME = /^readme(\.(md|markdown|txt))?$/i;
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The text and Markdown files below a folder, in the order of their names; hidden and node_modules folders are left out. */
export async function* textFiles(folder: string): AsyncGenerator<TextFile> {
  yield* readAll(
    folder,
    (name) => TEXT_NAME.test(name),
    (name) => name !== "node_modules",
  );
}

/** The README files of the packages installed nearest to `from`, or this package's own when there are none. */
export async function* installedReadmes(from: string): AsyncGenerator<TextFile> {
  const modules = nearestModules(from);
  let found = 0;
  for await (const file of modules === undefined
    ? []
    : readAll(
        modules,
        (name) => README_NAME.test(name),
        () => true,
      )) {
    found++;
    yield file;
  }
  if (found === 0)
    yield* readAll(
      fileURLToPath(new URL("..", import.meta.url)),
      (name) => README_NAME.test(name),
      () => false,
    );
}

function nearestModules(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(modules)) return modules;
    if (folder === dirname(folder)) return undefined;
  }
}

/** Reads the files below `root` whose name passes, in the order of their names. Links to folders are not followed. */
async function* readAll(
  root: string,
  takeFile: (name: string) => boolean,
  enterFolder: (name: string) => boolean,
): AsyncGenerator<TextFile> {
  const folders = [root];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    const below: string[] = [];
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith(".") && enterFolder(entry.name)) below.push(path);
      if (!entry.isFile() || !takeFile(entry.name) || (await stat(path)).size > MAX_FILE_BYTES) continue;
      const text = await readFile(path, "utf8");
      if (!text.includes("\0")) yield { name: relative(root, path), text };
    }
    folders.push(...below.reverse());
  }
}
