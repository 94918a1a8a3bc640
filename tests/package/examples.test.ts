// The examples that README.md links to, each built and run as its reader would, on the packed tarball.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorsOf, launched, type Page, type Site, serve } from "../support/browser.js";
import { BESIDE_TOOLS, CHROMIUM, describeWith, install, type Project, requireTool, runtime } from "../support/packed.js";
import { serving } from "../support/serving.js";
import { inWorkerd } from "../support/workerd.js";

process.env.NEXT_TELEMETRY_DISABLED = "1";

const QUERY = "where are my passwords reset?";
const NOTES = [
  "Passwords are reset under Settings, Account",
  "Invoices are sent on the first of the month",
  "The office is closed between the years",
];

interface Note {
  note: string;
  distance: number;
}

let project: Project;
/** What an exact search finds. */
let nearest: Note[];

beforeAll(async () => {
  project = await install(BESIDE_TOOLS);
  writeFileSync(join(project.folder, "tsconfig.json"), "{}");
  const { embed } = await import(join(project.folder, "readme/embed.js"));
  const [query, ...vectors]: Float32Array[] = await embed([QUERY, ...NOTES]);
  const notes = NOTES.map((note, i) => ({ note, distance: 1 - cosine(query, vectors[i]) }));
  nearest = notes.sort((a, b) => a.distance - b.distance).slice(0, 2);
});
afterAll(() => project?.remove());

function cosine(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0) / (Math.hypot(...a) * Math.hypot(...b));
}

/** A service answers `?q=` with what is nearest, and says what it lacks. */
async function answers(url: string): Promise<void> {
  const lacking = await fetch(url);
  expect([lacking.status, await lacking.json()]).toEqual([400, { error: "q is missing" }]);
  const found = await (await fetch(`${url}?q=${encodeURIComponent(QUERY)}`)).json();
  expect(found).toEqual(nearest.map(({ note, distance }) => ({ note, distance: expect.closeTo(distance, 5) })));
}

/** The same of a program, which says its address when it listens. */
function programAnswers(example: string, program: string[], path = ""): Promise<void> {
  const [command, ...args] = program;
  const server = project.start(example, command, ...args);
  return serving(server, /http:\/\/127\.0\.0\.1:\d+(?=\D)/, ([origin]) => answers(`${origin}/${path}`));
}

/** A page lists what is nearest to what is typed into its box. */
async function finds(page: Page, url: string): Promise<void> {
  const errors = errorsOf(page);
  await page.goto(url);
  await page.fill("input", QUERY);
  const listed = `Array.from(document.querySelectorAll("li"), ({ textContent }) => textContent)`;
  await expect.poll(() => page.evaluate(listed), { timeout: 60_000 }).toEqual(nearest.map(({ note }) => note));
  expect(errors).toEqual([]);
}

describeWith(["tools"], "on a server", () => {
  test("deno: also when its documents are there from before", async () => {
    const allowed = ["--no-prompt", "--allow-net", "--allow-sys=hostname", "--allow-read=..", "--allow-write=."];
    const program = [runtime("deno", "@deno"), "run", ...allowed, "service.js"];
    await programAnswers("deno", program);
    expect(existsSync(join(project.folder, "deno/notes"))).toBe(true);
    await programAnswers("deno", program);
  });

  test("bun: also when its file is there from before", async () => {
    const program = [runtime("bun", "@oven"), "service.js"];
    await programAnswers("bun", program);
    expect(existsSync(join(project.folder, "bun/notes.vic"))).toBe(true);
    await programAnswers("bun", program);
  });

  test("next: a production build", async () => {
    const next = requireTool.resolve("next/dist/bin/next");
    await project.node(next, "build", "next");
    await programAnswers("next", [process.execPath, next, "start", "--port", "0", "--hostname", "127.0.0.1"], "search");
  });

  test("cloudflare-worker: in workerd", async () => {
    const { main, compatibility_date } = JSON.parse(
      readFileSync(join(project.folder, "cloudflare-worker/wrangler.jsonc"), "utf8"),
    );
    await inWorkerd(project, `cloudflare-worker/${main}`, compatibility_date, answers);
  });
});

describeWith(["tools", "chromium"], "in Chromium", () => {
  const browser = launched();
  let site: Site;

  beforeAll(async () => {
    site = await serve(project.folder);
  });
  afterAll(() => site?.close());

  test("plain-html", async () => {
    await finds(await browser().newPage(), `${site.origin}/plain-html/index.html`);
  });

  test("vite-react", async () => {
    const cli = join(requireTool.resolve("vite/package.json"), "../bin/vite.js");
    await project.node(cli, "build", "vite-react", "--base", "./");
    await finds(await browser().newPage(), `${site.origin}/vite-react/dist/index.html`);
  });

  test("chrome-extension: its popup asks its service worker", async () => {
    const extension = join(project.folder, "chrome-extension");
    await build({
      entryPoints: ["service-worker.js"],
      absWorkingDir: extension,
      outdir: "built",
      bundle: true,
      format: "esm",
      logLevel: "warning",
    });
    const profile = mkdtempSync(join(tmpdir(), "vicinal-profile-"));
    const context = await requireTool("playwright-core").chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: ["--no-sandbox", `--load-extension=${extension}`],
      ignoreDefaultArgs: ["--disable-extensions"],
    });
    try {
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent("serviceworker"));
      await finds(await context.newPage(), new URL("/popup.html", worker.url()).href);
    } finally {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    }
  });
});
