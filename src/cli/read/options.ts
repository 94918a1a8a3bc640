import { Option } from "commander";
import { FORMAT_NAMES } from "./vectors.js";

/** The flags of every command that reads a file of vectors; `ids` says what becomes of rows without ids. */
export function readingFlags(ids = ""): Option[] {
  return [
    new Option("--format <name>", "the file's format (default: by its name, else by its first bytes)").choices(FORMAT_NAMES),
    new Option("--array <name>", 'which array of a .npz or .hdf5 holds the vectors (default: the only one, or "train")'),
    new Option("--header", "the first row of a .csv names the columns (default: found out, or refused)"),
    new Option("--no-header", "the first row of a .csv is a vector"),
    new Option("--id-field <name>", `the id in .jsonl, .csv, .parquet and .arrow (default: "id"${ids})`),
    new Option("--vector-field <name>", 'the vector in .jsonl, .csv, .parquet and .arrow (default: "vector" or "embedding")'),
  ];
}
