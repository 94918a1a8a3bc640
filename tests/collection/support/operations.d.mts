import type { Collection, DocumentId } from "vicinal/collection";
import type { Model } from "./model.js";

export interface Operation {
  upsert?: { id: DocumentId; vector: number[]; data: Record<string, unknown> }[];
  remove?: DocumentId[];
  update?: { id: DocumentId; data: object }[];
  also?: "snapshot" | "compact" | "reindex";
}
export function operation(number: number): Operation;
export function perform(
  collection: Collection,
  operation: Operation,
  background?: (work: Promise<unknown>) => void,
): Promise<void>;
export function performOn(model: Model, operation: Operation): void;
