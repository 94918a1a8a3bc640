// Files of a page, to this machine alone.
import { once } from "node:events";
import { createServer } from "node:http";

/** Port 0: any that is free. A body may be a function that opens a stream. Errors: those of the system, as where the port is taken. */
export async function serveFiles(files, port, headers = {}) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined;
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": file.type, "cache-control": "no-store", ...headers });
    if (typeof file.body !== "function") return response.end(file.body);
    const body = file.body();
    body.on("error", () => response.destroy());
    response.on("close", () => body.destroy());
    body.pipe(response);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
