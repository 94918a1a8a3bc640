import { Command, InvalidArgumentError } from "commander";
import { METRIC_NAMES, type Metric, type PlannedDesign, plan } from "../core.js";
import { finiteNumber, positiveInt } from "../options.js";
import { bytes, count, figure, print, printJson, table } from "../print.js";

interface Asked {
  vectors: number;
  dims: number;
  metric?: Metric;
  recall?: number;
  p99?: number;
  ram?: number;
  machines?: number;
  cores?: number;
  replicas?: number;
  updates?: number;
  share?: number;
  json?: true;
}

export function planCommand(): Command {
  return new Command("plan")
    .description("Say from numbers alone which designs fit, what they take, and what breaks first in the others.")
    .requiredOption("--vectors <n>", "how many there will be: 1000000 or 1e6", wholeCount)
    .requiredOption("--dims <n>", "values of each", positiveInt)
    .option("--metric <name>", `${METRIC_NAMES.join(", ")} (default: cosine)`)
    .option("--recall <share>", "at k 10, 0.5 to 1 (default: 0.95)", finiteNumber)
    .option("--p99 <time>", "that 99 of 100 searches may take: 50ms, 500us, 1s", milliseconds)
    .option("--ram <size>", "of one machine: 500GB, 64GiB, 512MB (default: 4GiB)", byteCount)
    .option("--machines <n>", "how many there are (default: as many as it takes)", positiveInt)
    .option("--cores <n>", "of one machine (default: 1)", positiveInt)
    .option("--replicas <n>", "copies of everything (default: 1)", positiveInt)
    .option("--updates <n>", "vectors added or replaced in a second (default: 0)", finiteNumber)
    .option("--share <share>", "of the vectors those that pass a filter, 0 to 1 (default: 1)", finiteNumber)
    .option("--json", "print the plan as JSON")
    .action(tell);
}

async function tell({ dims: dimensions, p99: p99Ms, ram: ramBytes, updates, share, json, ...rest }: Asked): Promise<void> {
  const { designs, refused, advice } = await plan({
    ...rest,
    dimensions,
    p99Ms,
    ramBytes,
    updatesPerSecond: updates,
    filterShare: share,
  });
  if (json) return printJson({ designs, refused, advice });
  print(`${advice}\n`);
  if (designs.length > 0) print(`${fitting(designs)}\n`);
  for (const { factory, why } of designs) print(`${factory}: ${why}`);
  if (designs.length > 0) print(`\nRecall: ${designs[0]?.basis}.`);
  if (refused.length > 0) print(`\nWhat does not fit, by what breaks first:`);
  for (const { factory, breaks, why } of refused) print(`  ${breaks}: ${factory}: ${why}`);
}

function fitting(designs: readonly PlannedDesign[]): string {
  return table(
    ["<design", "<search", "shards", "machines", "bytes", "recall", "p50 ms", "p99 ms", "QPS", "build core h", "update cores"],
    designs.map((one) => [
      one.factory,
      Object.entries(one.search)
        .map(([name, value]) => `${name} ${value}`)
        .join(", "),
      count(one.shards),
      count(one.machines),
      bytes(one.bytes),
      one.recall.toFixed(3),
      figure(one.p50Ms),
      figure(one.p99Ms),
      count(one.qps),
      figure(one.buildSeconds / 3600),
      figure(one.updateCores),
    ]),
  );
}

/** 1e9 is one, 1.5 is none. */
function wholeCount(text: string): number {
  const value = Number(text);
  if (!/^[\d.]+(e\d+)?$/i.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError("Expected a whole number from 1, such as 1000000 or 1e6.");
  }
  return value;
}

function measured(units: Readonly<Record<string, number>>, example: string): (text: string) => number {
  return (text) => {
    const [, value, unit = ""] = /^([\d.]+)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
    const factor = units[unit.toLowerCase()];
    const whole = Number(value) * (factor ?? Number.NaN);
    if (value === undefined || !Number.isFinite(whole) || whole <= 0) {
      throw new InvalidArgumentError(`Expected a number and one of ${Object.keys(units).join(", ")}, such as ${example}.`);
    }
    return whole;
  };
}

const milliseconds = measured({ us: 0.001, ms: 1, s: 1000 }, "50ms");
const byteCount = measured({ mb: 1e6, gb: 1e9, tb: 1e12, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 }, "500GB");
