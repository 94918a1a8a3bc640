// Documents' vectors: on their way in, checked as an index checks them, and as they were given.
import { checkRows } from "../base/adding.js";
import { seatOf } from "../base/seat-of.js";
import { rowsOf, type Shape, type Vector } from "../input/vectors.js";
import { METRICS, type Metric } from "../words/kinds.js";
import type { Documents } from "./documents.js";
import { loses } from "./main-tier.js";
import type { Reading } from "./reading.js";
import { bytesOfRow, newRows, type RowArray, rowsOfBytes } from "./rows.js";

/** A vector of a document as it comes back: numbers, under hamming its bits. */
export type OwnVector = Float32Array | Uint8Array;

export class Vectors {
  constructor(
    readonly documents: Documents,
    readonly reading: Reading,
    readonly metric: Metric,
  ) {}

  get shape(): Shape {
    return this.documents.shape;
  }

  /** Whether bodies have vectors: the main tier that there is, or is to be, loses something of them. */
  get keeps(): boolean {
    const { main } = this.documents.tiers;
    return this.reading.files.manifest.keepsVectors || (main !== undefined && loses(main.codec, this.metric));
  }

  /** Copies of vectors, one per document. Errors: BAD_DIMENSION, NOT_FINITE, TOO_LARGE. */
  rows(vectors: readonly Vector[]): RowArray {
    const { shape, documents } = this;
    const { fresh, main } = documents.tiers;
    const rows = rowsOf(vectors, shape, "vectors");
    checkRows(seatOf(fresh).engine, rows);
    if (main) checkRows(seatOf(main).engine, rows);
    const own = newRows(shape, rows.n);
    const width = own.length / Math.max(rows.n, 1);
    for (let i = 0; i < rows.n; i++) rows.write(i, own, i * width);
    return own;
  }

  /** A vector as it was given, of a slot that has one; under cosine to within rounding where an index keeps it. */
  async original(slot: number): Promise<OwnVector> {
    return this.held(slot) ?? rowsOfBytes((await this.reading.body(slot)).vector as Uint8Array, this.shape);
  }

  /** The same where an index has it. */
  held(slot: number): OwnVector | undefined {
    const { tiers } = this.documents;
    if (tiers.inMain(slot) && tiers.main && loses(tiers.main.codec, this.metric)) return undefined;
    const vector = tiers.vector(slot);
    if (!vector) return undefined;
    if (!METRICS[this.metric].packed) return Float32Array.from(vector);
    const rows = rowsOf([vector], this.shape, "vector");
    const bits = newRows(this.shape, 1);
    rows.write(0, bits, 0);
    return bits as Uint8Array;
  }

  /** Its bytes. */
  async bytes(slot: number): Promise<Uint8Array> {
    return bytesOfRow(await this.original(slot), 0, this.shape);
  }
}
