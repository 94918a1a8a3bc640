// A server of NATS on 127.0.0.1 and replicas as processes, for bench:nats; and traffic at a steady rate, of bounded time.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { connect } from "@nats-io/transport-node";

const PROGRAM = process.env.NATS_SERVER ?? "/usr/sbin/nats-server";
const CLI = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url));

export const thereIsNats = existsSync(PROGRAM);
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export async function startServer() {
  const folder = mkdtempSync(join(tmpdir(), "vicinal-bench-nats-"));
  const port = await freePort();
  const server = spawn(PROGRAM, ["-js", "-sd", join(folder, "jetstream"), "-a", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
  });
  const replicas = [];
  let nc;
  for (let tries = 0; !nc; tries++) {
    nc = await connect({ port, maxReconnectAttempts: -1, reconnectTimeWait: 100 }).catch((error) => {
      if (tries > 100) throw error;
    });
    if (!nc) await pause(50);
  }
  return {
    nc,
    replica(collection, shard, name) {
      const flags = ["--nats", `nats://127.0.0.1:${port}`, "--collection", collection, "--shard", shard];
      const replica = replicaOf([...flags, "--dir", join(folder, name)]);
      replicas.push(replica);
      return replica;
    },
    async end() {
      for (const replica of replicas) await replica.kill();
      await nc.close();
      server.kill("SIGKILL");
      await once(server, "exit");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function replicaOf(flags) {
  let child;
  let ready;
  const begin = () => {
    child = spawn(process.execPath, [CLI, "serve", "--json", ...flags], { stdio: ["ignore", "pipe", "inherit"] });
    ready = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => JSON.parse(line).what === "ready" && resolve());
      child.once("exit", (code) => reject(new Error(`vicinal serve ${flags.join(" ")} has ended with ${code}`)));
    });
    ready.catch(() => {}); // killed
  };
  begin();
  return {
    begin,
    ready: () => ready,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Calls at moments that do not depend on the answers, until it is stopped: the milliseconds each took, by when it began, and errors. */
export function traffic(perSecond, call) {
  const taken = [];
  const errors = [];
  const open = new Set();
  const began = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (const due = Math.floor(((performance.now() - began) / 1000) * perSecond); sent < due; sent++) {
      const at = performance.now();
      const one = call(sent).then(
        () => taken.push({ at, ms: performance.now() - at }),
        (error) => errors.push(error),
      );
      open.add(one);
      one.finally(() => open.delete(one));
    }
  }, 1);
  return {
    taken,
    errors,
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
    },
  };
}

export const quantile = (values, share) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))];
