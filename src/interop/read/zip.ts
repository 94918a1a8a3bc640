// What of the zip format numpy.savez writes (PKWARE APPNOTE 6.3.10): entries stored or deflated, of 4 GiB and more too.
//
//   end:      "PK\5\6" ... entries u16 at 10 | bytes of the directory u32 at 12 | its offset u32 at 16; ones: see the zip64 end
//   zip64:    locator "PK\6\7", 20 bytes, before the end: offset of the zip64 end u64 at 8; there entries u64 at 32, bytes at 40, offset at 48
//   entry:    "PK\1\2" ... flags u16 at 8 | method u16 at 10 | packed u32 at 20 | size u32 at 24 | name, extra, comment bytes u16 at 28
//             | offset u32 at 42 | name | extra: [id u16][bytes u16], id 1: size, packed and offset u64, those that are ones above
//   local:    "PK\3\4" ... name and extra bytes u16 at 26 | name | extra | data
import { type ByteSource, piecesOf } from "../bytes-of.js";
import { badFile, unsupported } from "../imported.js";
import { viewOf } from "../view-of.js";
import { inflated } from "./inflate.js";

const FORMAT = ".npz";
const END = 0x06054b50;
const LOCATOR = 0x07064b50;
const END_64 = 0x06064b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END_64_BYTES = 56;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MOST_COMMENT = 0xffff;
/** Of a u32: the number is elsewhere. */
const ELSEWHERE = 0xffffffff;
const [STORED, DEFLATED] = [0, 8];
const ENCRYPTED = 1;

export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly packedBytes: number;
  readonly at: number;
}

export async function zipEntries(source: ByteSource): Promise<ZipEntry[]> {
  const { at, bytes } = await directoryOf(source);
  if (at + bytes > source.size) throw badFile(FORMAT, `its directory of ${bytes} bytes at ${at} does not fit`);
  const directory = await source.read(at, at + bytes);
  const view = viewOf(directory);
  const entries: ZipEntry[] = [];
  for (let from = 0; from < bytes; ) {
    if (from + ENTRY_BYTES > bytes || view.getUint32(from, true) !== ENTRY)
      throw badFile(FORMAT, `entry ${entries.length} of its directory is none`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((place) => view.getUint16(from + place, true));
    const end = from + ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    if (end > bytes) throw badFile(FORMAT, `entry ${entries.length} of its directory does not fit`);
    const nameAt = from + ENTRY_BYTES;
    const name = new TextDecoder().decode(directory.subarray(nameAt, nameAt + nameBytes));
    if (view.getUint16(from + 8, true) & ENCRYPTED) throw unsupported(FORMAT, "encrypted entries");
    const extra = directory.subarray(nameAt + nameBytes, nameAt + nameBytes + extraBytes);
    const [, packedBytes, offset] = wideNumbers(
      [24, 20, 42].map((place) => view.getUint32(from + place, true)),
      extra,
    );
    entries.push({ name, method: view.getUint16(from + 10, true), packedBytes, at: offset });
    from = end;
  }
  return entries;
}

/** The bytes of an entry, unpacked piece by piece. */
export async function* entryBytes(source: ByteSource, { name, method, packedBytes, at }: ZipEntry): AsyncGenerator<Uint8Array> {
  if (at + LOCAL_BYTES > source.size) throw badFile(FORMAT, `"${name}" should be at ${at}`);
  const local = viewOf(await source.read(at, at + LOCAL_BYTES));
  if (local.getUint32(0, true) !== LOCAL) throw badFile(FORMAT, `"${name}" is not at ${at}`);
  const from = at + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  if (from + packedBytes > source.size) throw badFile(FORMAT, `the ${packedBytes} bytes of "${name}" do not fit`);
  const packed = piecesOf(source, from, from + packedBytes);
  if (method === STORED) return yield* packed;
  if (method !== DEFLATED) throw unsupported(FORMAT, `"${name}" packed by method ${method}`);
  try {
    yield* inflated(packed, "deflate-raw");
  } catch (error) {
    throw badFile(FORMAT, `"${name}" does not unpack (${(error as Error).message})`);
  }
}

async function directoryOf(source: ByteSource): Promise<{ at: number; bytes: number }> {
  const tailAt = Math.max(source.size - END_BYTES - MOST_COMMENT - LOCATOR_BYTES, 0);
  const tail = viewOf(await source.read(tailAt, source.size));
  let end = tail.byteLength - END_BYTES;
  while (end >= 0 && tail.getUint32(end, true) !== END) end--;
  if (end < 0) throw badFile(FORMAT, "no end of a zip is in it");
  const [bytes, at] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (at !== ELSEWHERE && bytes !== ELSEWHERE) return { at, bytes };
  const locator = end - LOCATOR_BYTES;
  if (locator < 0 || tail.getUint32(locator, true) !== LOCATOR) throw badFile(FORMAT, "the end of its zip64 is not there");
  const wideAt = Number(tail.getBigUint64(locator + 8, true));
  if (!(wideAt + END_64_BYTES <= source.size)) throw badFile(FORMAT, `the end of its zip64 should be at ${wideAt}`);
  const wide = viewOf(await source.read(wideAt, wideAt + END_64_BYTES));
  if (wide.getUint32(0, true) !== END_64) throw badFile(FORMAT, `the end of its zip64 is not at ${wideAt}`);
  return { bytes: Number(wide.getBigUint64(40, true)), at: Number(wide.getBigUint64(48, true)) };
}

/** Numbers that are all ones are in the extra field of zip64, in this order. */
function wideNumbers(numbers: readonly number[], extra: Uint8Array): number[] {
  if (!numbers.includes(ELSEWHERE)) return [...numbers];
  const view = viewOf(extra);
  let at = 0;
  while (at + 4 <= extra.length && view.getUint16(at, true) !== 1) at += 4 + view.getUint16(at + 2, true);
  at += 4;
  return numbers.map((number) => {
    if (number !== ELSEWHERE) return number;
    if (at + 8 > extra.length) throw badFile(FORMAT, "a size of zip64 is not there");
    at += 8;
    return Number(view.getBigUint64(at - 8, true));
  });
}
