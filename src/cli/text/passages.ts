import type { TextFile } from "./files.js";

/** A piece of text short enough to be about one thing. */
export interface Passage {
  readonly file: string;
  /** The heading it stands under, or "". */
  readonly title: string;
  readonly text: string;
}

const MIN_WORDS = 40;
const MAX_WORDS = 120;
/** What is left at the end of a file is kept from this many words on. */
const KEPT_WORDS = 8;

interface Block {
  readonly title: string;
  readonly text: string;
}

/** Cuts a file into passages of about 40 to 120 words: short paragraphs are joined, long ones cut between sentences. */
export function passagesOf(file: TextFile): Passage[] {
  const passages: Passage[] = [];
  let open: Block | undefined;
  const close = () => {
    if (open !== undefined && wordCount(open.text) >= KEPT_WORDS) passages.push({ file: file.name, ...open });
    open = undefined;
  };
  for (const { title, text } of blocksOf(file)) {
    for (const piece of pieces(text)) {
      if (open !== undefined && wordCount(open.text) + wordCount(piece) > MAX_WORDS) close();
      open = open === undefined ? { title, text: piece } : { title: open.title, text: `${open.text} ${piece}` };
      if (wordCount(open.text) >= MIN_WORDS) close();
    }
  }
  close();
  return passages;
}

/** Paragraphs in plain words, each under its heading. */
function blocksOf({ name, text }: TextFile): Block[] {
  const isMarkdown = !/\.txt$/i.test(name);
  const blocks: Block[] = [];
  let title = "";
  for (const paragraph of (isMarkdown ? withoutMarkup(text) : text).split(/\r?\n[ \t]*\r?\n/)) {
    const lines = paragraph.trim().split(/\r?\n/);
    const heading = isMarkdown ? headingOf(lines) : undefined;
    if (heading !== undefined) title = heading.title;
    const rest = heading === undefined ? lines : lines.slice(heading.lines);
    const words = rest.map(isMarkdown ? plainLine : (line) => line.trim()).filter((line) => line !== "");
    if (words.length > 0) blocks.push({ title, text: words.join(" ").replace(/\s+/g, " ") });
  }
  return blocks;
}

/** A heading at the start of a paragraph: "## Title", or a line underlined with = or -. */
function headingOf(lines: readonly string[]): { title: string; lines: number } | undefined {
  const marked = /^#{1,6}\s+(.*?)\s*#*$/.exec(lines[0] ?? "");
  if (marked !== null) return { title: plainLine(marked[1] as string), lines: 1 };
  if (/^(=+|-{3,})\s*$/.test(lines[1] ?? "")) return { title: plainLine(lines[0] as string), lines: 2 };
  return undefined;
}

/** Drops what is not prose (code, comments, tags, pictures) and keeps the words of links. */
function withoutMarkup(markdown: string): string {
  return markdown
    .replace(/^---\r?\n[\s\S]*?\r?\n---\r?\n/, "")
    .replace(/^[ \t>]*(```|~~~)[\s\S]*?^[ \t>]*\1.*$/gm, "\n")
    .replace(/<!--[\s\S]*?-->/g, "")
    .replace(/!\[[^\]]*\](\([^)]*\)|\[[^\]]*\])/g, "")
    .replace(/\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])/g, "$1")
    .replace(/^\s*\[[^\]]+\]:.*$/gm, "")
    .replace(/<\/?[a-z][^>\n]*>/gi, " ")
    .replace(/^(?=#{1,6}\s)/gm, "\n")
    .replace(/^#{1,6}\s.*$/gm, "$&\n");
}

/** One line without the marks of lists, quotes, tables, emphasis and inline code; "" for a ruler. */
function plainLine(line: string): string {
  const text = line
    .replace(/^\s*(>\s*)*([-*+]|\d+[.)])?\s+(\[[ x]\]\s+)?/, "")
    .replace(/^>\s*/, "")
    .replace(/\s*\|\s*/g, " ")
    .replace(/`+/g, "")
    .replace(/(\*\*|__|~~)(?=\S)(.*?\S)\1/g, "$2")
    .replace(/&nbsp;/g, " ")
    .trim();
  return /[\p{L}\p{N}]/u.test(text) ? text : "";
}

/** A paragraph as it is, or cut between sentences into pieces of at most 120 words. */
function pieces(text: string): string[] {
  if (wordCount(text) <= MAX_WORDS) return [text];
  const cut: string[] = [];
  let open: string[] = [];
  for (const sentence of text.split(/(?<=[.!?;:])\s+/)) {
    const words = sentence.split(" ");
    if (open.length > 0 && open.length + words.length > MAX_WORDS) {
      cut.push(open.join(" "));
      open = [];
    }
    open.push(...words);
    while (open.length > MAX_WORDS) cut.push(open.splice(0, MAX_WORDS).join(" "));
  }
  if (open.length > 0) cut.push(open.join(" "));
  return cut;
}

function wordCount(text: string): number {
  return text.split(" ").length;
}
