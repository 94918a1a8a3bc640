import { Command } from "commander";
import type { ClusterStatus } from "../../nats-cluster.js";
import { type Fields, type MainOptions, METRIC_NAMES, type Metric } from "../core.js";
import { type NatsFlags, natsFlags, withNats, withPackages } from "../nats/connect.js";
import { fieldOf, jsonOf, positiveInt, wholeNumber } from "../options.js";
import { bytes, count, facts, figure, print, printJson, table } from "../print.js";
import { progress } from "../progress.js";

interface Flags extends NatsFlags {
  readonly json?: true;
}

export function clusterCommand(): Command {
  const command = new Command("cluster").description(
    "Collections in shards and replicas on a server of NATS: make, look at, take snapshots, change the shards.",
  );
  for (const one of [createCommand(), statusCommand(), snapshotCommand(), reshardCommand(), dropCommand(), repairCommand()])
    command.addCommand(one);
  return command;
}

const library = () => withPackages(() => import("../../nats-cluster.js"));

function subcommand(name: string, description: string): Command {
  const command = new Command(name).description(description).argument("<collection>", "its name");
  return natsFlags(command).option("--json", "print what comes of it as JSON");
}

interface CreateFlags extends Flags {
  readonly dimensions: number;
  readonly shards: number;
  readonly metric?: Metric;
  readonly field?: Record<string, string>;
  readonly index?: string;
  readonly servers?: number;
  readonly logBytes?: number;
}

function createCommand(): Command {
  return subcommand("create", "Make a collection: its log, its shard map, a store for snapshots.")
    .requiredOption("--dimensions <n>", "values of a vector", positiveInt)
    .requiredOption("--shards <n>", "a power of two from 1 to 64", positiveInt)
    .option("--metric <metric>", `how distance is measured: ${METRIC_NAMES.join(", ")} (default: "cosine")`)
    .option("--field <path:kind>", "declare what a field holds, such as lang:keyword; may be given again", fieldOf)
    .option("--index <json>", `what the shards' main tiers are, such as '{"kind":"ivf","codec":"sq8"}' (default: a graph)`)
    .option("--servers <n>", "servers that keep the log: 1, 3 or 5 (default: 1)", positiveInt)
    .option("--log-bytes <n>", "bytes of log at which writes are refused (default: unlimited)", positiveInt)
    .action(create);
}

function indexOf(text: string | undefined): MainOptions | undefined {
  return jsonOf("--index", text, '{"kind":"hnsw"}') as MainOptions | undefined;
}

async function create(collection: string, flags: CreateFlags): Promise<void> {
  const { dimensions, shards, metric, field, servers, logBytes } = flags;
  const index = indexOf(flags.index);
  const { createShards } = await library();
  const map = await withNats(flags, (nc) =>
    createShards(nc, {
      collection,
      dimensions,
      shards,
      metric,
      fields: field as Fields | undefined,
      index,
      servers,
      logBytes,
    }),
  );
  if (flags.json) return printJson(map);
  print(
    `${collection}: ${count(map.now.shards)} shards; start their replicas with vicinal serve --collection ${collection} --shard 0/${map.now.shards} ...`,
  );
}

function statusCommand(): Command {
  return subcommand("status", "Show the shard map, the log, and every replica that answers.")
    .option("--within <ms>", "milliseconds that replicas have for an answer (default: 500)", positiveInt)
    .action(status);
}

async function status(collection: string, flags: Flags & { within?: number }): Promise<void> {
  const { clusterStatus } = await library();
  const { within } = flags;
  const found = await withNats(flags, (nc) => clusterStatus(nc, collection, within === undefined ? {} : { within }));
  if (flags.json) return printJson(found);
  print(render(collection, found));
}

const HEAD = [
  "<generation",
  "<shard",
  "<replica",
  "<state",
  "documents",
  "applied",
  "lag",
  "fresh",
  "main",
  "queue",
  "p50 ms",
  "p99 ms",
  "poisoned",
];

function render(collection: string, { map, log, replicas }: ClusterStatus): string {
  const { dimensions, metric, now, next, before } = map;
  const generations = [
    `${now.generation} answers, ${now.shards} shards`,
    ...(next ? [`${next.generation} is being built, ${next.shards} shards`] : []),
    ...(before ? [`${before.generation} goes, ${before.shards} shards`] : []),
  ];
  const parts = [
    facts([
      ["collection", `${collection}, ${dimensions} dimensions, ${metric}`],
      ["generations", generations.join("; ")],
      ["log", `${count(log.messages)} messages, ${bytes(log.bytes)}, ${count(log.first)} to ${count(log.last)}`],
    ]),
  ];
  const rows = replicas.map((one) => [
    ...[String(one.generation), `${one.shard}/${one.shards}`, one.replica, one.state, count(one.size), count(one.applied)],
    ...[count(one.lag), count(one.tiers.fresh), count(one.tiers.main), count(one.queue)],
    ...[figure(one.p50Ms), figure(one.p99Ms), count(one.poisoned)],
  ]);
  if (rows.length > 0) parts.push(table(HEAD, rows));
  const problems = replicas.flatMap(({ replica, problem, poison }) =>
    [problem, poison].flatMap((what) => (what === undefined ? [] : [`${replica}: ${what}`])),
  );
  const there = new Set(replicas.filter(({ generation }) => generation === now.generation).map(({ shard }) => shard));
  const missing = Array.from({ length: now.shards }, (_, shard) => shard).filter((shard) => !there.has(shard));
  if (missing.length > 0) problems.push(`no replica answers for shard ${missing.join(", ")}`);
  if (problems.length > 0) parts.push(problems.join("\n"));
  return parts.join("\n\n");
}

function snapshotCommand(): Command {
  return subcommand("snapshot", "Put a snapshot of every shard into the server's object store, from which new replicas begin.")
    .option("--purge", "take out of the log what the snapshots and all replicas have")
    .action(snapshot);
}

async function snapshot(collection: string, flags: Flags & { purge?: true }): Promise<void> {
  const { snapshotShards } = await library();
  const records = await withNats(flags, (nc) => snapshotShards(nc, collection, { purge: flags.purge === true }));
  if (flags.json) return printJson(records);
  const rows = records.map(({ shard, shards, documents, bytes: size, sequence, purgedMessages }) => [
    ...[`${shard}/${shards}`, count(documents), bytes(size), count(sequence), count(purgedMessages)],
  ]);
  print(table(["<shard", "documents", "size", "up to message", "messages purged"], rows));
}

interface ReshardFlags extends Flags {
  readonly shards?: number;
  readonly index?: string;
  readonly replicas?: number;
  readonly grace?: number;
}

function reshardCommand(): Command {
  return subcommand(
    "reshard",
    "Have another generation of shards take over when its replicas, which you start, have read the log.",
  )
    .option("--shards <n>", "a power of two from 1 to 64 (default: as many as there are)", positiveInt)
    .option("--index <json>", "what the shards' main tiers are (default: what they are)")
    .option("--replicas <n>", "replicas of each shard that must be ready (default: 1)", positiveInt)
    .option("--grace <ms>", "milliseconds in which the generation before goes on answering (default: 10000)", wholeNumber)
    .action(change);
}

async function change(collection: string, flags: ReshardFlags): Promise<void> {
  const { reshard } = await library();
  const { shards, replicas, grace } = flags;
  const index = indexOf(flags.index);
  let bar: ReturnType<typeof progress> | undefined;
  const map = await withNats(flags, (nc) =>
    reshard(nc, collection, {
      ...(shards !== undefined && { shards }),
      ...(index && { index }),
      ...(replicas !== undefined && { replicas }),
      ...(grace !== undefined && { graceMs: grace }),
      onProgress: ({ generation, shards, ready }) => {
        bar ??= progress("shards ready", shards);
        bar.update(ready, `generation ${generation}: vicinal serve --collection ${collection} --shard 0/${shards} ...`);
      },
    }),
  ).finally(() => bar?.stop());
  if (flags.json) return printJson(map);
  print(`${collection}: generation ${map.now.generation} answers, ${count(map.now.shards)} shards`);
}

function dropCommand(): Command {
  return subcommand("drop", "End a generation that does not answer; its replicas end themselves.")
    .requiredOption("--generation <n>", "which", positiveInt)
    .action(drop);
}

async function drop(collection: string, flags: Flags & { generation: number }): Promise<void> {
  const { dropGeneration } = await library();
  const map = await withNats(flags, (nc) => dropGeneration(nc, collection, flags.generation));
  if (flags.json) return printJson(map);
  print(`${collection}: generation ${flags.generation} is no more`);
}

function repairCommand(): Command {
  return subcommand(
    "repair",
    "After the server lost the end of the log: have each shard go on with the replica that has the most, and the others follow it.",
  ).action(repair);
}

async function repair(collection: string, flags: Flags): Promise<void> {
  const { repairShards } = await library();
  const repaired = await withNats(flags, (nc) => repairShards(nc, collection));
  if (flags.json) return printJson(repaired);
  if (repaired.length === 0) return print(`${collection}: no replica has stopped`);
  const rows = repaired.map(({ shard, replica, had, resumedAt, anew }) => [
    ...[String(shard), replica, count(had), count(resumedAt), anew.join(" ")],
  ]);
  print(table(["shard", "<replica", "had message", "goes on after", "<begin anew"], rows));
}
