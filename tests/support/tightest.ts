import type { VectorIndex } from "vicinal";

/** An index of rows with little more memory than it must have: the first that holds them, from `from` bytes on in steps of `step`. */
export async function tightest<Index extends VectorIndex>(
  create: (maxBytes: number) => Promise<Index>,
  rows: Float32Array[],
  from: number,
  step: number,
): Promise<Index> {
  for (let maxBytes = from; ; maxBytes += step) {
    const index = await create(maxBytes);
    try {
      index.add(rows);
      return index;
    } catch (error) {
      index.close();
      if ((error as { code?: string }).code !== "OUT_OF_MEMORY") throw error;
    }
  }
}
