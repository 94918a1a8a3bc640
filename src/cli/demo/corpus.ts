import { resolve } from "node:path";
import { InputError } from "../errors.js";
import { installedReadmes, textFiles } from "../text/files.js";
import { type Passage, passagesOf } from "../text/passages.js";

/** A passage as a document. */
export interface Piece extends Passage {
  readonly id: string;
  /** The package or file that it is from. */
  readonly source: string;
}

/** The texts of the demo: those that are stored, and those kept back to ask with. */
export interface Corpus {
  readonly origin: string;
  /** What a source is. */
  readonly field: "package" | "file";
  readonly files: number;
  readonly stored: Piece[];
  /** Passages that are not stored: what is measured with them is the search for something new. */
  readonly heldOut: Piece[];
  /** Whether there was more to read than the limit allowed. */
  readonly cut: boolean;
}

const MIN_PASSAGES = 20;
const HELD_OUT_SHARE = 10;
const MAX_HELD_OUT = 200;

/**
 * Reads at most `limit` passages from a folder, or else from the README files of the installed packages: of each at most `each`, so that
 * not only the first packages have a say.
 */
export async function readCorpus(folder: string | undefined, limit: number, each = Number.POSITIVE_INFINITY): Promise<Corpus> {
  const origin = folder === undefined ? "the README files of the installed packages" : resolve(folder);
  const field = folder === undefined ? "package" : "file";
  const passages = new Map<string, Piece>();
  const taken = new Map<string, number>();
  let files = 0;
  let cut = false;
  for await (const file of folder === undefined ? installedReadmes(process.cwd()) : textFiles(folder)) {
    if (passages.size >= limit) {
      cut = true;
      break;
    }
    files++;
    // The same licence or notice stands in many files: kept once, so that every passage has its own place.
    const source = field === "package" ? packageOf(file.name) : file.name;
    for (const passage of passagesOf(file)) {
      const key = passage.text.toLowerCase();
      const n = (taken.get(source) ?? 0) + 1;
      if (passages.has(key) || n > (field === "package" ? each : Number.POSITIVE_INFINITY)) continue;
      taken.set(source, n);
      passages.set(key, { ...passage, id: `${source}#${n}`, source });
    }
  }
  const all = [...passages.values()];
  cut ||= all.length > limit;
  if (all.length < MIN_PASSAGES) {
    throw new InputError(
      `${origin}: ${all.length} passages in ${files} text files (.md .markdown .txt), the demo needs ${MIN_PASSAGES}`,
    );
  }
  return { origin, field, files, cut, ...holdOut(all.slice(0, limit)) };
}

/** Keeps back a tenth of the passages, at most 200, evenly spread. */
function holdOut(all: readonly Piece[]): Pick<Corpus, "stored" | "heldOut"> {
  const step = Math.max(HELD_OUT_SHARE, Math.ceil(all.length / MAX_HELD_OUT));
  const isHeldOut = (_: Piece, i: number) => i % step === step - 1;
  return {
    stored: all.filter((passage, i) => !isHeldOut(passage, i)),
    heldOut: all.filter(isHeldOut),
  };
}

/** The package that a file below node_modules is of: the first folder, or two where that is a scope. */
function packageOf(file: string): string {
  const inside = file.replaceAll("\\", "/").split("node_modules/").at(-1) as string;
  const [first, second] = inside.split("/");
  return first?.startsWith("@") ? `${first}/${second}` : (first as string);
}

/** What is embedded for a passage: its heading counts as part of it. */
export function embeddedText({ title, text }: Passage): string {
  return `${title} ${text}`;
}
