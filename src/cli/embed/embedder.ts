/** Turns texts into unit vectors of one dimension. */
export interface Embedder {
  /** One line that says what the vectors mean. */
  readonly description: string;
  readonly dimensions: number;
  /** Whether texts without a word in common may be near. */
  readonly meaning: boolean;
  /** Vectors of the texts, one after the other; `onDone` hears how many are ready. */
  embed(texts: readonly string[], onDone?: (done: number) => void): Promise<Float32Array>;
}
