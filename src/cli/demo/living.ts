// What the demo does with its documents: it asks for them, by meaning and by conditions, edits and deletes them.
import type { Collection, DocumentHit, Where } from "../core.js";
import type { Corpus } from "./corpus.js";
import { NOTES } from "./questions.js";

export type Ask = (question: string, where?: Where) => Promise<DocumentHit[]>;

/** Says a line to whoever reads. */
export type Say = (text: string) => void;

const SHOWN = 3;
const SNIPPET_CHARS = 150;

/** The nearest of each source, so that one long README does not give all answers; or those that meet conditions. */
export function asking(collection: Collection, { field }: Corpus, meansNothing: (text: string) => boolean): Ask {
  // No word to go by: the zero vector has no direction, and would be as far from everything.
  return async (question, where) =>
    meansNothing(question) ? [] : collection.search(question, { k: SHOWN, ...(where ? { where } : { groupBy: field }) });
}

export function render(hits: readonly DocumentHit[]): string {
  if (hits.length === 0) return "  nothing found";
  return hits
    .map(({ distance, data }) => {
      const { title, text, ...of } = data as { title: string; text: string; package?: string; file?: string };
      const source = of.package ?? of.file;
      const snippet = text.length > SNIPPET_CHARS ? `${text.slice(0, SNIPPET_CHARS)}...` : text;
      return `  ${distance.toFixed(3)}  ${title === "" ? source : `${source}: ${title}`}\n         ${snippet}`;
    })
    .join("\n");
}

/** A question that has been answered once more, of the last of its sources alone. */
export async function filtered(
  collection: Collection,
  ask: Ask,
  { field }: Corpus,
  { question, found }: { readonly question: string; readonly found: readonly DocumentHit[] },
  say: Say,
) {
  const where = { [field]: found.at(-1)?.data?.[field] as string };
  const passing = await collection.count({ where });
  say(`\nThe first question again, where ${JSON.stringify(where)}: ${passing} passages meet that`);
  const hits = await ask(question, where);
  say(`> ${question}\n${render(hits)}`);
  return { question, where, passing, found: hits };
}

/** A note is written, edited and deleted, and the same two questions are asked each time. */
export async function edited(collection: Collection, ask: Ask, corpus: Corpus, meaning: boolean, say: Say) {
  const id = "my note";
  const { first, second, questions } = meaning ? NOTES.byMeaning : NOTES.byWords;
  const seen: { done: string; nearest: (DocumentHit["id"] | undefined)[] }[] = [];
  const look = async (done: string): Promise<void> => {
    const nearest = await Promise.all(questions.map(async (question) => (await ask(question))[0]?.id));
    questions.forEach((question, i) => void say(`  > ${question.padEnd(34)} ${nearest[i] ?? "nothing"}`));
    seen.push({ done, nearest });
  };
  const write = (text: string): Promise<void> =>
    collection.upsert({ id, text, data: { [corpus.field]: "my notes", title: "", text } });

  say("\nDocuments change while they are searched; the nearest to two questions, by id:");
  say("\nbefore");
  await look("before");
  say(`\nupsert "${id}": ${first}`);
  await write(first);
  await look("upsert");
  say(`\nedit it: ${second}`);
  await write(second);
  await look("edit");
  say("\ndelete it");
  await collection.delete(id);
  await look("delete");
  return seen;
}
