// A page that asks and writes over a WebSocket, in Chromium.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { createShards } from "vicinal/nats/cluster";
import { afterAll, beforeAll, expect, it } from "vitest";
import { evaluated, launched, type Site, serve } from "../support/browser.js";
import { describeWith, ROOT } from "../support/packed.js";
import { describeNats, freePort, Server } from "./support/server.js";

const PAGE = `
  import { wsconnect } from "@nats-io/nats-core";
  import { connectCollection } from "vicinal/nats";
  globalThis.connected = async (port) => connectCollection(await wsconnect({ servers: "ws://127.0.0.1:" + port }), "docs");
`;

describeNats("over a WebSocket", () => {
  describeWith(["tools", "chromium"], "in a page", () => {
    const browser = launched();
    const folder = mkdtempSync(join(tmpdir(), "vicinal-nats-page-"));
    let server: Server;
    let site: Site;
    let port: number;

    beforeAll(async () => {
      port = await freePort();
      server = await Server.start({ config: `websocket { listen: "127.0.0.1:${port}", no_tls: true }` });
      const nc = await server.connect();
      await createShards(nc, { collection: "docs", dimensions: 3, shards: 2 });
      await Promise.all(["0/2", "1/2"].map((shard, i) => server.replica("docs", shard, `replica-${i}`).ready()));
      mkdirSync(folder, { recursive: true });
      await build({
        stdin: { contents: PAGE, resolveDir: ROOT },
        alias: { "vicinal/nats": join(ROOT, "dist/nats.js") },
        bundle: true,
        format: "esm",
        outfile: join(folder, "page.js"),
        logLevel: "warning",
      });
      writeFileSync(
        join(folder, "index.html"),
        '<!doctype html><link rel="icon" href="data:,"><script type="module" src="page.js"></script>',
      );
      site = await serve(folder);
    });
    afterAll(async () => {
      site?.close();
      await server?.end();
      rmSync(folder, { recursive: true, force: true });
    });

    it("writes, finds, reads its writes", async () => {
      const ask = `(async () => {
        const docs = await connected(${port});
        const documents = Array.from({ length: 100 }, (_, i) => ({ id: "d" + i, vector: [i, 1, 100 - i], data: { even: i % 2 === 0 } }));
        const written = await docs.upsert(documents);
        const hits = await docs.search(new Float32Array([40, 1, 60]), { k: 3, where: { even: true }, written });
        const one = await docs.get("d7", { written });
        return { count: written.count, ids: hits.map(({ id }) => id), vector: Array.from(one.vector, Math.round), total: await docs.count({ written }) };
      })()`;
      const found = await evaluated(browser(), `${site.origin}/index.html`, ask);
      expect(found).toEqual({ count: 100, ids: ["d40", "d38", "d42"], vector: [7, 1, 93], total: 100 });
    });
  });
});
