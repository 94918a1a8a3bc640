// Files of files.mjs, to this machine alone.
import { once } from "node:events";
import { createServer } from "node:http";

/** Port 0: any that is free. Errors: those of the system, as where the port is taken. */
export async function serveFiles(files, port) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = Object.hasOwn(files, pathname) ? files[pathname] : undefined;
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": file.type, "cache-control": "no-store" }).end(file.body);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
