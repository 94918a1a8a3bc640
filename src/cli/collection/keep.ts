// How a collection is, and what keeps it in shape.
import { Command } from "commander";
import type { CollectionStats } from "../core.js";
import { InputError } from "../errors.js";
import { bytes, count, facts, figure, print, printJson, seconds, table } from "../print.js";
import { withCollection } from "./open.js";

interface Json {
  readonly json?: true;
}

export function infoCommand(): Command {
  return new Command("info")
    .description("Describe a collection: its tiers, log, disk, memory, and fields with their cardinality.")
    .argument("<folder>", "the folder of the collection")
    .option("--json", "print the description as JSON")
    .action(info);
}

async function info(path: string, { json }: Json): Promise<void> {
  const { stats, health } = await withCollection(path, async (collection) => ({
    stats: await collection.stats(),
    health: collection.health,
  }));
  if (json) return printJson({ folder: path, ...stats, health });
  const { size, dimensions, metric, memory, disk, fields } = stats;
  const each = memory.documentBytes / Math.max(1, size);
  const parts = [
    facts([
      ["collection", path],
      ["documents", `${count(size)} x ${dimensions} dimensions, ${metric}`],
      ["main tier", tierOf(stats, health.main)],
      ["fresh tier", `${count(health.fresh)} documents, scanned`],
      ["log", `${bytes(health.logBytes)}, which the next open reads`],
      ["disk", `${bytes(disk.bytes)} in ${count(disk.files.length)} files`],
      [
        "memory",
        `${bytes(memory.indexBytes)} indices, ${bytes(memory.documentBytes)} documents (${figure(each)} bytes each), ${bytes(memory.cacheBytes)} cached JSON`,
      ],
      ["state", health.problem === undefined ? health.state : `${health.state}: ${health.problem}`],
    ]),
  ];
  if (fields.length > 0) {
    const rows = fields.map((field) => [
      field.path,
      field.kind,
      count(field.cardinality),
      count(field.documents),
      bytes(field.bytes),
    ]);
    parts.push(table(["<field", "<kind", "values", "documents", "memory"], rows));
  }
  print(parts.join("\n\n"));
}

function tierOf({ main }: CollectionStats, documents: number): string {
  return main === undefined ? "none: so few are scanned as fast" : `${count(documents)} documents, ${main.kind} ${main.codec}`;
}

export function compactCommand(): Command {
  return new Command("compact")
    .description("Give back what removed and replaced documents still take, in the files.")
    .argument("<folder>", "the folder of the collection")
    .option("--json", "print what was given back as JSON")
    .action(compact);
}

async function compact(path: string, { json }: Json): Promise<void> {
  const start = performance.now();
  const [before, now] = await withCollection(path, async (collection) => {
    const { disk } = await collection.stats();
    await collection.compact();
    return [disk.bytes, (await collection.stats()).disk.bytes] as const;
  });
  const ms = performance.now() - start;
  if (json) return printJson({ folder: path, bytesBefore: before, bytes: now, seconds: ms / 1000 });
  print(`${path}: ${bytes(before)} before, ${bytes(now)} now, in ${seconds(ms)}`);
}

export function verifyCommand(): Command {
  return new Command("verify")
    .description("Read every byte of a collection and check that all fits; fails where something does not.")
    .argument("<folder>", "the folder of the collection")
    .option("--json", "print the report as JSON")
    .action(verify);
}

async function verify(path: string, { json }: Json): Promise<void> {
  const report = await withCollection(path, (collection) => collection.verify());
  if (json) printJson({ folder: path, ...report });
  else print(report.ok ? `${path}: ${bytes(report.bytes)} read, all of it sound` : report.problems.join("\n"));
  if (!report.ok) throw new InputError(`${path}: damaged, in ${report.problems.length} places`);
}
