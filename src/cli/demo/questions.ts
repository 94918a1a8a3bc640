import { wordsOf } from "../embed/lexical.js";
import type { Passage } from "../text/passages.js";

/** What one asks of README files. */
export const README_QUESTIONS = [
  "how do I parse command line arguments",
  "match file names with a glob pattern",
  "compile TypeScript to WebAssembly",
  "install with npm and import it in the browser",
];

const QUESTIONS = 4;
const QUESTION_WORDS = 10;

/** Questions for an unknown folder: the first words of passages that are not stored, evenly spread. */
export function questionsFrom(heldOut: readonly Passage[]): string[] {
  const step = Math.max(1, Math.floor(heldOut.length / QUESTIONS));
  return heldOut
    .filter((_, i) => i % step === 0)
    .slice(0, QUESTIONS)
    .map(({ text }) => text.split(" ").slice(0, QUESTION_WORDS).join(" "))
    .filter((question) => wordsOf(question).length > 0);
}
