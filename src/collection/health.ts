// What a collection takes, and whether what is stored is whole.

import type { IndexStats } from "../base/vector-index.js";
import { inspect } from "../file/vic.js";
import { blocksOf, inOrder } from "./blocks.js";
import { checkBody } from "./body.js";
import type { FieldInfo } from "./columns/columns.js";
import type { Committer } from "./committer.js";
import type { Documents } from "./documents.js";
import type { Files } from "./files.js";
import { damaged, records } from "./frame.js";
import { readTable } from "./table.js";

export interface CollectionStats {
  size: number;
  dimensions: number;
  metric: string;
  place: string;
  /** The main tier; undefined while documents are so few that a scan is as fast. */
  main: IndexStats | undefined;
  fresh: IndexStats;
  fields: FieldInfo[];
  /** Memory: indices, all else that documents take, JSON kept. */
  memory: { indexBytes: number; documentBytes: number; cacheBytes: number };
  /** The medium: all files; of them logs. */
  disk: { bytes: number; logBytes: number; files: { name: string; bytes: number }[] };
}

export interface VerifyReport {
  ok: boolean;
  /** Bytes that were read. */
  bytes: number;
  /** Sentences: which file, where, what. */
  problems: string[];
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What there is to tell about. */
interface Whole {
  readonly documents: Documents;
  readonly files: Files;
  readonly committer: Committer;
  readonly metric: string;
}

export async function statsOf({ documents, files, committer, metric }: Whole): Promise<CollectionStats> {
  const { ids, shape, tiers, columns, texts } = documents;
  const list = await files.usage();
  return {
    size: ids.size,
    dimensions: shape.dimensions,
    metric,
    place: files.storage.place,
    main: tiers.main?.stats(),
    fresh: tiers.fresh.stats(),
    fields: columns.info(),
    memory: { indexBytes: tiers.bytes, documentBytes: documents.bytes, cacheBytes: texts.bytes },
    disk: { bytes: list.reduce((sum, { bytes }) => sum + bytes, 0), logBytes: committer.logged, files: list },
  };
}

/** Reads all files of the snapshot, the ended logs, and every body. */
export async function verify({ files, documents }: Whole): Promise<VerifyReport> {
  const { manifest } = files;
  const problems: string[] = [];
  let bytes = 0;
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems.push(sentence(error));
    }
  };
  for (const kind of ["main", "fresh"] as const) {
    const file = manifest[kind];
    if (!file) continue;
    await attempt(async () => {
      const read = await files.storage.read(files.name(kind, file.number));
      bytes += read.length;
      const { sections } = await inspect(read);
      for (const { tag, ok } of sections)
        if (!ok) throw damaged(files.where(kind, file.number), `is damaged: the checksum of section ${tag} does not match`);
    });
  }
  const { table } = manifest;
  if (table) {
    const lengths = new Map(manifest.data.map((file) => [file.number, file.bytes]));
    await attempt(async () => void (await readTable(files, table.number, (file) => lengths.get(file), undefined)));
    bytes += table.bytes;
  }
  for (const { number, first, sealed } of manifest.logs) {
    if (!sealed) continue;
    await attempt(async () => {
      const log = await files.read("log", number);
      bytes += log.bytes.length;
      for (const _ of records(log.bytes, number, first, false, files.where("log", number)));
    });
  }
  const { places } = documents;
  for (const block of blocksOf(inOrder(places, places.slots, () => true))) {
    await attempt(async () => {
      const read = await files.bytes(block.file, block.from, block.to);
      bytes += read.length;
      for (const { spot } of block.list) {
        await attempt(async () =>
          checkBody(read.subarray(spot.offset - block.from, spot.offset - block.from + spot.bytes), () => files.whereBody(spot)),
        );
      }
    });
  }
  return { ok: problems.length === 0, bytes, problems };
}
