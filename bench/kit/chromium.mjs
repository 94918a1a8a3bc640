// A headless Chromium (CHROMIUM, else /usr/bin/chromium), and pages on localhost for it.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import os from "node:os";
import { text } from "node:stream/consumers";

export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
/** With these a page's clock ticks in microseconds; without, in up to a millisecond. */
export const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Opens the page where no one sees it; resolves when `done` does. */
export async function visit(address, done) {
  if (!existsSync(CHROMIUM)) throw new Error(`there is no ${CHROMIUM}: install Chromium or set CHROMIUM to its path`);
  const profile = mkdtempSync(`${os.tmpdir()}/vicinal-bench-`);
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${profile}`];
  const browser = spawn(CHROMIUM, [...flags, address], { stdio: "ignore", detached: true });
  const ended = new Promise((resolve) => browser.once("exit", resolve));
  const failed = ended.then((code) => {
    throw new Error(`${CHROMIUM} ended with ${code} before the page was done`);
  });
  try {
    await Promise.race([done, failed]);
  } finally {
    // All of its processes: what one of them still writes would be in the way of removing the profile.
    process.kill(-browser.pid, "SIGKILL");
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** What the page "/" of `files`, { path: { type, body } }, posts to /result. */
export async function visited(files) {
  let posted;
  const done = new Promise((resolve) => {
    posted = resolve;
  });
  const server = createServer(async (request, response) => {
    if (request.method === "POST") {
      posted(JSON.parse(await text(request)));
      response.writeHead(204).end();
      return;
    }
    const file = files[request.url];
    if (file) response.writeHead(200, { "content-type": file.type, ...ISOLATED }).end(file.body);
    else response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await visit(`http://localhost:${server.address().port}/`, done);
    return await done;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
