import { Command } from "commander";
import { VicinalError } from "../core.js";
import { InputError } from "../errors.js";
import { connected, type NatsFlags, natsFlags, untilThere, withPackages } from "../nats/connect.js";
import { positiveInt } from "../options.js";
import { count, print } from "../print.js";

interface ServeFlags extends NatsFlags {
  readonly collection: string;
  readonly shard: string;
  readonly dir: string;
  readonly generation?: number;
  readonly queue?: number;
  readonly maxBytes?: number;
  readonly snapshot?: string;
  readonly json?: true;
}

export function serveCommand(): Command {
  const command = new Command("serve")
    .description(
      "Be a replica of a shard of a collection on a server of NATS, until ended by a signal; vicinal cluster makes the collection.",
    )
    .requiredOption("--collection <name>", "the collection")
    .requiredOption("--shard <n/of>", "which shard of how many, such as 3/8; the first is 0")
    .requiredOption("--dir <folder>", "where this replica, and no other, has its documents")
    .option("--generation <n>", "of the shard map (default: the newest of so many shards)", positiveInt)
    .option("--queue <n>", "questions that wait before others are sent elsewhere (default: 64)", positiveInt)
    .option("--max-bytes <n>", "linear memory that the main tier may have", positiveInt)
    .option("--snapshot <url>", "where an empty folder begins (default: the server's object store, or its log)")
    .option("--json", "print what happens as JSON, a line each");
  return natsFlags(command).action(run);
}

async function run({ nats, user, password, creds, ca, json, ...options }: ServeFlags): Promise<void> {
  const { serveShard } = await withPackages(() => import("../../nats-replica.js"));
  const nc = await connected({ nats, user, password, creds, ca }, true);
  const say = (what: string, sentence: string, more: object = {}): void => {
    if (json) process.stdout.write(`${JSON.stringify({ what, ...more })}\n`);
    else print(sentence);
  };
  const lost = nc.closed().then((error) => {
    throw new InputError(`${nats}: ${error?.message ?? "the connection was closed"}`);
  });
  lost.catch(() => {}); // also where it is closed here
  let ended = false;
  const giveUp = (): void => {
    ended = true;
    void nc.close();
  };
  let end = giveUp;
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => end());
  const waits = ({ message }: Error): void => say("waits", `${nats}: ${message}; waits until that changes`, { problem: message });
  try {
    for (let serves = true; serves; ) {
      end = giveUp;
      const replica = await untilThere(nc, () => serveShard(nc, options), waits);
      end = () => void replica.close().catch(() => {});
      const name = `replica ${replica.id} of shard ${options.shard} of ${options.collection}, generation ${replica.status.generation}`;
      say("started", `${name}: reads the log from message ${count(replica.status.applied)} on`, { ...replica.status });
      void replica.ready.then(
        () => say("ready", `${name}: answers`, { ...replica.status }),
        () => {}, // told by closed
      );
      try {
        await Promise.race([replica.closed, lost]);
        serves = false;
        say("ended", `${name}: ended at message ${count(replica.status.applied)}`, { ...replica.status });
      } catch (error) {
        if (!(error instanceof VicinalError) || error.code !== "STORAGE_LOST") throw error;
        say("again", `${name}: ${error.message}`);
      } finally {
        await replica.close().catch(() => {}); // told by closed
      }
    }
  } catch (error) {
    if (!ended) throw error;
  } finally {
    await nc.close();
  }
}
