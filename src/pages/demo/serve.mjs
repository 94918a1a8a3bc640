// npm run demo:page [-- --port N] [-- --lexical]: serves the page to this machine alone.
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { pageFiles } from "./files.mjs";

const { values } = parseArgs({
  options: { port: { type: "string", default: "8765" }, limit: { type: "string" }, lexical: { type: "boolean" } },
});
const files = await pageFiles({ limit: values.limit && Number(values.limit), lexical: values.lexical });

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", "http://localhost");
  const file = files[pathname];
  if (!file) return response.writeHead(404).end();
  response.writeHead(200, { "content-type": file.type, "cache-control": "no-store" }).end(file.body);
});
server.on("error", (error) => {
  console.error(error.code === "EADDRINUSE" ? `port ${values.port} is taken: npm run demo:page -- --port 8766` : error.message);
  process.exit(1);
});
server.listen(Number(values.port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${server.address().port}/   (Ctrl-C ends it)`);
});
