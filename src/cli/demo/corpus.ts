import { resolve } from "node:path";
import { InputError } from "../errors.js";
import { installedReadmes, textFiles } from "../text/files.js";
import { type Passage, passagesOf } from "../text/passages.js";

/** The texts of the demo: those that are stored, and those kept back to ask with. */
export interface Corpus {
  readonly origin: string;
  readonly files: number;
  readonly stored: Passage[];
  /** Passages that are not stored: what is measured with them is the search for something new. */
  readonly heldOut: Passage[];
  /** Whether there was more to read than the limit allowed. */
  readonly cut: boolean;
}

const MIN_PASSAGES = 20;
const HELD_OUT_SHARE = 10;
const MAX_HELD_OUT = 200;

/** Reads at most `limit` passages from a folder, or else from the README files of the installed packages. */
export async function readCorpus(folder: string | undefined, limit: number): Promise<Corpus> {
  const origin = folder === undefined ? "the README files of the installed packages" : resolve(folder);
  const passages = new Map<string, Passage>();
  let files = 0;
  let cut = false;
  for await (const file of folder === undefined ? installedReadmes(process.cwd()) : textFiles(folder)) {
    if (passages.size >= limit) {
      cut = true;
      break;
    }
    files++;
    // The same licence or notice stands in many files: kept once, so that every passage has its own place.
    for (const passage of passagesOf(file)) passages.set(passage.text.toLowerCase(), passage);
  }
  const all = [...passages.values()];
  cut ||= all.length > limit;
  if (all.length < MIN_PASSAGES) {
    throw new InputError(
      `${origin}: ${all.length} passages in ${files} text files (.md .markdown .txt), the demo needs ${MIN_PASSAGES}`,
    );
  }
  return { origin, files, cut, ...holdOut(all.slice(0, limit)) };
}

/** Keeps back a tenth of the passages, at most 200, evenly spread. */
function holdOut(all: readonly Passage[]): Pick<Corpus, "stored" | "heldOut"> {
  const step = Math.max(HELD_OUT_SHARE, Math.ceil(all.length / MAX_HELD_OUT));
  const isHeldOut = (_: Passage, i: number) => i % step === step - 1;
  return {
    stored: all.filter((passage, i) => !isHeldOut(passage, i)),
    heldOut: all.filter(isHeldOut),
  };
}

/** What is embedded for a passage: its heading counts as part of it. */
export function embeddedText({ title, text }: Passage): string {
  return `${title} ${text}`;
}
