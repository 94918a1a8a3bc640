// The files of one collection: their names, the manifest that says which of them count, and what is read of them, checked.

import type { Storage } from "../storage/storage.js";
import type { Bytes } from "../words/arrays.js";
import { VicinalError } from "../words/errors.js";
import { checkBody } from "./body.js";
import { checkFileHead, damaged, FILE_HEAD_BYTES, type FileKind, fileHead, readFileHead } from "./frame.js";
import type { Spot } from "./places.js";
import { Writer } from "./writer.js";
import { xxh32 } from "./xxh32.js";

const MANIFEST = "manifest";
/** Names that a collection gives, so that others' files in its folder stay what they are. */
const OURS = /^(log|data|table)-\d{8}$|^(main|fresh)-\d{8}\.vic$/;

interface Numbered {
  readonly number: number;
  readonly bytes: number;
}

export interface LogFile {
  readonly number: number;
  /** Of its first record. */
  readonly first: number;
  /** Once nothing more is written to it: its length, and the sequence number of the record that it is followed by. */
  readonly sealed?: { readonly bytes: number; readonly next: number };
}

/** An index of a snapshot: `seal` is the checksum in its header, which covers those of its sections. */
export interface IndexFile extends Numbered {
  readonly seal: string;
}

/** What of a collection its manifest says. */
export interface Manifest {
  readonly dimensions: number;
  readonly metric: string;
  /** Fields as declared. */
  readonly fields: Record<string, string>;
  /** How the main tier is made: what `index` of Collection.open said, or reindex. */
  readonly index: Record<string, unknown> | undefined;
  /** Whether bodies have vectors, as the main tier that is to be will lose something of them. */
  readonly keepsVectors: boolean;
  /** Whether all bodies have them. */
  readonly complete: boolean;
  /** The first record that the snapshot does not have. */
  readonly next: number;
  /** The next file's number. */
  readonly number: number;
  /** Of the snapshot; missing before the first. */
  readonly table?: Numbered;
  readonly main?: IndexFile | undefined;
  /** Documents that there were when the main tier was built. */
  readonly built?: number;
  readonly fresh?: IndexFile | undefined;
  readonly data: readonly Numbered[];
  readonly logs: readonly LogFile[];
}

export class Files {
  /** What is on the medium. */
  manifest: Manifest;
  #number: number;
  /** One swap of the manifest after the other. */
  #swapping: Promise<unknown> = Promise.resolve();
  /** Kinds of the files that bodies may lie in. */
  readonly #kinds = new Map<number, FileKind>();

  private constructor(
    readonly storage: Storage,
    readonly collection: number,
    manifest: Manifest,
  ) {
    this.manifest = manifest;
    this.#number = manifest.number;
    for (const { number } of manifest.data) this.#kinds.set(number, "data");
    for (const { number } of manifest.logs) this.#kinds.set(number, "log");
  }

  /** Those of a collection that is there; undefined where there is none. */
  static async find(storage: Storage): Promise<Files | undefined> {
    const list = new Map((await storage.list()).map(({ name, bytes }) => [name, bytes]));
    if (!list.has(MANIFEST)) {
      const others = [...list.keys()].filter((name) => OURS.test(name));
      if (others.length === 0) return undefined;
      throw damaged(
        `${storage.place}:`,
        `the manifest is missing, but ${others[0]} is there: a collection was here; restore its manifest, or empty the place`,
      );
    }
    const where = `${storage.place}: ${MANIFEST}`;
    const bytes = await storage.read(MANIFEST);
    const head = readFileHead(bytes, where);
    if (head.kind !== "manifest")
      throw damaged(where, `says it is ${head.kind} ${head.number}: it was renamed or copied over another`);
    const text = bytes.subarray(FILE_HEAD_BYTES + 4);
    const sum =
      bytes.length < FILE_HEAD_BYTES + 4 ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(FILE_HEAD_BYTES, true);
    if (sum !== xxh32(text)) throw damaged(where, "is damaged: its checksum does not match");
    const files = new Files(storage, head.collection, JSON.parse(new TextDecoder().decode(text)));
    files.#checkLengths(list);
    return files;
  }

  /** Removes files of ours that the manifest does not name: what was being written when a process died, or being removed. */
  async tidy(): Promise<void> {
    const names = this.#names();
    for (const { name } of await this.storage.list()) if (OURS.test(name) && !names.has(name)) await this.storage.remove(name);
  }

  static async create(
    storage: Storage,
    about: Pick<Manifest, "dimensions" | "metric" | "fields" | "index" | "keepsVectors" | "complete">,
  ): Promise<Files> {
    const [low, high] = crypto.getRandomValues(new Uint32Array(2));
    const manifest = { ...about, next: 1, number: 1, data: [], logs: [] };
    const files = new Files(storage, low + (high & 0x1fffff) * 2 ** 32, manifest);
    await files.change((old) => old);
    return files;
  }

  /** The file's name; indices are .vic files as any. */
  name(kind: FileKind | "main" | "fresh", number: number): string {
    const name = `${kind}-${String(number).padStart(8, "0")}`;
    return kind === "main" || kind === "fresh" ? `${name}.vic` : name;
  }

  /** For sentences. */
  where(kind: FileKind | "main" | "fresh", number: number): string {
    return `${this.storage.place}: ${this.name(kind, number)}`;
  }

  /** A number that no file has had. */
  take(): number {
    return this.#number++;
  }

  /** Swaps the manifest for one that says more; it counts when this resolves. */
  change(how: (old: Manifest) => Manifest): Promise<void> {
    const swapped = this.#swapping.then(async () => {
      const manifest = { ...how(this.manifest), number: this.#number };
      const to = new Writer();
      to.raw(fileHead({ kind: "manifest", collection: this.collection, number: 0, sequence: manifest.next }));
      const at = to.at;
      to.u32(0);
      to.text(JSON.stringify(manifest));
      to.setU32(at, xxh32(to.bytes.subarray(at + 4, to.at)));
      await this.storage.swap(MANIFEST, to.done());
      this.manifest = manifest;
    });
    this.#swapping = swapped.catch(() => {});
    return swapped;
  }

  /** Begins a file of records or bodies. */
  async begin(kind: FileKind, number: number, sequence: number): Promise<void> {
    await this.storage.append(this.name(kind, number), fileHead({ kind, collection: this.collection, number, sequence }));
    this.#kinds.set(number, kind);
  }

  /** A whole file, its head checked. */
  async read(kind: FileKind, number: number): Promise<{ bytes: Bytes; sequence: number }> {
    const bytes = await this.storage.read(this.name(kind, number));
    const { sequence } = checkFileHead(bytes, { kind, collection: this.collection, number }, this.where(kind, number));
    return { bytes, sequence };
  }

  /** Reads the head of a data file, which is all that opening reads of it. */
  async checkData(number: number): Promise<void> {
    const bytes = await this.storage.read(this.name("data", number), 0, FILE_HEAD_BYTES);
    checkFileHead(bytes, { kind: "data", collection: this.collection, number }, this.where("data", number));
  }

  /** Bytes of a file that bodies lie in. */
  async bytes(file: number, from: number, to: number): Promise<Bytes> {
    const kind = this.#kinds.get(file);
    if (!kind) throw new VicinalError("MISSING", `${this.storage.place}: file ${file} is gone`);
    return this.storage.read(this.name(kind, file), from, to);
  }

  /** Where a body is, for sentences. */
  whereBody({ file, offset }: Spot): string {
    return `${this.where(this.#kinds.get(file) ?? "data", file)}: the document at byte ${offset}`;
  }

  /** The bytes of a body, checked. */
  async body(spot: Spot): Promise<Bytes> {
    const body = await this.bytes(spot.file, spot.offset, spot.offset + spot.bytes);
    checkBody(body, () => this.whereBody(spot));
    return body;
  }

  /** Removes files that no longer count. */
  async remove(kind: FileKind | "main" | "fresh", number: number): Promise<void> {
    this.#kinds.delete(number);
    await this.storage.remove(this.name(kind, number));
  }

  /** Bytes by what they are for. */
  async usage(): Promise<{ name: string; bytes: number }[]> {
    return (await this.storage.list()).filter(({ name }) => name === MANIFEST || OURS.test(name));
  }

  /** All files that count, with the bytes that they must have, where that is known. */
  #names(): Map<string, number | undefined> {
    const { table, main, fresh, data, logs } = this.manifest;
    const names = new Map<string, number | undefined>();
    if (table) names.set(this.name("table", table.number), table.bytes);
    if (main) names.set(this.name("main", main.number), main.bytes);
    if (fresh) names.set(this.name("fresh", fresh.number), fresh.bytes);
    for (const { number, bytes } of data) names.set(this.name("data", number), bytes);
    for (const { number, sealed } of logs) names.set(this.name("log", number), sealed?.bytes);
    return names;
  }

  #checkLengths(list: ReadonlyMap<string, number>): void {
    for (const [name, wanted] of this.#names()) {
      const where = `${this.storage.place}: ${name}`;
      const bytes = list.get(name);
      if (bytes === undefined) throw damaged(where, "is missing; restore it from a copy of the collection");
      if (wanted !== undefined && bytes !== wanted)
        throw damaged(where, `has ${bytes} bytes where ${wanted} were written; restore it from a copy of the collection`);
    }
  }
}
