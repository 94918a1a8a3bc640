// How a collection's files begin, and the records of its log. Little-endian; checksums are XXH32.
//
//   file:   "VICDOCS\0" | version u32 | kind u32 | collection u64 | number u64 | first sequence u64 | checksum u32 of the 40 bytes before
//   record: payload bytes u32 | sequence u64 | checksum of the payload u32 | checksum u32 of the 16 bytes before, by the file's number
//
// What is torn off a log by a crash leaves a record's head either cut or whole, so that a whole head with a wrong checksum is
// damage, and so is a whole payload with one. A record carries one sequence number more than that before it, in its own file and
// across files.
import { VicinalError } from "../words/errors.js";
import { Reader, Writer } from "./writer.js";
import { xxh32 } from "./xxh32.js";

const MAGIC = [0x56, 0x49, 0x43, 0x44, 0x4f, 0x43, 0x53, 0];
const VERSION = 1;
export const FILE_HEAD_BYTES = 44;
export const RECORD_HEAD_BYTES = 20;

const FILE_KINDS = ["manifest", "log", "data", "table"] as const;
export type FileKind = (typeof FILE_KINDS)[number];

/** Where its checksum is in a .vic file (file/format.ts). */
const SEAL_AT = 56;

/** What the header of a .vic file says of all of it. */
export function sealOf(file: Uint8Array): string {
  return new DataView(file.buffer, file.byteOffset).getBigUint64(SEAL_AT, true).toString(16);
}

/** What a file is. */
export interface FileHead {
  readonly kind: FileKind;
  /** A random number: all files of one collection have the same. */
  readonly collection: number;
  readonly number: number;
  /** Of a log: that of its first record. */
  readonly sequence: number;
}

/** A file of a collection that cannot be believed. */
export function damaged(where: string, why: string): VicinalError {
  return new VicinalError("BAD_FILE", `${where} ${why}`);
}

export function fileHead({ kind, collection, number, sequence }: FileHead): Uint8Array {
  const to = new Writer(FILE_HEAD_BYTES);
  for (const byte of MAGIC) to.u8(byte);
  to.u32(VERSION);
  to.u32(FILE_KINDS.indexOf(kind));
  to.u64(collection);
  to.u64(number);
  to.u64(sequence);
  to.u32(xxh32(to.done()));
  return to.done();
}

/** The head of a file, checked; `where` names it. */
export function readFileHead(bytes: Uint8Array, where: string): FileHead {
  if (bytes.length < FILE_HEAD_BYTES) throw damaged(where, `has ${bytes.length} bytes, fewer than its head's ${FILE_HEAD_BYTES}`);
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) throw damaged(where, "does not begin as a file of a collection");
  const from = new Reader(bytes);
  from.at = FILE_HEAD_BYTES - 4;
  if (from.u32() !== xxh32(bytes.subarray(0, FILE_HEAD_BYTES - 4)))
    throw damaged(where, "is damaged: the checksum of its head does not match");
  from.at = MAGIC.length;
  const version = from.u32();
  if (version !== VERSION) {
    throw damaged(
      where,
      `has format version ${version}, this vicinal reads ${VERSION}: open the collection with the newer vicinal that wrote it`,
    );
  }
  return { kind: FILE_KINDS[from.u32()], collection: from.u64(), number: from.u64(), sequence: from.u64() };
}

/** Throws where a file is not the one that should be there. */
export function checkFileHead(bytes: Uint8Array, wanted: Omit<FileHead, "sequence">, where: string): FileHead {
  const head = readFileHead(bytes, where);
  if (head.collection !== wanted.collection) throw damaged(where, "is of another collection");
  if (head.kind !== wanted.kind || head.number !== wanted.number) {
    throw damaged(where, `says it is ${head.kind} ${head.number}: it was renamed or copied over another`);
  }
  return head;
}

/** Head and payload of a record. */
export function frame(to: Writer, sequence: number, number: number, payload: Uint8Array): void {
  const from = to.at;
  to.u32(payload.length);
  to.u64(sequence);
  to.u32(xxh32(payload));
  to.u32(xxh32(to.bytes.subarray(from, to.at), number));
  to.raw(payload);
}

export interface Found {
  readonly sequence: number;
  readonly payload: Uint8Array;
  /** Where the payload begins in its file. */
  readonly at: number;
}

/** How each payload ends: where a crash has left zeros in place of what was written, it does not. */
export const END = 255;

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/**
 * The records of a log from FILE_HEAD_BYTES on; returns where the last whole one ends. Only the last log may end torn: with less
 * than a whole record, or, where the file's length outlived its content, in zeros.
 */
export function* records(
  bytes: Uint8Array,
  number: number,
  first: number,
  torn: boolean,
  where: string,
): Generator<Found, number> {
  const from = new Reader(bytes);
  from.at = FILE_HEAD_BYTES;
  for (let sequence = first; from.at < bytes.length; sequence++) {
    const start = from.at;
    const left = bytes.subarray(start);
    /** Whether nothing has come of the file from there on. */
    const zerosFrom = (at: number): boolean => torn && isZero(bytes.subarray(at));
    const head = left.subarray(0, RECORD_HEAD_BYTES);
    const broken = (why: string) => damaged(where, `is damaged at byte ${start}: ${why}`);
    if (head.length < RECORD_HEAD_BYTES) {
      if (torn) return start;
      throw broken("it ends within a record");
    }
    const length = from.u32();
    const said = from.u64();
    const check = from.u32();
    if (from.u32() !== xxh32(head.subarray(0, RECORD_HEAD_BYTES - 4), number)) {
      if (zerosFrom(start + RECORD_HEAD_BYTES)) return start;
      throw broken("the checksum of a record's head does not match");
    }
    if (said !== sequence) throw broken(`there is record ${said} where ${sequence} should be`);
    if (from.at + length > bytes.length) {
      if (torn) return start;
      throw broken("it ends within a record");
    }
    const at = from.at;
    const payload = from.raw(length);
    if (check !== xxh32(payload)) {
      if (zerosFrom(from.at - 1)) return start;
      throw broken("the checksum of a record does not match");
    }
    yield { sequence, payload, at };
  }
  return from.at;
}
