// What every embedder's worker does: it says what it is, and then makes vectors of texts.
import type { Answer, PageEmbedder, Question } from "./embedding.js";

/** A worker's own scope, which TypeScript knows as a window. */
const scope = globalThis as unknown as {
  onmessage: (event: { data: Question }) => void;
  postMessage(answer: Answer, transfer?: ArrayBuffer[]): void;
};

export function serveTexts({ embed, ...about }: PageEmbedder): void {
  scope.onmessage = async ({ data: { id, texts } }) => {
    try {
      const rows = await embed(texts);
      scope.postMessage(
        { id, rows },
        rows.map((row) => row.buffer as ArrayBuffer),
      );
    } catch (error) {
      scope.postMessage({ id, error: (error as Error).message });
    }
  };
  scope.postMessage({ ready: about });
}
