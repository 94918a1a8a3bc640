// A plain web server on 127.0.0.1, as any static host is: whole files, and single ranges of them.
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

/** `files`: bytes by path, or { body, type }; answers leave after `delayMs`; `posted` hears what a page posts. Resolves to { url, close }. */
export async function serveFiles(files, { delayMs = 0, posted } = {}) {
  const server = createServer(async (request, response) => {
    if (posted && request.method === "POST") {
      posted(await text(request));
      return response.writeHead(204).end();
    }
    if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const file = files.get(new URL(request.url, "http://localhost").pathname);
    if (!file) return response.writeHead(404).end();
    const { body, type = "application/octet-stream" } = file.body === undefined ? { body: file } : file;
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const common = { "content-type": type, "accept-ranges": "bytes", "cache-control": "no-store" };
    if (!range) return response.writeHead(200, { ...common, "content-length": body.length }).end(body);
    const [from, to] = [Number(range[1]), Math.min(Number(range[2]) + 1, body.length)];
    if (from >= to) return response.writeHead(416, { "content-range": `bytes */${body.length}` }).end();
    const headers = {
      ...common,
      "content-length": to - from,
      "content-range": `bytes ${from}-${to - 1}/${body.length}`,
      etag: '"1"',
    };
    return response.writeHead(206, headers).end(body.subarray(from, to));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
