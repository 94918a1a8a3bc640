// A collection that is there already, from its files: the manifest, the snapshot that it names, and the logs since.
import type { VectorIndex } from "../base/vector-index.js";
import type { Shape } from "../input/vectors.js";
import { load } from "../make/load.js";
import { badOption, VicinalError } from "../words/errors.js";
import { METRICS, type Metric } from "../words/kinds.js";
import { type PUT, readBatch } from "./batch.js";
import { Columns } from "./columns/columns.js";
import { Documents, type Made } from "./documents.js";
import type { Files, IndexFile } from "./files.js";
import { damaged, records, sealOf } from "./frame.js";
import { newFresh } from "./fresh.js";
import { IdTable } from "./ids.js";
import type { Opened } from "./opened.js";
import type { Checked } from "./options.js";
import { Places } from "./places.js";
import { vectorBytes } from "./rows.js";
import { readTable } from "./table.js";
import { Texts } from "./texts.js";
import { Tiers } from "./tiers.js";

/** Errors: BAD_OPTION, where it is asked for as another; BAD_FILE. */
export async function reopen(files: Files, checked: Checked): Promise<Opened> {
  const { manifest } = files;
  checkSame(files, checked);
  const metric = manifest.metric as Metric;
  const shape: Shape = { dimensions: manifest.dimensions, packed: METRICS[metric].packed };
  const { ids, places, columns } = await tableOf(files, checked);
  const indices: VectorIndex[] = [];
  try {
    const fresh = manifest.fresh ? await indexOf(files, "fresh", manifest.fresh, checked, indices) : await newFresh(manifest);
    if (!manifest.fresh) indices.push(fresh);
    const main = manifest.main && (await indexOf(files, "main", manifest.main, checked, indices));
    const tiers = new Tiers(fresh, main);
    tiers.built = manifest.built ?? 0;
    const missing = tiers.settle(ids.slots, (slot) => ids.has(slot));
    if (missing !== undefined) {
      const where = files.where("table", manifest.table?.number ?? 0);
      throw damaged(where, `has the document ${JSON.stringify(ids.idAt(missing))}, whose vector no index has`);
    }
    const documents = new Documents(shape, ids, places, columns, tiers, new Texts(checked.cacheBytes));
    const { sequence, logged } = await replay(files, documents);
    await files.tidy();
    return { files, documents, metric, sequence, logged, written: main !== undefined && tiers.version === 0 };
  } catch (error) {
    for (const index of indices) index.close();
    throw error;
  }
}

function checkSame({ manifest, storage }: Files, { dimensions, metric }: Checked): void {
  const differs = (name: string, given: unknown, is: unknown): VicinalError =>
    badOption(`${name} is ${given}, and ${is} in the collection in ${storage.place}`);
  if (dimensions !== undefined && dimensions !== manifest.dimensions)
    throw differs("dimensions", dimensions, manifest.dimensions);
  if (metric !== undefined && metric !== manifest.metric) throw differs("metric", metric, manifest.metric);
}

async function tableOf(files: Files, { fields }: Checked): Promise<{ ids: IdTable; places: Places; columns: Columns }> {
  const { table, data, logs } = files.manifest;
  const declared = fields ?? files.manifest.fields;
  const lengths = new Map(data.map(({ number, bytes }) => [number, bytes]));
  for (const number of lengths.keys()) await files.checkData(number);
  if (!table) {
    if (data.length > 0 || (logs.length > 0 && logs[0].first !== files.manifest.next)) {
      throw damaged(`${files.storage.place}: manifest`, "names files of a snapshot that is not there");
    }
    return { ids: new IdTable(), places: new Places(), columns: new Columns(declared as never) };
  }
  return readTable(files, table.number, (file) => lengths.get(file), declared as never);
}

async function indexOf(
  files: Files,
  kind: "main" | "fresh",
  { number, seal }: IndexFile,
  { maxBytes }: Checked,
  opened: VectorIndex[],
): Promise<VectorIndex> {
  const where = files.where(kind, number);
  const bytes = await files.storage.read(files.name(kind, number));
  if (bytes.length < 64 || sealOf(bytes) !== seal)
    throw damaged(where, "is damaged, or of another collection: its header is not the one that was written");
  try {
    const index = await load({ arrayBuffer: async () => bytes }, maxBytes === undefined || kind === "fresh" ? {} : { maxBytes });
    opened.push(index);
    const { dimensions, metric } = files.manifest;
    if (index.dimensions !== dimensions || index.metric !== metric) throw damaged(where, "is of another collection");
    return index;
  } catch (error) {
    if (error instanceof VicinalError && error.code === "BAD_FILE") throw damaged(where, `is damaged: ${error.message}`);
    throw error;
  }
}

/** Reads the logs and makes their changes; the last may end torn, and is cut there. */
async function replay(files: Files, documents: Documents): Promise<{ sequence: number; logged: number }> {
  const { logs, next } = files.manifest;
  const most = vectorBytes(documents.shape);
  let sequence = next;
  let logged = 0;
  for (const [i, { number, first, sealed }] of logs.entries()) {
    const where = files.where("log", number);
    if (first !== sequence) throw damaged(where, `begins with record ${first} where ${sequence} should be`);
    const { bytes, sequence: said } = await files.read("log", number);
    if (said !== first) throw damaged(where, `says that it begins with record ${said}, and the manifest ${first}`);
    const last = i === logs.length - 1 && !sealed;
    const steps = records(bytes, number, first, last, where);
    let step = steps.next();
    for (; !step.done; step = steps.next()) {
      const { payload, at } = step.value;
      const made = function* (): Generator<Made, void, void> {
        for (const { what, key, text, vector, offset, bytes } of readBatch(payload, where)) {
          if (vector && vector.length !== most)
            throw damaged(where, `has a vector of ${vector.length} bytes where ${most} are one`);
          yield { what: what as typeof PUT, key, text, vector, spot: { file: number, offset: at + offset, bytes } };
        }
      };
      documents.apply(made());
      sequence++;
    }
    if (sealed && sequence !== sealed.next)
      throw damaged(where, `ends with record ${sequence - 1} where ${sealed.next - 1} should be the last`);
    logged += step.value;
    if (step.value < bytes.length) await files.storage.truncate(files.name("log", number), step.value);
    if (!sealed) {
      // Nothing is added to it any more: the next record begins a log of its own.
      const next = sequence;
      const end = step.value;
      await files.storage.sync(files.name("log", number));
      await files.change((old) => ({
        ...old,
        logs: old.logs.map((one) => (one.number === number ? { ...one, sealed: { bytes: end, next } } : one)),
      }));
    }
  }
  return { sequence, logged };
}
