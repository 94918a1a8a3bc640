// "Outgrowing one machine" of README.md: its snippet runs, its users may do what they have to and no more.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectCollection } from "vicinal/nats";
import { clusterStatus, createShards, reshard, snapshotShards } from "vicinal/nats/cluster";
import { expect, it } from "vitest";
import { pack, unpack } from "../../src/nats/parcel.js";
import { thrownBy } from "../support/errors.js";
import { ROOT } from "../support/packed.js";
import { snippet, textOf } from "../support/readme.js";
import { describeNats, Server, until } from "./support/server.js";

describeNats("README", () => {
  it("the snippet runs as it stands", async () => {
    const server = await Server.start();
    const folder = mkdtempSync(join(tmpdir(), "vicinal-readme-"));
    try {
      mkdirSync(join(folder, "node_modules"));
      symlinkSync(ROOT, join(folder, "node_modules/vicinal"));
      symlinkSync(join(ROOT, "node_modules/@nats-io"), join(folder, "node_modules/@nats-io"));
      writeFileSync(join(folder, "nats.mjs"), snippet("nats.js").source);
      const env = { ...process.env, NATS_URL: server.url };
      const said = execFileSync(process.execPath, ["nats.mjs"], { cwd: folder, env, encoding: "utf8" });
      expect(said).toMatch(
        /^\[ \{ id: 'a1', distance: 0\.00\d+, data: \{ lang: 'en' \} \} \]\n\{[\s\S]*partial: false,\s+missing: \[\]/,
      );
    } finally {
      await server.end();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("users may do what they have to, and no more", async () => {
    const lines = textOf("# nats.conf").split("\n");
    const config = lines.filter((line) => !/^(listen|tls|websocket|jetstream) ?[:{]/.test(line)).join("\n");
    const env = { ADMIN_PASSWORD: "a", REPLICA_PASSWORD: "r", APP_PASSWORD: "p", READER_PASSWORD: "d" };
    const server = await Server.start({ config: config.replace(/\$(\w+_PASSWORD)/g, (_, name: keyof typeof env) => env[name]) });
    try {
      const admin = await server.connect({ user: "admin", pass: "a" });
      await createShards(admin, { collection: "docs", dimensions: 3, shards: 1 });
      const flags = ["--user", "replica", "--password", "r"];
      await server.replica("docs", "0/1", "one", flags).ready();
      const app = await connectCollection(await server.connect({ user: "app", pass: "p" }), "docs");
      await app.upsert([{ id: "a", vector: [1, 0, 0], data: { lang: "en" } }]);
      const snapshots = await snapshotShards(admin, "docs", { purge: true });
      expect(snapshots).toMatchObject([{ documents: 1, purgedMessages: 1 }]);
      const twin = server.replica("docs", "0/1", "two", flags);
      await twin.ready();
      const reader = await connectCollection(await server.connect({ user: "reader", pass: "d" }), "docs");
      expect(await reader.search([1, 0, 0])).toHaveLength(1);
      expect(await reader.get("a")).toMatchObject({ data: { lang: "en" } });
      expect(await thrownBy(() => reader.delete("a", { within: 500 }))).toMatchObject({ code: "NO_ANSWER" });
      const inbox = await server.connect({ user: "reader", pass: "d" });
      expect(await thrownBy(() => snapshotShards(inbox, "docs"))).toBeInstanceOf(Error);
      const told = pack({ ask: { call: "anew" }, within: 1000 });
      const answer = await inbox.request("vic.docs.1.s00.ask", told, { timeout: 1000 });
      expect(unpack(answer.data).value).toMatchObject({ error: { code: "BAD_OPTION" } });
      const [{ replica }] = (await clusterStatus(admin, "docs")).replicas;
      expect(await thrownBy(() => inbox.request(`vic.docs.1.s00.t.${replica}`, told, { timeout: 500 }))).toBeInstanceOf(Error);
      expect((await clusterStatus(admin, "docs")).replicas.map(({ state }) => state)).toEqual(["ready", "ready"]);
      expect(await app.count()).toBe(1);
      const again = reshard(admin, "docs", { shards: 2, graceMs: 100 });
      await until("it is announced", async () => (await clusterStatus(admin, "docs", { within: 1 })).map.next !== undefined);
      const next = ["0/2", "1/2"].map((shard, i) => server.replica("docs", shard, `next-${i}`, flags));
      await Promise.all(next.map((replica) => replica.ready()));
      await again;
      await until("both go over", () => [app, reader].every((one) => one.stats().generation === 2));
      expect(await reader.search([1, 0, 0])).toHaveLength(1);
      app.close();
      reader.close();
    } finally {
      await server.end();
    }
  });
});
