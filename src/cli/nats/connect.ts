// The connection of serve and cluster, and the packages that it needs.
import { readFile } from "node:fs/promises";
import type { NatsConnection } from "@nats-io/nats-core";
import { type Command, Option } from "commander";
import { InputError } from "../errors.js";

export interface NatsFlags {
  readonly nats: string;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly creds?: string | undefined;
  readonly ca?: string | undefined;
}

const PACKAGES = ["nats-core", "transport-node", "jetstream", "kv", "obj"].map((name) => `@nats-io/${name}`).join(" ");
const RECONNECT_MS = 500;

export function natsFlags(command: Command): Command {
  const [url, user, password] = ["NATS_URL", "NATS_USER", "NATS_PASSWORD"];
  return command
    .addOption(new Option("--nats <url>", "the server; several by commas").env(url).default("nats://127.0.0.1:4222"))
    .addOption(new Option("--user <name>", "who this is to the server").env(user))
    .addOption(new Option("--password <text>", "and that one's password").env(password))
    .option("--creds <file>", "the same, as a file of nsc")
    .option("--ca <file>", "TLS: certificates that the server's is signed by");
}

/** A part of the package that imports those of NATS. */
export async function withPackages<T>(imported: () => Promise<T>): Promise<T> {
  try {
    return await imported();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new InputError(`this needs packages beside vicinal: npm install ${PACKAGES}`);
  }
}

/** Connects, and connects again for ever where the server has been away. `waits`: also where it is not there yet. */
export async function connected({ nats, user, password, creds, ca }: NatsFlags, waits: boolean): Promise<NatsConnection> {
  const { connect, credsAuthenticator } = await withPackages(() => import("@nats-io/transport-node"));
  const options = {
    servers: nats.split(","),
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_MS,
    waitOnFirstConnect: waits,
    ...(user !== undefined && { user }),
    ...(password !== undefined && { pass: password }),
    ...(creds !== undefined && { authenticator: credsAuthenticator(await readFile(creds)) }),
    ...(ca !== undefined && { tls: { caFile: ca } }),
  };
  try {
    return await connect(options);
  } catch (error) {
    throw new InputError(`${nats}: ${(error as Error).message}`);
  }
}

/** Runs `work` on a connection, and closes it whatever comes of it. */
export async function withNats<T>(flags: NatsFlags, work: (nc: NatsConnection) => Promise<T>): Promise<T> {
  const nc = await connected(flags, false);
  try {
    return await work(nc);
  } catch (error) {
    if (!isAway(error) && !isRefused(error)) throw error;
    throw new InputError(`${flags.nats}: ${(error as Error).message}`);
  } finally {
    await nc.close();
  }
}

/** Does `work` again and again while the server is away, or has no JetStream; `waits` is told once why. */
export async function untilThere<T>(nc: NatsConnection, work: () => Promise<T>, waits: (why: Error) => void): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || nc.isClosed()) throw error;
      if (!told) waits(error as Error);
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  }
}

/** The server does not answer, or not in time. */
function isAway(error: unknown): boolean {
  return /^(Timeout|Request|NoResponders|Connection|ClosedConnection|JetStream)/.test((error as Error).name);
}

function isRefused(error: unknown): boolean {
  return /^(Authorization|PermissionViolation)/.test((error as Error).name);
}
