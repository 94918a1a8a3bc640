// While documents are written, replicas, the server and the writer are killed at random: what was acknowledged is there, once.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { NatsConnection } from "@nats-io/nats-core";
import { connectCollection } from "vicinal/nats";
import { clusterStatus, createShards } from "vicinal/nats/cluster";
import { afterAll, beforeAll, expect, it } from "vitest";
import { randomOf } from "../collection/support/random.js";
import { often } from "../support/thorough.js";
import { DIMENSIONS } from "./support/documents.js";
import { describeNats, pause, type ReplicaProcess, Server, until } from "./support/server.js";

const SHARDS = 2;
const RUNS = often(4, 20);
const WRITER = fileURLToPath(new URL("support/writer.mjs", import.meta.url));

describeNats(`${RUNS} kills at random while documents are written`, () => {
  let server: Server;
  let nc: NatsConnection;
  let replicas: ReplicaProcess[];
  /** The last version of each document that was tried, and that was acknowledged. */
  const tried = new Map<string, number>();
  const acked = new Map<string, number>();
  let acknowledged = 0;
  let writer: ChildProcess;
  let writers = 0;

  function write(): void {
    writer = spawn(process.execPath, [WRITER, String(server.port), `w${writers++}`, String(DIMENSIONS)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface(writer.stdout as NodeJS.ReadableStream).on("line", (line) => {
      const { what, documents } = JSON.parse(line) as { what: string; documents: [string, number][] };
      for (const [id, version] of documents) (what === "try" ? tried : acked).set(id, version);
      if (what === "acked") acknowledged++;
    });
  }

  async function killWriter(): Promise<void> {
    const gone = new Promise((resolve) => writer.once("close", resolve));
    writer.kill("SIGKILL");
    await gone;
  }

  beforeAll(async () => {
    server = await Server.start();
    nc = await server.connect();
    await createShards(nc, { collection: "docs", dimensions: DIMENSIONS, shards: SHARDS });
    replicas = Array.from({ length: 2 * SHARDS }, (_, i) => server.replica("docs", `${i % SHARDS}/${SHARDS}`, `replica-${i}`));
    await Promise.all(replicas.map((replica) => replica.ready()));
    write();
  });
  afterAll(async () => {
    writer?.kill("SIGKILL");
    await server?.end();
  });

  it("no acknowledged write is lost, none is there twice", async () => {
    const random = randomOf(Number(process.env.VICINAL_SEED ?? 7));
    const victims: Record<string, () => Promise<void>> = {
      server: async () => {
        await server.kill();
        await pause(300 * random());
        await server.begin();
      },
      writer: async () => {
        await killWriter();
        write();
      },
    };
    for (const [i, replica] of replicas.entries()) {
      victims[`replica ${i}`] = async () => {
        await replica.kill();
        await pause(300 * random());
        replica.begin();
      };
    }
    const names = Object.keys(victims);
    for (let run = 0; run < RUNS; run++) {
      const victim = names[Math.floor(random() * names.length)];
      const before = acknowledged;
      await until(`run ${run}: something is acknowledged before the kill of the ${victim}`, () => acknowledged > before, 60_000);
      await pause(200 * random());
      await victims[victim]();
    }
    const before = acknowledged;
    await until("something is acknowledged after all of it", () => acknowledged > before, 60_000);
    await killWriter();
    await until("all replicas have all of the log", async () => {
      const all = (await clusterStatus(nc, "docs")).replicas;
      const sizes = [0, 1].map((shard) => new Set(all.filter((one) => one.shard === shard).map(({ size }) => size)).size);
      return (
        all.length === replicas.length &&
        all.every(({ lag, state }) => lag === 0 && state === "ready") &&
        sizes.every((n) => n === 1)
      );
    }).catch(async (error) => {
      const { replicas: all } = await clusterStatus(nc, "docs");
      throw new Error(`${error.message}: ${JSON.stringify(all)}; ${replicas.map(({ code, problems }) => `${code} ${problems}`)}`);
    });
    expect(acked.size).toBeGreaterThan(20);
    // One replica of each shard, then the other.
    for (const twins of [replicas.slice(0, SHARDS), replicas.slice(SHARDS)]) {
      await Promise.all(twins.map((one) => one.kill()));
      const docs = await connectCollection(nc, "docs", { within: 10_000 });
      let found = 0;
      const lost: string[] = [];
      for (const [id, last] of tried) {
        const version = (await docs.get(id, { vector: false }))?.data.version as number | undefined;
        if (version !== undefined) found++;
        const least = acked.get(id) ?? 0;
        if ((version ?? 0) < least || (version ?? 0) > last)
          lost.push(`${id}: version ${version}, acknowledged ${least}, tried ${last}`);
      }
      expect(lost).toEqual([]);
      expect(await docs.count()).toBe(found);
      docs.close();
      for (const one of twins) one.begin();
      await Promise.all(twins.map((one) => one.ready()));
    }
  });
});
