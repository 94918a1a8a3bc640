// The codes of vectors as they stand in a file: after what they mean, one after the other, in blocks for fast-scan, or in lists.
import { bitCoder, type Coder, decoderOf, f32Coder, type ProductCoder, productCoder, scalarCoder } from "./coders.js";
import type { Blocks, TakenLists } from "./lists.js";
import { badFaiss, type Reading } from "./reading.js";

/** Vectors of a block of fast-scan codes. */
const MOST_OF_A_BLOCK = 1 << 16;

/** Codes of n vectors: where they are in `bytes`. */
export interface Codes {
  readonly coder: Coder;
  readonly bytes: Uint8Array;
  /** Where code i begins. */
  readonly at: (i: number) => number;
}

/** The vectors that n codes stand for, one after the other. */
export function decodedRows({ coder, bytes, at }: Codes, n: number, d: number): Float32Array {
  const rows = new Float32Array(n * d);
  const decode = decoderOf(coder, d);
  for (let i = 0; i < n; i++) decode(bytes, at(i), rows.subarray(i * d, (i + 1) * d));
  return rows;
}

/** Codes of all vectors, one after the other. */
function inTurn(file: Reading, n: number, coder: Coder, unit = 1): Codes {
  const { at, count } = file.vector("codes", unit);
  const bytes = count * unit;
  if (bytes !== n * coder.codeBytes)
    throw badFaiss(`${n} codes of ${coder.codeBytes} bytes are ${n * coder.codeBytes} bytes, not ${bytes}`);
  return { coder, bytes: file.bytes, at: (i) => at + i * coder.codeBytes };
}

/** The codes of an index of codes alone, n of them. */
export function codesOf(file: Reading, letters: string, d: number, n: number): Codes {
  if (letters.startsWith("IxF")) return inTurn(file, n, f32Coder(d), 4);
  if (letters === "IxSQ") return inTurn(file, n, scalarCoder(file, d));
  if (letters === "Ixrq") {
    const coder = bitCoder(file, d);
    const codes = inTurn(file, n, { ...coder, centre: new Float32Array() });
    const centre = file.f32s("values of its centre", d);
    file.u8();
    return { ...codes, coder: { ...coder, centre } };
  }
  const coder = productCoder(file, d);
  if (letters === "IPfs") return packedCodes(file, n, coder);
  const codes = inTurn(file, n, coder);
  file.skip(4 + 1 + 4);
  return codes;
}

/** Blocks of fast-scan codes, whose parts are a multiple of two. */
function blocksOf({ m, bits }: ProductCoder, vectors: number, parts: number): Blocks {
  const sound = bits === 4 && parts === m + (m & 1) && vectors >= 32 && vectors % 32 === 0 && vectors <= MOST_OF_A_BLOCK;
  if (!sound) throw badFaiss(`its fast-scan codes are ${parts} parts of ${bits} bits in blocks of ${vectors}`);
  return { vectors, bytes: (vectors * parts) / 2 };
}

function packedCodes(file: Reading, n: number, coder: ProductCoder): Codes {
  file.skip(4);
  const vectors = file.i32();
  file.skip(4 + 8);
  const blocks = blocksOf(coder, vectors, file.u64("parts of a code"));
  const { at, count } = file.vector("codes", 1);
  if (count !== Math.ceil(n / vectors) * blocks.bytes) throw badFaiss(`its fast-scan codes of ${n} vectors are ${count} bytes`);
  const bytes = new Uint8Array(n * coder.codeBytes);
  unpack(file.bytes, at, n, blocks, bytes, coder.codeBytes);
  return { coder, bytes, at: (i) => i * coder.codeBytes };
}

/**
 * Codes of 4 bits as a scan has them, in blocks (faiss/impl/pq4_fast_scan.h): for each two parts, of every 32 vectors 32 bytes, the first 16 of the
 * first part. A byte holds the numbers of two vectors that are 16 apart, in the order 0, 8, 1, 9, ...
 */
function unpack(from: Uint8Array, at: number, n: number, { vectors, bytes }: Blocks, out: Uint8Array, codeBytes: number): void {
  for (let i = 0; i < n; i++) {
    const inBlock = i % vectors;
    const block = at + Math.floor(i / vectors) * bytes;
    const lane = inBlock & 15;
    const place = (inBlock & ~31) + ((lane & 7) << 1) + (lane >> 3);
    const shift = (inBlock & 16) >> 2;
    for (let pair = 0; pair < codeBytes; pair++) {
      const p = block + pair * vectors + place;
      out[i * codeBytes + pair] = ((from[p] >> shift) & 15) | (((from[p + 16] >> shift) & 15) << 4);
    }
  }
}

/** Codes of lists, one list after the other. */
export function codesInLists(
  file: Reading,
  coder: Coder,
  { sizes, codesAt, ids }: TakenLists,
  blocks: Blocks | undefined,
): Codes {
  const { codeBytes } = coder;
  const unpacked = new Uint8Array(blocks ? ids.length * codeBytes : 0);
  const offsets = new Float64Array(ids.length);
  let i = 0;
  sizes.forEach((size, list) => {
    if (blocks) unpack(file.bytes, codesAt[list], size, blocks, unpacked.subarray(i * codeBytes), codeBytes);
    const first = blocks ? i * codeBytes : codesAt[list];
    for (let j = 0; j < size; j++) offsets[i++] = first + j * codeBytes;
  });
  return { coder, bytes: blocks ? unpacked : file.bytes, at: (i) => offsets[i] };
}

/** What the codes in lists mean, and how they are packed where they do not lie one after the other. */
export function listCoder(file: Reading, letters: string, d: number): { coder: Coder; residual: boolean; blocks?: Blocks } {
  if (letters === "IwFl") return { coder: f32Coder(d), residual: false };
  if (letters === "IwSq") {
    const coder = scalarCoder(file, d);
    file.u64("size of a code");
    return { coder, residual: file.flag() };
  }
  if (letters === "Iwrq") {
    const coder = { ...bitCoder(file, d), centre: new Float32Array(d) };
    file.u64("size of a code");
    const residual = file.flag();
    file.u8();
    return { coder, residual };
  }
  const residual = file.flag();
  file.u64("size of a code");
  if (letters === "IwPQ") return { coder: productCoder(file, d), residual };
  const vectors = file.i32();
  const parts = file.u64("parts of a code");
  file.skip(4 + 8);
  const coder = productCoder(file, d);
  return { coder, residual, blocks: blocksOf(coder, vectors, parts) };
}
