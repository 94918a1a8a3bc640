#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { buildCommand } from "./commands/build.js";
import { clusterCommand } from "./commands/cluster.js";
import { collectionCommand } from "./commands/collection.js";
import { convertCommand } from "./commands/convert.js";
import { demoCommand } from "./commands/demo.js";
import { doctorCommand } from "./commands/doctor.js";
import { evalCommand } from "./commands/eval.js";
import { exploreCommand } from "./commands/explore.js";
import { infoCommand } from "./commands/info.js";
import { planCommand } from "./commands/plan.js";
import { publishCommand } from "./commands/publish.js";
import { searchCommand } from "./commands/search.js";
import { serveCommand } from "./commands/serve.js";
import { tuneCommand } from "./commands/tune.js";
import { isUsage, sentenceFor } from "./report.js";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

// From dist/cli.js, where this runs.
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

const program = new Command("vicinal")
  .description("Nearest neighbours among embedding vectors: build, search and measure indexes.")
  .version(version)
  .showHelpAfterError("(--help lists the options)");
for (const command of [
  ...[buildCommand(), convertCommand(), searchCommand(), infoCommand(), evalCommand(), publishCommand()],
  ...[tuneCommand(), planCommand(), doctorCommand(), exploreCommand()],
  ...[collectionCommand(), serveCommand(), clusterCommand(), demoCommand()],
]) {
  program.addCommand(command);
}
for (const command of [program, ...program.commands, ...program.commands.flatMap((one) => one.commands)]) command.exitOverride();

// A reader that has seen enough (`vicinal search ... | head`) is no failure, but of an index, which sets the exit code.
process.stdout.on("error", (error: NodeJS.ErrnoException) =>
  process.exit(error.code === "EPIPE" ? process.exitCode : report(error)),
);

try {
  await program.parseAsync();
} catch (error) {
  const code = report(error);
  // A pipe that is still being read, which nobody may ever end, keeps no failed process alive.
  process.stderr.write("", () => process.stdout.write("", () => process.exit(code)));
}

/** Says on standard error what went wrong, and returns the exit code for it. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
  const sentence = sentenceFor(error);
  // Anything else is a fault of this program, and its stack is what a report of it needs.
  if (sentence === undefined) console.error(error);
  else process.stderr.write(`vicinal: ${sentence}\n`);
  return isUsage(error) ? EXIT_USAGE : EXIT_FAILED;
}
