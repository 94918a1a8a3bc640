// Everything a collection is, written anew: indices as .vic files, ids and fields as a table, and of bodies those that lie in
// logs, or in data files of which little is left. When all of it is on the medium the manifest names it, and what it replaces
// goes.
//
// What is said of documents is as it was at one moment, between two groups of changes; the files are written after it, a piece at
// a time, while changes go on in the next log. The main tier keeps still meanwhile, as it is too large to be copied.

import { seatOf } from "../base/seat-of.js";
import type { VectorIndex } from "../base/vector-index.js";
import { filePieces } from "../file/pieces.js";
import { breath, inSlices } from "../input/slices.js";
import { BLOCK_BYTES, blocksOf, inOrder } from "./blocks.js";
import { checkBody, readBody, writeBody } from "./body.js";
import { bytesOf, columnsBytes } from "./columns/saving.js";
import type { Committer } from "./committer.js";
import type { Documents } from "./documents.js";
import type { Files, IndexFile, Manifest } from "./files.js";
import { FILE_HEAD_BYTES, type FileKind, sealOf } from "./frame.js";
import { MOST_FILE_BYTES, type Places, type Spot } from "./places.js";
import { bytesOfRow } from "./rows.js";
import { tableBytes, tablePieces } from "./table.js";
import type { Vectors } from "./vectors.js";
import { Writer } from "./writer.js";

const SLICE_MS = 4;
/** A data file is written anew where less than this much of it is in use. */
const LEAST_USED = 0.6;

interface Moved {
  readonly slot: number;
  readonly from: Spot;
  readonly to: Spot;
}

/** The main tier that a file has, as it was then. */
export interface Written {
  readonly index: VectorIndex;
  readonly version: number;
}

/** What a snapshot is taken of. */
interface Whole {
  readonly files: Files;
  readonly documents: Documents;
  readonly committer: Committer;
  readonly vectors: Vectors;
}

/** Takes one; `all`: every body is written anew. `written`: the main tier as the last one has it. */
export function takeSnapshot(whole: Whole, written: Written | undefined, all: boolean): Promise<Written | undefined> {
  return new Snapshot(whole, written).take(all);
}

class Snapshot {
  readonly files: Files;
  readonly documents: Documents;
  readonly committer: Committer;
  readonly vectors: Vectors;

  constructor(
    { files, documents, committer, vectors }: Whole,
    readonly written: Written | undefined,
  ) {
    this.files = files;
    this.documents = documents;
    this.committer = committer;
    this.vectors = vectors;
  }

  async take(all: boolean): Promise<Written | undefined> {
    const { files, committer, documents } = this;
    const { tiers } = documents;
    const { logged } = committer;
    const complete = this.vectors.keeps && (all || files.manifest.complete);
    let made: [FileKind | "main" | "fresh", number][] = [];
    const start = (kind: FileKind | "main" | "fresh"): number => {
      const number = files.take();
      made.push([kind, number]);
      return number;
    };
    try {
      const frozen = await committer.between(async () => {
        const last = await committer.seal();
        tiers.frozen = true;
        committer.logged = 0;
        const slots = documents.ids.slots;
        return {
          last,
          next: committer.sequence,
          slots,
          ids: documents.ids.copy(),
          places: documents.places.copy(slots),
          columns: documents.columns.copy(),
          fresh: tiers.fresh.toBytes(),
          main: tiers.main,
          built: tiers.built,
          version: tiers.version,
        };
      });
      const { last, next, slots, places, main, version, built } = frozen;
      const old = this.#sources(places, last, all);
      const { data, moved } = await this.#moveBodies(places, slots, old, () => start("data"));
      for (const { slot, to } of moved) places.set(slot, to);
      const same = main !== undefined && this.written?.index === main && this.written.version === version;
      const mainFile = same
        ? files.manifest.main
        : main && (await this.#writeIndex("main", start("main"), filePieces(seatOf(main).engine)));
      const freshFile = await this.#writeIndex("fresh", start("fresh"), [frozen.fresh]);
      const table = start("table");
      const columns = await inSlices(columnsBytes(frozen.columns), () => {});
      const bytes = tableBytes(slots, await inSlices(bytesOf(frozen.ids), () => {}), places, columns);
      await files.begin("table", table, next);
      let length = FILE_HEAD_BYTES;
      for (const piece of tablePieces(bytes, table)) {
        await files.storage.append(files.name("table", table), piece);
        length += piece.length;
        await breath();
      }
      await files.storage.sync(files.name("table", table));
      const before = files.manifest;
      // From here on nobody knows which of the two manifests the medium has, should the swap fail.
      made = [];
      await files.change((manifest) => ({
        ...manifest,
        complete,
        built,
        next,
        table: { number: table, bytes: length },
        main: mainFile,
        fresh: freshFile,
        data: [...manifest.data.filter(({ number }) => !old.has(number)), ...data],
        logs: manifest.logs.filter(({ number }) => number > last),
      }));
      for (const { slot, from, to } of moved) if (documents.places.isAt(slot, from)) documents.places.set(slot, to);
      await this.#removeOld(before, files.manifest, last);
      return main && { index: main, version };
    } catch (error) {
      committer.logged += logged;
      for (const [kind, number] of made) await files.remove(kind, number).catch(() => {});
      throw error;
    } finally {
      tiers.thaw();
    }
  }

  /**
   * Files whose bodies are written anew: logs up to `last`, and data files that are mostly waste, or no larger than what is
   * written anyway.
   */
  #sources(places: Places, last: number, all: boolean): Set<number> {
    const { data, logs } = this.files.manifest;
    const old = new Set(logs.filter(({ number }) => number <= last).map(({ number }) => number));
    let coming = 0;
    for (const number of old) coming += places.live.get(number) ?? 0;
    for (const { number, bytes } of [...data].sort((a, b) => a.bytes - b.bytes)) {
      const live = places.live.get(number) ?? 0;
      if (!all && live >= LEAST_USED * bytes && bytes > coming) continue;
      old.add(number);
      coming += live;
    }
    return old;
  }

  async #moveBodies(
    places: Places,
    slots: number,
    old: ReadonlySet<number>,
    take: () => number,
  ): Promise<{ data: { number: number; bytes: number }[]; moved: Moved[] }> {
    const { files } = this;
    const list = inOrder(places, slots, (file) => old.has(file));
    const data: { number: number; bytes: number }[] = [];
    const moved: Moved[] = [];
    const to = new Writer(2 * BLOCK_BYTES);
    let current: { number: number; bytes: number } | undefined;
    const flush = async (): Promise<void> => {
      if (!current || to.at === 0) return;
      await files.storage.append(files.name("data", current.number), to.done().slice());
      current.bytes += to.at;
      to.at = 0;
    };
    for (const block of blocksOf(list)) {
      const bytes = await files.bytes(block.file, block.from, block.to);
      for (const { slot, spot } of block.list) {
        const body = bytes.subarray(spot.offset - block.from, spot.offset - block.from + spot.bytes);
        checkBody(body, () => files.whereBody(spot));
        if (!current || current.bytes + to.at + body.length > MOST_FILE_BYTES / 2) {
          await flush();
          current = { number: take(), bytes: FILE_HEAD_BYTES };
          await files.begin("data", current.number, 0);
          data.push(current);
        }
        const offset = current.bytes + to.at;
        const length = this.#write(to, slot, body);
        moved.push({ slot, from: spot, to: { file: current.number, offset, bytes: length } });
        if (to.at >= BLOCK_BYTES) await flush();
      }
      await breath();
    }
    await flush();
    for (const { number } of data) await files.storage.sync(files.name("data", number));
    return { data, moved };
  }

  /** Writes a body as data files have it: with its vector only where indices do not have that as it was given. */
  #write(to: Writer, slot: number, body: Uint8Array): number {
    const { keeps } = this.vectors;
    const { text, vector } = readBody(body);
    if (keeps === (vector !== undefined)) {
      to.raw(body);
      return body.length;
    }
    const held = keeps ? this.vectors.held(slot) : undefined;
    return writeBody(to, text, held && bytesOfRow(held, 0, this.documents.shape));
  }

  async #writeIndex(kind: "main" | "fresh", number: number, pieces: Iterable<Uint8Array | undefined>): Promise<IndexFile> {
    const { storage } = this.files;
    const name = this.files.name(kind, number);
    let bytes = 0;
    let seal = "";
    let started = performance.now();
    for (const piece of pieces) {
      if (piece) {
        if (bytes === 0) seal = sealOf(piece);
        bytes += piece.length;
        await storage.append(name, piece);
      }
      if (performance.now() - started < SLICE_MS) continue;
      await breath();
      started = performance.now();
    }
    await storage.sync(name);
    return { number, bytes, seal };
  }

  async #removeOld(before: Manifest, now: Manifest, last: number): Promise<void> {
    const { files } = this;
    for (const { number } of before.logs) if (number <= last) await files.remove("log", number);
    for (const { number } of before.data) if (!now.data.some((one) => one.number === number)) await files.remove("data", number);
    if (before.table) await files.remove("table", before.table.number);
    if (before.fresh) await files.remove("fresh", before.fresh.number);
    if (before.main && before.main.number !== now.main?.number) await files.remove("main", before.main.number);
  }
}
