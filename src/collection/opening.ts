// Where a collection comes from: its files, or options for a new one.
import type { Shape } from "../input/vectors.js";
import { badOption } from "../words/errors.js";
import { METRICS } from "../words/kinds.js";
import { part } from "../words/part.js";
import { Columns } from "./columns/columns.js";
import { Documents } from "./documents.js";
import { Files, type Manifest } from "./files.js";
import { newFresh } from "./fresh.js";
import { IdTable } from "./ids.js";
import { plansLoss } from "./main-tier.js";
import type { Opened } from "./opened.js";
import type { Checked, MainOptions } from "./options.js";
import { Places } from "./places.js";
import { Texts } from "./texts.js";
import { Tiers } from "./tiers.js";

export async function openCollection(checked: Checked): Promise<Opened> {
  const files = await Files.find(checked.storage);
  if (!files) return create(checked);
  const { reopen } = await part(import("./extras.js"));
  return reopen(files, checked);
}

async function create({
  storage,
  dimensions,
  metric = "cosine",
  fields = {},
  index,
  maxBytes,
  cacheBytes,
}: Checked): Promise<Opened> {
  if (dimensions === undefined) throw badOption(`there is no collection in ${storage.place}: dimensions are needed to make one`);
  const keepsVectors = plansLoss({ metric, index, maxBytes });
  const own = { dimensions, metric, fields, index: index && { ...index }, keepsVectors, complete: keepsVectors };
  const files = await Files.create(storage, own);
  const shape: Shape = { dimensions, packed: METRICS[metric].packed };
  const tiers = new Tiers(await newFresh(own), undefined);
  const documents = new Documents(shape, new IdTable(), new Places(), new Columns(fields), tiers, new Texts(cacheBytes));
  return { files, documents, metric, sequence: files.manifest.next, logged: 0, written: false };
}

/** What the manifest says of the main tier. */
export function mainOptions({ index }: Pick<Manifest, "index">): MainOptions | undefined {
  return index as MainOptions | undefined;
}
