// Real texts with judged queries: a section's title asks for the section's own passages. The title is left out of what is stored.
import { sentenceEmbedder } from "../../src/cli/embed/sentences.js";
import { wordsOf } from "../../src/cli/embed/lexical.js";
import { installedReadmes, type TextFile } from "../../src/cli/text/files.js";
import { passagesOf } from "../../src/cli/text/passages.js";

export interface Section {
  /** The file or chapter that it is from. */
  readonly source: string;
  readonly title: string;
  readonly texts: readonly string[];
}

/** Passages by number, and titles with the numbers of the passages that they ask for. */
export interface Judged {
  readonly passages: readonly { readonly id: number; readonly text: string; readonly source: string }[];
  readonly queries: readonly { readonly text: string; readonly right: readonly number[] }[];
}

/** A title of one word asks for too little, and one that several sections have asks for all of them. */
const LEAST_WORDS = 2;

export function judged(sections: readonly Section[]): Judged {
  const passages = sections.flatMap(({ source, texts }, section) => texts.map((text) => ({ source, text, section })));
  const keyOf = ({ title }: Section): string => wordsOf(title).join(" ");
  const times = new Map<string, number>();
  for (const section of sections) times.set(keyOf(section), (times.get(keyOf(section)) ?? 0) + 1);
  const asked = sections.flatMap((section, i) => {
    const clear = wordsOf(section.title).length >= LEAST_WORDS && times.get(keyOf(section)) === 1;
    const right = clear ? passages.flatMap((passage, id) => (passage.section === i ? [id] : [])) : [];
    return right.length > 0 ? [{ text: section.title, right }] : [];
  });
  return { passages: passages.map(({ text, source }, id) => ({ id, text, source })), queries: asked };
}

/** Sections of the README files of the installed packages, in order of their names; a text that stands in several is taken once. */
export async function readmeSections(most: number): Promise<Section[]> {
  const seen = new Set<string>();
  const sections: Section[] = [];
  let passages = 0;
  for await (const file of installedReadmes(process.cwd())) {
    for (const { title, text } of cut(file)) {
      const texts = passagesOf({ name: file.name, text })
        .map((passage) => passage.text)
        .filter((one) => !seen.has(one) && seen.add(one));
      if (texts.length === 0) continue;
      sections.push({ source: file.name, title, texts });
      passages += texts.length;
      if (passages >= most) return sections;
    }
  }
  return sections;
}

/** Markdown between headings; what looks like one in a block of code is none. */
function cut({ text }: TextFile): { title: string; text: string }[] {
  const parts: { title: string; lines: string[] }[] = [{ title: "", lines: [] }];
  let code = false;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(```|~~~)/.test(line)) code = !code;
    const [, title] = (!code && /^#{1,6}\s+(.*?)\s*#*$/.exec(line)) || [];
    if (title === undefined) parts.at(-1)?.lines.push(line);
    else parts.push({ title: plain(title), lines: [] });
  }
  return parts.map(({ title, lines }) => ({ title, text: lines.join("\n") }));
}

/** A heading's words: without links, pictures, tags and marks. */
const plain = (title: string): string =>
  title
    .replace(/!\[[^\]]*\]\([^)]*\)|<[^>]*>/g, "")
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[`*]/g, "")
    .trim();

/** Vectors by the sentence model that npm ships; undefined where it is not installed. */
export async function sentenceVectors(texts: readonly string[], onDone?: (done: number) => void): Promise<Float32Array[] | undefined> {
  const model = await sentenceEmbedder();
  if (!model) return undefined;
  const values = await model.embed(texts, onDone);
  return texts.map((_, i) => values.subarray(i * model.dimensions, (i + 1) * model.dimensions));
}

/** Recall@k: the share of the right ones that are among the first k, of k where there are more. */
export function recallAt(k: number, found: readonly (readonly number[])[], queries: Judged["queries"]): number {
  const shares = queries.map(({ right }, i) => {
    const first = new Set(found[i].slice(0, k));
    return right.filter((id) => first.has(id)).length / Math.min(k, right.length);
  });
  return shares.reduce((sum, share) => sum + share, 0) / queries.length;
}
