// npm run demo:page [-- --port N] [--limit N] [--lexical]: serves the page until Ctrl-C.
import { parseArgs } from "node:util";
import { serveFiles } from "../../cli/serve-files.mjs";
import { pageFiles } from "./files.mjs";

function fail(sentence) {
  console.error(`demo:page: ${sentence}`);
  process.exit(1);
}

function numberOf(name, text, most) {
  const value = Number(text);
  return Number.isInteger(value) && value >= 0 && value <= most ? value : fail(`--${name} is ${text}; it must be 0 to ${most}`);
}

const options = {
  port: { type: "string", default: "8765" },
  limit: { type: "string", default: "400" },
  lexical: { type: "boolean", default: false },
};

try {
  const { port, limit, lexical } = parseArgs({ options }).values;
  const at = numberOf("port", port, 65535);
  const files = await pageFiles({ limit: numberOf("limit", limit, 100_000), lexical });
  const { url } = await serveFiles(files, at);
  console.log(`${url}   (Ctrl-C ends it)`);
} catch (error) {
  fail(error.code === "EADDRINUSE" ? "the port is taken: npm run demo:page -- --port 8766" : error.message);
}
