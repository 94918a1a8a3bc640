// Every snippet and every command of README.md, run on the packed tarball.
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluated, launched, type Site, serve } from "../support/browser.js";
import { describeWith, install, type Project, ROOT } from "../support/packed.js";
import { COMMANDS, README, SNIPPETS, snippet, TABLES } from "../support/readme.js";
import { serving } from "../support/serving.js";
import { THOROUGH } from "../support/thorough.js";

let project: Project;
let folder: string;

beforeAll(async () => {
  project = await install();
  folder = join(project.folder, "readme");
  for (const { file, source } of [...SNIPPETS, ...TABLES]) writeFileSync(join(folder, file), source);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeBeside();
}, 120_000);
afterAll(() => project?.remove());

/** What snippets import beside vicinal, as installed here. */
const BESIDE = ["minisearch", "@langchain", "@llamaindex"];

/** In place of what asks a model elsewhere: the calls and the answers' shapes are the packages' own. */
const STAND_INS = {
  "@huggingface/transformers": `export async function pipeline(task, model) {
    if (task !== "feature-extraction" || !model.startsWith("Xenova/")) throw new Error(task + " " + model);
    return async (texts, { pooling, normalize }) => {
      if (pooling !== "mean" || normalize !== true) throw new Error("other options");
      const rows = texts.map(() => Array.from({ length: 384 }, () => 1 / Math.sqrt(384)));
      return { data: Float32Array.from(rows.flat()), dims: [texts.length, 384], tolist: () => rows };
    };
  }`,
  ai: `export async function embedMany({ model, values }) {
    if (typeof model !== "string" || !Array.isArray(values)) throw new Error("other options");
    return { values, embeddings: values.map((value) => Array.from({ length: 1536 }, (_, i) => Math.sin(value.length + i))) };
  }`,
};

function writeBeside(): void {
  const modules = join(project.folder, "node_modules");
  for (const name of BESIDE) symlinkSync(join(ROOT, "node_modules", name), join(modules, name), "junction");
  for (const [name, source] of Object.entries(STAND_INS)) {
    mkdirSync(join(modules, name), { recursive: true });
    writeFileSync(join(modules, name, "package.json"), '{ "type": "module", "exports": "./index.js" }');
    writeFileSync(join(modules, name, "index.js"), source);
  }
}

describe("in Node", () => {
  // Frameworks take a second each to load.
  const mayRun = (source: string): boolean => THOROUGH || !/from "@(langchain|llamaindex)\//.test(source);
  for (const { file, source } of SNIPPETS.filter(({ how }) => how === "node")) {
    test.runIf(mayRun(source))(file, async () => {
      const said = await project.node(join(folder, file));
      if (file === "app.js") expect(said.split("\n")[0]).toMatch(/^0\.\d\d Passwords are reset/);
    });
  }

  test("model.js embeds", async () => {
    const script = `import { embed } from ${JSON.stringify(join(folder, "model.js"))};
      const [vector] = await embed(["a"]);
      console.log(vector.constructor.name, vector.length);`;
    expect(await project.node("--input-type=module", "-e", script)).toBe("Float32Array 384\n");
  });

  test("service.js answers, and saves when it is told to end", async () => {
    await project.node(join(folder, "app.js")); // leaves notes.vic in the project's folder
    const port = 20_000 + (process.pid % 20_000);
    const service = spawn(process.execPath, [join(folder, "service.js")], {
      cwd: project.folder,
      env: { ...process.env, PORT: String(port) },
    });
    try {
      const hits = await answerOf(`http://127.0.0.1:${port}/?q=passwords`, service);
      expect(hits.map(({ id }) => id)).toContain(0);
      expect(hits).toHaveLength(3);
    } finally {
      const ended = new Promise((resolve) => service.once("exit", resolve));
      service.kill("SIGTERM");
      expect(await ended).toBe(0);
    }
    expect(readFileSync(join(project.folder, "notes.vic")).subarray(0, 7).toString()).toBe("VICINAL");
  });
});

async function answerOf(url: string, service: ChildProcess): Promise<{ id: number }[]> {
  for (;;) {
    if (service.exitCode !== null) throw new Error(`the service ended with ${service.exitCode}`);
    try {
      return (await (await fetch(url)).json()) as { id: number }[];
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50)); // it is not up yet
    }
  }
}

test("what Cloudflare Workers need is what the program does that workerd runs", () => {
  const program = readFileSync(join(ROOT, "tests/package/app/cloudflare.js"), "utf8");
  const imported = (source: string): string[] => [...source.matchAll(/from "([^"]+)"/g)].map(([, path]) => path);
  expect(imported(program)).toEqual(expect.arrayContaining(imported(snippet("cloudflare.js").source)));
});

describe("examples", () => {
  const app = join(ROOT, "tests/package/app");
  const folders = readdirSync(app, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== "readme");

  test.each(folders.map(({ name }) => name))("%s is linked, and at most 60 lines", (name) => {
    expect(README).toContain(`](tests/package/app/${name})`);
    const files = readdirSync(join(app, name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const lines = files.map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8").split("\n").length - 1);
    expect(lines.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(60);
  });
});

// What a user's run has no time for.
describe.runIf(THOROUGH)("coming from elsewhere", () => {
  test("the compiler takes every call", async () => {
    const compilerOptions = { target: "es2022", lib: ["ES2022"], module: "nodenext", strict: true, noEmit: true, allowJs: true };
    const types = { types: ["node"], typeRoots: [join(ROOT, "node_modules/@types")] };
    const checked = [...TABLES, snippet("hybrid.js"), snippet("langchain.js")];
    const files = checked.map(({ file }) => file);
    for (const { file, source } of checked) writeFileSync(join(folder, file), `// @ts-check\n${source}`);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...compilerOptions, ...types }, files }));
    const compiled = project.node(join(ROOT, "node_modules/typescript/bin/tsc"), "-p", join(folder, "tsconfig.json"));
    await expect(compiled.catch(({ stdout }) => stdout)).resolves.toBe("");
  });

  test.each(TABLES)("$file runs", async ({ file, source }) => {
    expect(source.split("\n").length).toBeGreaterThan(10);
    await project.node(join(folder, file));
  });
});

describe("commands", () => {
  const scripts = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).scripts as Record<string, string>;

  test.each(COMMANDS.filter((line) => line.startsWith("npm ")))("%s is a script of this repository, or npm's own", (line) => {
    for (const part of line.split(" && ")) {
      const [, run] = part.match(/^npm (?:run (?:-s )?)?([\w:]+)/) ?? [];
      expect(["ci", "install", "test", ...Object.keys(scripts)]).toContain(run);
    }
  });

  describe("vicinal", () => {
    beforeAll(async () => {
      const script = `import { writeFileSync, mkdirSync } from "node:fs";
        const npy = (rows, d) => {
          const header = \`{'descr': '<f4', 'fortran_order': False, 'shape': (\${rows}, \${d}), }\`.padEnd(117) + "\\n";
          const values = Float32Array.from({ length: rows * d }, (_, i) => (Math.imul(i + 1, 0x9e3779b1) >>> 0) / 2 ** 32 - 0.5);
          return Buffer.concat([Buffer.from("\\x93NUMPY\\x01\\x00v\\x00", "latin1"), Buffer.from(header, "latin1"), Buffer.from(values.buffer)]);
        };
        writeFileSync("vectors.npy", npy(12_000, 96));
        writeFileSync("queries.npy", npy(20, 96));
        mkdirSync("notes", { recursive: true });
        const notes = Array.from({ length: 60 }, (_, i) => "## Section " + i + "\\n\\nThe printer on floor " + i + " prints slowly when tray " + i +
          " is empty, and the help desk asks for its serial number, which stands on a label at its back beside the power socket.\\n");
        writeFileSync("notes/a.md", notes.join("\\n"));
        const documents = Array.from({ length: 30 }, (_, i) => ({ id: "a" + i, vector: Array.from({ length: 96 }, (_, j) => Math.sin(i + j)), lang: "en", year: 2010 + i }));
        writeFileSync("docs.jsonl", documents.map((one) => JSON.stringify(one)).join("\\n"));`;
      await project.node("--input-type=module", "-e", script);
    });

    test.each(COMMANDS.filter((line) => line.startsWith("npx vicinal")))(
      "%s",
      async (line) => {
        const words = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, one, two, plain]) => one ?? two ?? plain).slice(2);
        if (words[0] === "explore") {
          const server = project.start(".", "node", "node_modules/vicinal/dist/cli.js", ...words, "--port", "0");
          await serving(server, /http:\S+/, async ([url]) => expect((await fetch(url)).status).toBe(200));
          return;
        }
        const said = await project.node("node_modules/vicinal/dist/cli.js", ...words);
        expect(said).not.toBe("");
      },
      120_000,
    );
  });
});

describeWith(["tools", "chromium"], "in a page", () => {
  const browser = launched();
  let site: Site;

  beforeAll(async () => {
    await project.node(join(folder, "app.js"));
    await build({
      entryPoints: SNIPPETS.filter(({ how }) => how === "page").map(({ file }) => file),
      absWorkingDir: folder,
      outdir: "page",
      bundle: true,
      splitting: true,
      format: "esm",
      logLevel: "warning",
    });
    const page = '<!doctype html><link rel="icon" href="data:,"><input><ol></ol><script type="module" src="page.js"></script>';
    writeFileSync(join(folder, "page/index.html"), page);
    cpSync(join(project.folder, "blank.html"), join(folder, "page/blank.html"));
    writeFileSync(join(folder, "page/notes.json"), JSON.stringify(["about passwords", "about invoices", "about the office"]));
    writeFileSync(join(folder, "page/notes.vic"), readFileSync(join(project.folder, "notes.vic")));
    for (const file of ["documents.js", "publish.js"]) await project.node(join(folder, file));
    cpSync(join(project.folder, "public/docs"), join(folder, "page/docs"), { recursive: true });
    site = await serve(join(folder, "page"));
  });
  afterAll(() => site?.close());

  test("page.js and worker.js show what is nearest to what is typed", async () => {
    const ask = `new Promise((resolve) => {
      const input = document.querySelector("input"), list = document.querySelector("ol");
      new MutationObserver(() => resolve([...list.children].map((item) => item.textContent))).observe(list, { childList: true });
      input.value = "reset passwords";
      input.dispatchEvent(new Event("input"));
    })`;
    const shown = (await evaluated(browser(), `${site.origin}/index.html`, ask)) as string[];
    expect(shown).toHaveLength(3);
    expect(shown[0]).toBe("about passwords");
  });

  test("range.js finds what publish.js has published", async () => {
    const ask = `import("/range.js").then(({ ask }) => ask("how do I reset my password?"))`;
    const hits = (await evaluated(browser(), `${site.origin}/blank.html`, ask)) as { id: string; data: object }[];
    expect(hits[0]).toMatchObject({ data: { lang: "en" } });
    expect(hits.map(({ id }) => id)).toContain("a1");
  });

  test("build.js builds, keeps and reopens", async () => {
    const ask = `import("/build.js").then(async ({ build, keep, reopen }) => {
      const texts = Array.from({ length: 40 }, (_, i) => "note " + i + " says " + i * i);
      let last;
      const index = await build(texts, ({ done }) => { last = done; });
      await keep(index);
      const again = await reopen();
      return { size: again.size, last, self: again.search(index.get(7), { k: 1 })[0].id };
    })`;
    expect(await evaluated(browser(), `${site.origin}/blank.html`, ask)).toEqual({ size: 40, last: 40, self: 7 });
  });
});
