// Inverted lists, as they follow the rest of an index of lists:
//
//   ilar   [lists u64][bytes of a code u64], "full" and a vector of sizes, or "sprs" and one of list numbers and sizes in turn; then of each
//          list that has any its codes and its ids (i64)
//   ilbl   fast-scan: [lists u64][-1 i64][vectors of a block u64][bytes of a block u64], and of each list a vector of ids and one of blocks
import { badFaiss, notRead, type Reading } from "./reading.js";

export interface TakenLists {
  readonly sizes: Float64Array;
  /** Where the codes of each list begin. */
  readonly codesAt: Float64Array;
  /** Of all lists, one after the other. */
  readonly ids: BigInt64Array;
}

/** Blocks of fast-scan codes. */
export interface Blocks {
  readonly vectors: number;
  readonly bytes: number;
}

/** nlist lists of n vectors in all, of codes of `codeBytes`, or of blocks of them. */
export function readLists(file: Reading, nlist: number, n: number, codeBytes: number, blocks: Blocks | undefined): TakenLists {
  const kind = file.letters();
  if (kind === "il00") throw notRead("lists without what is in them (il00)");
  if (kind !== (blocks ? "ilbl" : "ilar")) throw notRead(`lists of kind ${JSON.stringify(kind)}`);
  const own = file.u64("number of lists");
  if (own !== nlist) throw badFaiss(`it has ${own} lists for ${nlist} centroids`);
  // Each vector has an id.
  file.fits(n, "number of vectors", 8);
  return blocks ? inBlocks(file, nlist, n, blocks) : inTurn(file, nlist, n, codeBytes);
}

function inTurn(file: Reading, nlist: number, n: number, codeBytes: number): TakenLists {
  const own = file.u64("size of a code");
  if (own !== codeBytes) throw badFaiss(`its lists have codes of ${own} bytes, not ${codeBytes}`);
  const sizes = sizesOf(file, nlist);
  if (sizes.reduce((sum, size) => sum + size, 0) !== n) throw badFaiss(`its lists do not hold its ${n} vectors`);
  const codesAt = new Float64Array(nlist);
  const ids = new BigInt64Array(n);
  for (let list = 0, done = 0; list < nlist; done += sizes[list++]) {
    const size = sizes[list];
    codesAt[list] = file.skip(size * codeBytes);
    ids.set(file.ids(file.skip(8 * size), size), done);
  }
  return { sizes, codesAt, ids };
}

function sizesOf(file: Reading, nlist: number): Float64Array {
  const kind = file.letters();
  const given = file.sizes("sizes of lists");
  if (kind === "full" && given.length === nlist) return given;
  if (kind !== "sprs" || given.length % 2 !== 0)
    throw badFaiss(`${given.length} sizes (${JSON.stringify(kind)}) are not of ${nlist} lists`);
  const sizes = new Float64Array(nlist);
  for (let i = 0; i < given.length; i += 2) {
    if (given[i] >= nlist) throw badFaiss(`it has a list ${given[i]} of ${nlist}`);
    sizes[given[i]] = given[i + 1];
  }
  return sizes;
}

function inBlocks(file: Reading, nlist: number, n: number, blocks: Blocks): TakenLists {
  file.skip(8);
  const [vectors, bytes] = [file.u64("vectors of a block"), file.u64("size of a block")];
  if (vectors !== blocks.vectors || bytes !== blocks.bytes)
    throw badFaiss(`its lists have blocks of ${vectors} vectors in ${bytes} bytes`);
  const sizes = new Float64Array(nlist);
  const codesAt = new Float64Array(nlist);
  const ids = new BigInt64Array(n);
  for (let list = 0, done = 0; list < nlist; done += sizes[list++]) {
    const own = file.vector("a list", 8);
    if (done + own.count > n) throw badFaiss(`its lists hold more than its ${n} vectors`);
    ids.set(file.ids(own.at, own.count), done);
    const codes = file.vector("codes of a list", 1);
    if (codes.count !== Math.ceil(own.count / vectors) * bytes) throw badFaiss(`${own.count} codes take ${codes.count} bytes`);
    sizes[list] = own.count;
    codesAt[list] = codes.at;
  }
  if (sizes.reduce((sum, size) => sum + size, 0) !== n) throw badFaiss(`its lists do not hold its ${n} vectors`);
  return { sizes, codesAt, ids };
}
