// Vectors of texts, made in a worker of this tab, so that typing stays smooth.

/** What the worker is asked, and what it answers; the first answer has no id and says what it is. */
export interface Question {
  readonly id: number;
  readonly texts: readonly string[];
}
export type Answer =
  | { readonly ready: Pick<PageEmbedder, "kind" | "dimensions" | "description"> }
  | { readonly id: number; readonly rows: readonly Float32Array[] }
  | { readonly id: number; readonly error: string };

export interface PageEmbedder {
  readonly kind: "sentences" | "lexical";
  readonly dimensions: number;
  readonly description: string;
  embed(texts: readonly string[]): Promise<Float32Array[]>;
}

interface Pending {
  resolve(rows: Float32Array[]): void;
  reject(error: Error): void;
}

export async function pageEmbedder(): Promise<PageEmbedder> {
  const worker = new Worker("embed-worker.js", { type: "module" });
  const pending = new Map<number, Pending>();
  let asked = 0;
  const about = await new Promise<Pick<PageEmbedder, "kind" | "dimensions" | "description">>((resolve, reject) => {
    worker.onerror = ({ message }) => {
      const error = new Error(`the embedder does not run: ${message ?? "its script cannot be read"}`);
      reject(error);
      for (const asker of pending.values()) asker.reject(error);
      pending.clear();
    };
    worker.onmessage = ({ data }: { data: Answer }) => {
      if ("ready" in data) return resolve(data.ready);
      const asker = pending.get(data.id);
      pending.delete(data.id);
      if ("error" in data) asker?.reject(new Error(data.error));
      else asker?.resolve([...data.rows]);
    };
  });
  return {
    ...about,
    embed: (texts) =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        pending.set(id, { resolve, reject });
        worker.postMessage({ id, texts: [...texts] } satisfies Question);
      }),
  };
}
