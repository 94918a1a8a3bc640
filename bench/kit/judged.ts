// Real texts with judged queries: a section's title asks for the section's own passages, the title being left out of what is stored;
// or a passage that is kept back asks for the others of its chapter.
import type { Fuse, hybrid, TextHit } from "vicinal/hybrid";
import { lexicalEmbedder, wordsOf } from "../../src/cli/embed/lexical.js";
import { sentenceEmbedder } from "../../src/cli/embed/sentences.js";
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

/** A passage of a book, as bible-bge-1024 has it. */
export interface Verse {
  readonly book: string;
  readonly chapter: number;
  readonly text: string;
}

/** Passages that are kept back, `keptBack`, ask for those of their chapters; one whose chapter has no other asks for none. */
export function chapters(stored: readonly Verse[], keptBack: readonly Verse[]): Judged {
  const keyOf = ({ book, chapter }: Verse): string => `${book} ${chapter}`;
  const right = new Map<string, number[]>();
  stored.forEach((verse, id) => void right.set(keyOf(verse), [...(right.get(keyOf(verse)) ?? []), id]));
  return {
    passages: stored.map(({ text, book }, id) => ({ id, text, source: book })),
    queries: keptBack.map((verse) => ({ text: verse.text, right: right.get(keyOf(verse)) ?? [] })),
  };
}

/** Vectors of passages and queries: by the sentence model that npm ships, where it is installed; or by their wording. */
export async function embeddedBy(
  how: "sentences" | "wording",
  { passages, queries }: Judged,
): Promise<[Float32Array[], Float32Array[]] | undefined> {
  const texts = passages.map(({ text }) => text);
  const model = how === "wording" ? lexicalEmbedder(texts) : await sentenceEmbedder();
  if (!model) return undefined;
  const rows = async (of: readonly string[]): Promise<Float32Array[]> => {
    const values = await model.embed(of);
    return of.map((_, i) => values.subarray(i * model.dimensions, (i + 1) * model.dimensions));
  };
  return [await rows(texts), await rows(queries.map(({ text }) => text))];
}

/** What is asked: both halves and the function that joins them. */
export interface Halves {
  readonly vectors: Parameters<typeof hybrid<number>>[0]["vectors"];
  readonly queryVectors: readonly ArrayLike<number>[];
  readonly words: (query: string) => readonly TextHit<number>[];
  readonly hybrid: typeof hybrid;
}

const K = 10;

/** Recall@10 of the words alone, of the vectors alone, and of both by each way to fuse them. */
export async function recalls({ queries }: Judged, { vectors, queryVectors, words, hybrid }: Halves, fuses: readonly Fuse[]) {
  const worded = queries.map(({ text }) => words(text));
  const near = await Promise.all(queryVectors.map((vector) => vectors.search(vector, { k: K })));
  const ids = (hits: readonly { id: number }[]): number[] => hits.map(({ id }) => id);
  const fused = fuses.map(async (fuse) => {
    const found = worded.map(async (hits, i) => {
      const both = hybrid({ vectors, text: () => hits, fuse });
      return ids(await both.search(queries[i].text, { k: K, vector: queryVectors[i] }));
    });
    return recall(await Promise.all(found), queries);
  });
  return { words: recall(worded.map(ids), queries), vectors: recall(near.map(ids), queries), fused: await Promise.all(fused) };
}

/** The share of the right ones that are among the first ten, of ten where there are more; the mean of queries that have any. */
function recall(found: readonly (readonly number[])[], queries: Judged["queries"]): number {
  const shares = queries.flatMap(({ right }, i) => {
    const first = new Set(found[i].slice(0, K));
    return right.length > 0 ? [right.filter((id) => first.has(id)).length / Math.min(K, right.length)] : [];
  });
  return shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
