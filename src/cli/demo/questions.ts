import { wordsOf } from "../embed/lexical.js";
import type { Passage } from "../text/passages.js";

/** What one asks of README files, in words that may not be theirs. */
export const README_QUESTIONS = [
  "parse arguments given on the command line",
  "make words in the terminal red or green",
  "draw a grid with rows and columns in the console",
  "unpack compressed data without native code",
];

/** A note, what becomes of it, and a question for each; for who sees words alone, with words of theirs. */
export const NOTES = {
  byMeaning: {
    first: "Coffee: pour water just off the boil over freshly ground beans and wait four minutes.",
    second: "Parking: the gate behind the house opens with a code, leave the car on the left.",
    questions: ["a hot drink for the morning", "where can I put my vehicle"],
  },
  byWords: {
    first: "Coffee: pour water just off the boil over freshly ground beans and wait four minutes.",
    second: "Parking: the gate behind the house opens with a code, leave the car on the left.",
    questions: ["ground coffee beans", "parking behind the house"],
  },
};

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
