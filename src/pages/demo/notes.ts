// The documents of the page: one collection for all tabs, in a worker of the tab that has it open.
import { Collection } from "vicinal/collection";
import { indexedDb, opfs, type Storage } from "vicinal/storage";
import { SharedCollection } from "vicinal/tabs";
import type { PageEmbedder } from "./embedding.js";
import { type Passage, textOf } from "./passage.js";

/** Passages that are embedded and written at once. */
const BATCH = 16;

export interface Notes {
  readonly docs: SharedCollection;
  /** Where they are kept, in words. */
  readonly place: string;
}

/** Vectors of one embedder mean nothing to another: each has documents of its own. */
export async function openNotes(embedder: PageEmbedder): Promise<Notes> {
  const name = `vicinal-demo-${embedder.kind}`;
  const inFiles = typeof navigator.storage?.getDirectory === "function";
  const storage = (): Storage => (inFiles ? opfs(name) : indexedDb(name));
  const docs = await SharedCollection.open(name, () =>
    Collection.open({
      storage: storage(),
      dimensions: embedder.dimensions,
      fields: { package: "keyword" },
      embed: embedder.embed,
      worker: true,
    }),
  );
  return { docs, place: storage().place };
}

const positionOf = (kind: string): string => `vicinal-demo-filled-${kind}`;

/**
 * Writes the passages that have not been written yet, in one tab. How far that has come is kept beside them, since a passage that is
 * missing may have been deleted.
 */
export async function fill(
  { docs }: Notes,
  kind: string,
  passages: readonly Passage[],
  onProgress: (done: number, of: number) => void,
): Promise<void> {
  await navigator.locks.request(positionOf(kind), async () => {
    for (let from = filled(kind); from < passages.length; from = filled(kind)) {
      onProgress(from, passages.length);
      const some = passages.slice(from, from + BATCH);
      await docs.upsert(some.map(({ id, ...data }) => ({ id, text: textOf(data), data })));
      localStorage.setItem(positionOf(kind), String(from + some.length));
    }
    onProgress(passages.length, passages.length);
  });
}

const filled = (kind: string): number => Number(localStorage.getItem(positionOf(kind)) ?? 0);

export async function restart({ docs }: Notes, kind: string): Promise<void> {
  localStorage.removeItem(positionOf(kind));
  await docs.delete({ where: {} });
}
