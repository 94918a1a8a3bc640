import type { AskedCollection } from "../collection/asking.js";
import type { Collection } from "../collection/collection.js";
import { badOption, show } from "../words/errors.js";

/** A collection, here, in a worker or shared by tabs. */
export type Opened = Collection | AskedCollection;

export function checkOpened(collection: unknown): Opened {
  if (typeof (collection as Opened | undefined)?.upsert === "function") return collection as Opened;
  throw badOption(`collection is ${show(collection)}; it must be what Collection.open has answered`);
}
