import { Command } from "commander";
import { exportCommand } from "../collection/export.js";
import { importCommand } from "../collection/import.js";
import { compactCommand, infoCommand, verifyCommand } from "../collection/keep.js";
import { getCommand, searchCommand } from "../collection/look.js";

export function collectionCommand(): Command {
  const command = new Command("collection").description(
    "Documents with vectors and fields, in a folder: import, search, get, keep.",
  );
  for (const one of [
    ...[importCommand(), searchCommand(), getCommand(), infoCommand()],
    ...[compactCommand(), verifyCommand(), exportCommand()],
  ]) {
    command.addCommand(one);
  }
  return command;
}
