// A server of NATS on a port of its own, and replicas as processes, which may be killed, stopped and started again.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { describe, test } from "vitest";
import { ROOT } from "../../support/packed.js";
import { THOROUGH } from "../../support/thorough.js";

const PROGRAM = process.env.NATS_SERVER ?? "/usr/sbin/nats-server";

/** A describe() that is skipped where there is no server to run; under CI it fails. */
export function describeNats(name: string, body: () => void): void {
  const get = "install nats-server (Debian: apt-get install nats-server) or set NATS_SERVER to its path";
  if (existsSync(PROGRAM)) describe(name, body);
  else if (THOROUGH) {
    test(`${name} can run`, () => {
      throw new Error(`not tested; to test it ${get}`);
    });
  } else {
    console.warn(`${name}: skipped; to test it ${get}`);
    describe.skip(name, body);
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until something is so. */
export async function until(what: string, is: () => boolean | Promise<boolean>, milliseconds = 30_000): Promise<void> {
  const ends = performance.now() + milliseconds;
  while (!(await is())) {
    if (performance.now() > ends) throw new Error(`${what} is not so after ${milliseconds} ms`);
    await pause(20);
  }
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once("exit", () => resolve()));
}

export interface ServerOptions {
  /** More lines of its configuration. */
  readonly config?: string;
  /** Default true. */
  readonly jetstream?: boolean;
}

export class Server {
  readonly folder = mkdtempSync(join(tmpdir(), "vicinal-nats-"));
  readonly #replicas: ReplicaProcess[] = [];
  readonly #connections: NatsConnection[] = [];
  #process: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    config: string,
    jetstream: boolean,
  ) {
    const store = jetstream ? `jetstream { store_dir: "${join(this.folder, "jetstream")}" }` : "";
    const lines = [`listen: 127.0.0.1:${port}`, store, config];
    writeFileSync(join(this.folder, "nats.conf"), lines.join("\n"));
  }

  static async start({ config = "", jetstream = true }: ServerOptions = {}): Promise<Server> {
    const server = new Server(await freePort(), config, jetstream);
    await server.begin();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Also after kill. */
  async begin(): Promise<void> {
    this.#process = spawn(PROGRAM, ["-c", join(this.folder, "nats.conf")], { stdio: "ignore" });
    const { port } = this;
    await until("the server is there", async () => {
      const found = await connect({ port, timeout: 500, user: "nobody" }).catch((error: Error) => error);
      if (!(found instanceof Error)) await found.close();
      return !(found instanceof Error) || /uthoriz/.test(found.message);
    });
  }

  async kill(): Promise<void> {
    if (!this.#process) return;
    this.#process.kill("SIGKILL");
    await ended(this.#process);
  }

  /** Of a server that is not running: a copy of its disk. */
  copyLog(): string {
    const copy = join(this.folder, `copy-${randomUUID()}`);
    cpSync(join(this.folder, "jetstream"), copy, { recursive: true });
    return copy;
  }

  putBack(copy: string): void {
    rmSync(join(this.folder, "jetstream"), { recursive: true });
    cpSync(copy, join(this.folder, "jetstream"), { recursive: true });
  }

  async connect(options: object = {}): Promise<NatsConnection> {
    const { port } = this;
    const nc = await connect({ port, maxReconnectAttempts: -1, reconnectTimeWait: 100, ...options });
    this.#connections.push(nc);
    return nc;
  }

  /** Starts `vicinal serve`. */
  replica(collection: string, shard: string, name: string, flags: readonly string[] = []): ReplicaProcess {
    const dir = join(this.folder, name);
    const replica = new ReplicaProcess([
      "--nats",
      this.url,
      "--collection",
      collection,
      "--shard",
      shard,
      "--dir",
      dir,
      ...flags,
    ]);
    this.#replicas.push(replica);
    return replica;
  }

  /** Ends all of it. */
  async end(): Promise<void> {
    for (const replica of this.#replicas) await replica.kill();
    for (const nc of this.#connections) await nc.close();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** `vicinal serve`, which can be killed and started again on its folder. */
export class ReplicaProcess {
  #process!: ChildProcess;
  #lines: { what: string; [name: string]: unknown }[] = [];
  /** What it has written to standard error. */
  problems = "";

  constructor(readonly flags: readonly string[]) {
    this.begin();
  }

  begin(): void {
    this.#lines = [];
    const child = spawn(process.execPath, [join(ROOT, "dist/cli.js"), "serve", "--json", ...this.flags], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface(child.stdout).on("line", (line) => this.#lines.push(JSON.parse(line)));
    child.stderr.on("data", (data) => {
      this.problems += data;
    });
    this.#process = child;
  }

  get code(): number | null {
    return this.#process.exitCode;
  }

  said(what: string): boolean {
    return this.#lines.some((line) => line.what === what);
  }

  async ready(): Promise<void> {
    await until(`the replica ${this.flags.join(" ")} is ready`, () => {
      if (this.code !== null)
        throw new Error(`vicinal serve ${this.flags.join(" ")} has ended with ${this.code}: ${this.problems}`);
      return this.said("ready");
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await ended(this.#process);
  }

  /** Ends as its user would end it; returns the exit code. */
  async stop(): Promise<number | null> {
    this.#process.kill("SIGTERM");
    await ended(this.#process);
    return this.code;
  }
}

/** The command line; its standard output. */
export function vicinal(...args: readonly string[]): string {
  return execFileSync(process.execPath, [join(ROOT, "dist/cli.js"), ...args], { encoding: "utf8" });
}
