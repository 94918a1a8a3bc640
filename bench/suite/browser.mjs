// npm run bench:browser: the kernels of bench:micro as a page on localhost. What a browser has measured is printed here too
// and left in out/browser.json. With --run a headless Chromium (CHROMIUM, else /usr/bin/chromium) opens it, and that is all.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { howOf, measured, tableOf } from "../../src/pages/kernels/kernels.mjs";
import { CHROMIUM, ISOLATED, visit } from "../kit/chromium.mjs";
import { quick, roundsOr, run } from "../kit/options.mjs";
import { finish, machine } from "../kit/result.mjs";
import { pageFiles } from "../page/page-files.mjs";

function report({ agent, cells, error }) {
  if (error) {
    console.error(`${agent}: ${error}`);
    process.exitCode = 1;
    return;
  }
  const whole = cells.map((cell) => measured(cell, cell.speeds));
  console.log(`\n${agent}`);
  finish("browser", { tables: { browser: tableOf(whole) }, data: whole, where: `${machine()}; ${agent}` });
}

const full = howOf(quick);
const files = await pageFiles({ ...full, quick, rounds: roundsOr(full.rounds, full.rounds) });
let resolve;
const done = new Promise((settle) => {
  resolve = settle;
});
const server = createServer(async (request, response) => {
  if (request.method === "POST" && request.url === "/result") {
    report(JSON.parse(await text(request)));
    response.writeHead(204).end();
    resolve();
    return;
  }
  const file = files[new URL(request.url, "http://localhost").pathname];
  if (file) response.writeHead(200, { "content-type": file.type, "cache-control": "no-store", ...ISOLATED }).end(file.body);
  else response.writeHead(404).end();
});
server.listen(0, "127.0.0.1", async () => {
  const address = `http://localhost:${server.address().port}/`;
  if (!run) {
    console.log(`Open ${address} in a browser; Ctrl-C ends it.`);
    return;
  }
  process.stderr.write(`${CHROMIUM} at ${address}\n`);
  await visit(address, done);
  server.close();
  server.closeAllConnections();
});
