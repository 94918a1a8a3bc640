import { Command } from "commander";
import { type FileInfo, inspect, type LoadOptions, load, readBytes } from "../core.js";
import { describeIndex } from "../describe.js";
import { InputError } from "../errors.js";
import { naming } from "../open.js";
import { bytes, count, facts, figure, print, printJson, table } from "../print.js";

export function infoCommand(): Command {
  return new Command("info")
    .description("Describe an index file and verify its checksums; fails on a damaged one.")
    .argument("<index>", "an index file")
    .option("--json", "print the description as JSON")
    .action(info);
}

async function info(path: string, { json }: { json?: true }): Promise<void> {
  const contents = await readBytes(path);
  const header = await naming(path, () => inspect(contents));
  const damaged = header.sections.filter(({ ok }) => !ok).map(({ tag }) => tag);
  // A damaged index is described as far as it goes, but never loaded.
  const index = damaged.length === 0 ? await naming(path, () => load(contents, callersVectors(header.options))) : undefined;
  const stats = index?.stats();
  const memoryBytes = index?.bytes;
  const bytesPerVector = memoryBytes === undefined ? undefined : memoryBytes / Math.max(1, header.count);

  if (json) {
    const { factory, error, leaves, depth, levels, meanDegree, unreachable } = stats ?? {};
    const built = { factory, error, leaves, depth, levels, meanDegree, unreachable };
    printJson({ file: path, fileBytes: contents.length, memoryBytes, bytesPerVector, ...header, ...built });
  } else {
    const { version, dimensions } = header;
    const pairs: [string, string][] = [
      ["file", `${path}, ${bytes(contents.length)}, format ${version}`],
      ["vectors", `${count(header.count)} x ${dimensions} dimensions, ${count(header.deleted)} deleted`],
      ...describeIndex({ ...header, ...stats }),
    ];
    if (memoryBytes !== undefined && bytesPerVector !== undefined) {
      pairs.push(["memory", `${bytes(memoryBytes)}, ${figure(bytesPerVector)} bytes per vector`]);
    }
    const rows = header.sections.map(({ tag, offset, bytes: length, checksum, ok }) => [
      tag,
      count(offset),
      count(length),
      checksum,
      ok ? "ok" : "DAMAGED",
    ]);
    print(`${facts(pairs)}\n\n${table(["<section", "offset", "bytes", "checksum", "<verified"], rows)}`);
  }
  if (damaged.length > 0) throw new InputError(`${path}: damaged: checksum of section ${damaged.join(", ")} does not match`);
}

/** Stands in for the vectors of an index that holds codes alone: describing it asks for none. */
function callersVectors({ rerank }: FileInfo["options"]): LoadOptions {
  return rerank === "fetchVectors" ? { fetchVectors: () => [] } : {};
}
