// Vectors of texts, by the function that the collection was opened with.
import { rowsOf, type Shape, type Vector } from "../input/vectors.js";
import { badOption, VicinalError } from "../words/errors.js";
import { heed } from "../words/options.js";
import type { Embed } from "./options.js";

/** Texts given to `embed` at once. */
const BATCH = 32;

export interface Progress {
  /** Texts that have their vectors, of all there are. */
  done: number;
  total: number;
}

/** One vector per text. */
export async function embedded(
  embed: Embed | undefined,
  texts: readonly string[],
  shape: Shape,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress?: ((progress: Progress) => void) | undefined },
): Promise<Vector[]> {
  if (texts.length === 0) return [];
  if (!embed)
    throw badOption(
      "a text is given in place of a vector, and the collection was opened without embed, which would make one of it",
    );
  const vectors: Vector[] = [];
  for (let from = 0; from < texts.length; from += BATCH) {
    heed(signal);
    const some = texts.slice(from, from + BATCH);
    const made = await embed(some, signal ? { signal } : {});
    const rows = rowsOf(made, shape, "embed(texts)");
    if (rows.n !== some.length)
      throw new VicinalError("BAD_DIMENSION", `embed was given ${some.length} texts and made ${rows.n} vectors`);
    for (let i = 0; i < rows.n; i++) vectors.push(Float32Array.from({ length: shape.dimensions }, (_, j) => rows.value(i, j)));
    onProgress?.({ done: vectors.length, total: texts.length });
  }
  heed(signal);
  return vectors;
}
