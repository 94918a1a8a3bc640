// Faiss files made and taken apart a second time, from the layouts of faiss/impl/index_write.cpp and not from src/interop: the means to have files of
// every class without Faiss, with what their codes stand for worked out on the way, and to check what is written.

export type Row = Float32Array;
/** A file, and the vectors that it stands for, in its order. */
export interface Made {
  readonly bytes: Uint8Array;
  readonly rows: readonly Row[];
}

// ---- bytes ------------------------------------------------------------------------------------------------------------

const tagged = (letters: string): Uint8Array => new TextEncoder().encode(letters);
const raw = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
const byte = (...values: number[]): Uint8Array => Uint8Array.from(values);
const int = (...values: number[]): Uint8Array => raw(Int32Array.from(values));
const float = (...values: number[]): Uint8Array => raw(Float32Array.from(values));
const long = (...values: (number | bigint)[]): Uint8Array => raw(BigInt64Array.from(values, BigInt));
const sized = (count: number, bytes: Uint8Array): Uint8Array => glued(long(count), bytes);

export function glued(...pieces: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

const floats = (values: ArrayLike<number>): Uint8Array => sized(values.length, raw(Float32Array.from(values)));

function headed(letters: string, d: number, n: number, metric: number): Uint8Array {
  const argument = metric > 1 ? float(0) : byte();
  return glued(tagged(letters), int(d), long(n, 1 << 20, 1 << 20), byte(1), int(metric), argument);
}

// ---- codes ------------------------------------------------------------------------------------------------------------

/** What stands before codes, and one code and what it stands for, of each row. */
export interface Coding {
  readonly before: Uint8Array;
  readonly codeBytes: number;
  code(row: Row): { code: Uint8Array; value: Row };
}

export const asFloats = (d: number): Coding => ({
  before: byte(),
  codeBytes: 4 * d,
  code: (row) => ({ code: raw(row), value: row }),
});

const KINDS = ["8bit", "4bit", "8bit_uniform", "4bit_uniform", "fp16", "8bit_direct", "6bit", "bf16", "8bit_direct_signed"];
const WIDTHS = [8, 4, 8, 4, 16, 8, 6, 16, 8];

/** Values rounded so that 16 bits hold them: those of f16 with 11 digits, of bf16 with 8. */
function sixteen(value: number, brain: boolean): { bits: number; value: number } {
  const word = new DataView(new ArrayBuffer(4));
  word.setFloat32(0, value);
  if (brain) {
    const bits = word.getUint16(0);
    word.setUint32(0, bits << 16);
    return { bits, value: word.getFloat32(0) };
  }
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const step = 2 ** (exponent - 10);
  const fraction = Math.round(Math.abs(value) / step);
  const bits = value === 0 ? 0 : ((value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10)) + (fraction - 1024);
  return { bits, value: value === 0 ? 0 : Math.sign(value) * fraction * step };
}

/** Numbers of `width` bits, the low bits first. */
function bitString(numbers: number[], width: number): Uint8Array {
  const all = numbers.map((value) => value.toString(2).padStart(width, "0").split("").reverse().join("")).join("");
  return Uint8Array.from({ length: Math.ceil(all.length / 8) }, (_, i) =>
    Number.parseInt(
      all
        .slice(8 * i, 8 * i + 8)
        .padEnd(8, "0")
        .split("")
        .reverse()
        .join(""),
      2,
    ),
  );
}

/** Of a scalar quantiser, on the ranges of these rows. */
export function scalarCoding(rows: readonly Row[], kind: string): Coding {
  const d = rows[0].length;
  const number = KINDS.indexOf(kind);
  const width = WIDTHS[number];
  const columns = Array.from({ length: d }, (_, j) => rows.map((row) => row[j]));
  const all = kind.endsWith("uniform") ? [columns.flat()] : columns;
  const low = Float32Array.from(all, (column) => Math.min(...column));
  const span = Float32Array.from(all, (column, i) => Math.max(...column) - low[i]);
  const whole = width === 16 || kind.includes("direct");
  const codeBytes = Math.ceil((d * width) / 8);
  const before = glued(int(number, 0), float(0), long(d, codeBytes), floats(whole ? [] : [...low, ...span]));
  const one = (value: number, j: number): { bits: number; value: number } => {
    if (width === 16) return sixteen(value, kind === "bf16");
    if (kind === "8bit_direct") return { bits: value, value };
    if (kind === "8bit_direct_signed") return { bits: value + 128, value };
    const [least, range] = all.length === 1 ? [low[0], span[0]] : [low[j], span[j]];
    const steps = 2 ** width - 1;
    const bits = range > 0 ? Math.floor(((value - least) / range) * steps) : 0;
    return { bits, value: least + (range * (bits + 0.5)) / steps };
  };
  return {
    before,
    codeBytes,
    code: (row) => {
      const coded = Array.from(row, one);
      return {
        code: bitString(
          coded.map(({ bits }) => bits),
          width,
        ),
        value: Float32Array.from(coded, ({ value }) => value),
      };
    },
  };
}

const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return sum;
};
const nearest = (centres: readonly Row[], row: ArrayLike<number>): number => {
  let best = 0;
  for (let i = 1; i < centres.length; i++) if (distance(centres[i], row) < distance(centres[best], row)) best = i;
  return best;
};

/** Of a product quantiser whose centroids are parts of these rows, where there are fewer again and again. */
export function productCoding(rows: readonly Row[], m: number, bits: number): Coding {
  const d = rows[0].length;
  const part = d / m;
  const books = Array.from({ length: m }, (_, j) =>
    Array.from({ length: 2 ** bits }, (_, c) =>
      rows[(7 * c + j) % rows.length].slice(j * part, (j + 1) * part).map((x) => x + Math.floor(c / rows.length)),
    ),
  );
  const before = glued(long(d, m, bits), floats(books.flat().flatMap((centroid) => Array.from(centroid))));
  return {
    before,
    codeBytes: Math.ceil((m * bits) / 8),
    code: (row) => {
      const numbers = books.map((book, j) => nearest(book, row.subarray(j * part, (j + 1) * part)));
      return {
        code: bitString(numbers, bits),
        value: Float32Array.from(numbers.flatMap((c, j) => Array.from(books[j][c]))),
      };
    },
  };
}

/** Of RaBitQ under l2, around a centre: signs, and the shadow of a row on them. */
function signCoding(centre: Row): Coding {
  const d = centre.length;
  return {
    before: glued(long(d, Math.ceil(d / 8) + 8), int(1)),
    codeBytes: Math.ceil(d / 8) + 8,
    code: (row) => {
      const rest = Array.from(row, (x, j) => x - centre[j]);
      const squared = rest.reduce((sum, x) => sum + x * x, 0);
      const along = rest.reduce((sum, x) => sum + Math.abs(x), 0) / Math.sqrt(d);
      const code = glued(
        bitString(
          rest.map((x) => Number(x > 0)),
          1,
        ),
        float(squared, along > 0 ? squared / along : 0),
      );
      return { code, value: Float32Array.from(rest, (x, j) => centre[j] + (Math.sign(x || -1) * along) / Math.sqrt(d)) };
    },
  };
}

// ---- indices ------------------------------------------------------------------------------------------------------------

const dOf = (rows: readonly Row[]): number => rows[0].length;

export function flatFile(rows: readonly Row[], metric = 1): Made {
  const values = rows.flatMap((row) => Array.from(row));
  const letters = ["IxFI", "IxF2", "IxFl"][metric];
  return { rows, bytes: glued(headed(letters, dOf(rows), rows.length, metric), floats(values)) };
}

export function scalarFile(rows: readonly Row[], kind: string, metric = 1): Made {
  const coding = scalarCoding(rows, kind);
  const coded = rows.map((row) => coding.code(row));
  const codes = glued(...coded.map(({ code }) => code));
  const bytes = glued(headed("IxSQ", dOf(rows), rows.length, metric), coding.before, sized(codes.length, codes));
  return { bytes, rows: coded.map(({ value }) => value) };
}

export function productFile(rows: readonly Row[], m: number, bits: number, metric = 1): Made {
  const coding = productCoding(rows, m, bits);
  const coded = rows.map((row) => coding.code(row));
  const codes = glued(...coded.map(({ code }) => code));
  const head = headed("IxPq", dOf(rows), rows.length, metric);
  const bytes = glued(head, coding.before, sized(codes.length, codes), int(0), byte(0), int(m * bits + 1));
  return { bytes, rows: coded.map(({ value }) => value) };
}

/** Nibbles of up to 32 codes as a scan has them. */
function block(codes: readonly Uint8Array[], m: number): Uint8Array {
  const order = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15];
  const nibble = (i: number, j: number): number => (j < m ? ((codes[i]?.[j >> 1] ?? 0) >> (4 * (j & 1))) & 15 : 0);
  return glued(
    ...Array.from({ length: m + (m & 1) }, (_, j) => Uint8Array.from(order, (i) => nibble(i, j) | (nibble(i + 16, j) << 4))),
  );
}

function blocks(codes: readonly Uint8Array[], m: number): Uint8Array {
  return glued(...Array.from({ length: Math.ceil(codes.length / 32) }, (_, i) => block(codes.slice(32 * i, 32 * i + 32), m)));
}

export function fastScanFile(rows: readonly Row[], m: number): Made {
  const coding = productCoding(rows, m, 4);
  const coded = rows.map((row) => coding.code(row));
  const codes = blocks(
    coded.map(({ code }) => code),
    m,
  );
  const head = headed("IPfs", dOf(rows), rows.length, 1);
  const shape = glued(int(0, 32, 0), long(Math.ceil(rows.length / 32) * 32, m + (m & 1)));
  return { bytes: glued(head, coding.before, shape, sized(codes.length, codes)), rows: coded.map(({ value }) => value) };
}

export function bitsFile(rows: readonly Row[]): Made {
  const centre = rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
  const coding = signCoding(centre);
  const coded = rows.map((row) => coding.code(row));
  const codes = glued(...coded.map(({ code }) => code));
  const bytes = glued(
    headed("Ixrq", dOf(rows), rows.length, 1),
    coding.before,
    sized(codes.length, codes),
    floats(centre),
    byte(4),
  );
  return { bytes, rows: coded.map(({ value }) => value) };
}

export function mappedFile({ bytes, rows }: Made, ids: readonly (number | bigint)[], letters = "IxM2", metric = 1): Made {
  return { rows, bytes: glued(headed(letters, dOf(rows), rows.length, metric), bytes, sized(ids.length, long(...ids))) };
}

export interface Lists {
  readonly letters: "IwFl" | "IwSq" | "IwPQ" | "IwPf" | "Iwrq";
  /** How many; each is around one of the first rows. */
  readonly nlist: number;
  readonly nprobe?: number;
  readonly metric?: number;
  readonly residual?: boolean;
  /** Of what codes are of. Default: floats. */
  readonly coding?: (rows: readonly Row[]) => Coding;
  readonly m?: number;
  /** What finds the lists. Default: an IndexFlat of the centroids. */
  readonly quantizer?: Uint8Array;
}

/** Rows by their nearest centroids, which are the first rows; `rows` of the answer are in the order of ids. */
export function listsFile(rows: readonly Row[], options: Lists): Made & { readonly lists: readonly (readonly number[])[] } {
  const { letters, nlist, nprobe = 3, metric = 1, residual = false, m = 0 } = options;
  const d = dOf(rows);
  const centroids = rows.slice(0, nlist);
  const own = rows.map((row) => nearest(centroids, row));
  const rest = rows.map((row, i) => (residual ? row.map((x, j) => x - centroids[own[i]][j]) : row));
  const coding = letters === "Iwrq" ? signCoding(new Float32Array(d)) : (options.coding?.(rest) ?? asFloats(d));
  const coded = rest.map((row) => coding.code(row));
  const lists = centroids.map((_, list) => rows.map((_, i) => i).filter((i) => own[i] === list));
  const size = long(coding.codeBytes);
  const before = {
    IwFl: byte(),
    IwSq: glued(coding.before, size, byte(Number(residual))),
    IwPQ: glued(byte(Number(residual)), size, coding.before),
    IwPf: glued(byte(Number(residual)), size, int(32), long(m + (m & 1)), int(0), long(0), coding.before),
    Iwrq: glued(coding.before, size, byte(Number(residual)), byte(4)),
  }[letters];
  const quantizer = options.quantizer ?? flatFile(centroids, metric).bytes;
  const bytes = glued(
    ...[headed(letters, d, rows.length, metric), long(nlist, nprobe), quantizer, byte(0), long(0), before],
    ...listed(
      lists,
      coded.map(({ code }) => code),
      coding.codeBytes,
      letters === "IwPf" ? m : undefined,
    ),
  );
  const values = coded.map(({ value }, i) => (residual ? value.map((x, j) => x + centroids[own[i]][j]) : value));
  return { bytes, rows: values, lists };
}

function listed(
  lists: readonly number[][],
  codes: readonly Uint8Array[],
  codeBytes: number,
  packed: number | undefined,
): Uint8Array[] {
  if (packed !== undefined) {
    const each = lists.map((list) => {
      const own = blocks(
        list.map((i) => codes[i]),
        packed,
      );
      return glued(sized(list.length, long(...list)), sized(own.length, own));
    });
    return [tagged("ilbl"), long(lists.length, -1, 32, (32 * (packed + (packed & 1))) / 2), ...each];
  }
  const filled = lists.filter((list) => list.length > 0).length;
  const sizes =
    filled > lists.length >> 1
      ? glued(tagged("full"), sized(lists.length, long(...lists.map(({ length }) => length))))
      : glued(tagged("sprs"), sized(2 * filled, long(...lists.flatMap(({ length }, i) => (length ? [i, length] : [])))));
  return [
    ...[tagged("ilar"), long(lists.length, codeBytes), sizes],
    ...lists.map((list) => glued(...list.map((i) => codes[i]), long(...list))),
  ];
}

export interface Graph {
  readonly m: number;
  readonly letters?: "IHNf" | "IHNs" | "IHNp" | "IHNc" | "IHc2";
  readonly ef?: number;
}

/** Nodes of each level and their nearest, each linking to as many as may be; every 8th is one level up, every 64th two. */
export function graphFile({ bytes, rows }: Made, { m, letters = "IHNf", ef = 48 }: Graph, metric = 1): Made {
  const n = rows.length;
  const cagra = letters === "IHNc" || letters === "IHc2";
  const levels = rows.map((_, i) => (cagra ? 1 : i % 64 === 0 ? 3 : i % 8 === 0 ? 2 : 1));
  const near = rows.map((row, i) => {
    const order = rows.map((_, j) => j).filter((j) => j !== i);
    return order.sort((a, b) => distance(rows[a], row) - distance(rows[b], row));
  });
  const links = levels.flatMap((layers, i) =>
    Array.from({ length: layers }, (_, layer) => {
      const most = layer === 0 ? 2 * m : m;
      const there = near[i].filter((j) => levels[j] > layer);
      // Half of them near, the others from everywhere, so that all can be reached.
      const some = [...there.slice(0, most >> 1), ...there.filter((_, k) => k % ((i % 7) + 5) === 0)];
      const own = [...new Set(some)].slice(0, most);
      return [...own, ...Array.from({ length: most - own.length }, () => -1)];
    }).flat(),
  );
  const starts = [0];
  for (const layers of levels) starts.push(starts[starts.length - 1] + (layers + 1) * m);
  const chances = [0.9, 0.09, 0.009];
  const graph = glued(
    ...[sized(3, raw(Float64Array.from(chances))), sized(4, int(0, 2 * m, 3 * m, 4 * m)), sized(n, int(...levels))],
    ...[sized(n + 1, long(...starts)), sized(links.length, int(...links)), int(cagra ? -1 : 0, cagra ? -1 : 2, 40, ef, 1)],
  );
  const before = glued(cagra ? glued(byte(1, 1), int(32)) : byte(), letters === "IHc2" ? int(0) : byte());
  return { rows, bytes: glued(headed(letters, dOf(rows), n, metric), before, graph, bytes) };
}

export interface Step {
  readonly bytes: Uint8Array;
  readonly dOut: number;
  readonly of: (row: Row) => Row;
}

/** matrix x + bias, as PCA, OPQ and random rotations are. */
export function linearStep(matrix: readonly Row[], bias?: Row, letters = "LTra"): Step {
  const [dIn, dOut] = [matrix[0].length, matrix.length];
  const before = letters === "Pcam" ? glued(float(0, 0), byte(0), int(0), floats([]), floats([]), floats([])) : byte();
  const own = glued(byte(Number(bias !== undefined)), floats(matrix.flatMap((row) => Array.from(row))), floats(bias ?? []));
  const of = (row: Row): Row =>
    Float32Array.from(matrix, (one, i) => row.reduce((sum, x, j) => sum + x * one[j], bias?.[i] ?? 0));
  return { dOut, of, bytes: glued(tagged(letters), before, own, int(dIn, dOut), byte(1)) };
}

export function unitStep(d: number): Step {
  const of = (row: Row): Row => row.map((x) => x / Math.hypot(...row));
  return { dOut: d, of, bytes: glued(tagged("VNrm"), float(2), int(d, d), byte(1)) };
}

/** An index behind steps; its rows are as the steps have left them. */
export function steppedFile({ bytes, rows }: Made, d: number, steps: readonly Step[], metric = 1): Made {
  const head = headed("IxPT", d, rows.length, metric);
  return { rows, bytes: glued(head, int(steps.length), ...steps.map((step) => step.bytes), bytes) };
}

// ---- taking apart ---------------------------------------------------------------------------------------------------------

/** What a file of these classes says, field by field; lists in the order of the file. */
export interface Taken {
  readonly letters: string;
  readonly d: number;
  readonly n: number;
  readonly metric: number;
  readonly inner?: Taken;
  readonly ids?: readonly number[];
  readonly rows?: readonly Row[];
  readonly nprobe?: number;
  readonly centroids?: readonly Row[];
  readonly sizes?: readonly number[];
  /** Links of each node on each of its layers. */
  readonly links?: readonly (readonly (readonly number[])[])[];
  readonly entry?: number;
  readonly matrix?: readonly Row[];
  /** Whether vectors are brought to length 1. */
  readonly unit?: boolean;
}

class Eater {
  at = 0;
  readonly view: DataView;
  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  text(): string {
    return String.fromCharCode(...Array.from({ length: 4 }, () => this.byte()));
  }
  byte(): number {
    return this.view.getUint8(this.at++);
  }
  int(): number {
    return this.view.getInt32((this.at += 4) - 4, true);
  }
  float(): number {
    return this.view.getFloat32((this.at += 4) - 4, true);
  }
  long(): number {
    return Number(this.view.getBigInt64((this.at += 8) - 8, true));
  }
  many<T>(count: number, one: () => T): T[] {
    return Array.from({ length: count }, one);
  }
  vector<T>(one: () => T): T[] {
    return this.many(this.long(), one);
  }
}

/** Throws where a file is none, or has more than its index. */
export function taken(bytes: Uint8Array): Taken {
  const eater = new Eater(bytes);
  const index = indexIn(eater);
  if (eater.at !== bytes.length) throw new Error(`${bytes.length - eater.at} bytes follow`);
  return index;
}

function indexIn(e: Eater): Taken {
  const letters = e.text();
  const [d, n] = [e.int(), e.long()];
  if (e.long() !== 1 << 20 || e.long() !== 1 << 20) throw new Error("the two numbers of every head");
  if (e.byte() !== 1) throw new Error("not trained");
  const metric = e.int();
  if (metric > 1) e.float();
  return { letters, d, n, metric, ...(READERS[letters] ?? unknown)(e, d, n, letters) };
}

const unknown = (): never => {
  throw new Error("a class that this reader has not");
};

type Decode = (e: Eater) => Row;

const floatRow =
  (d: number): Decode =>
  (e) =>
    Float32Array.from({ length: d }, () => e.float());

function scalarRow(e: Eater, d: number): Decode {
  const kind = e.int();
  e.int();
  e.float();
  if (e.long() !== d) throw new Error("dimensions");
  if (e.long() !== Math.ceil((d * WIDTHS[kind]) / 8)) throw new Error("bytes of a code");
  const ranges = e.vector(() => e.float());
  if (kind === 0) return (e) => Float32Array.from({ length: d }, (_, j) => ranges[j] + (ranges[d + j] * (e.byte() + 0.5)) / 255);
  return (e) =>
    Float32Array.from({ length: d }, () => {
      const bits = e.byte() + 256 * e.byte();
      const view = new DataView(new ArrayBuffer(4));
      if (kind === 7) view.setUint32(0, bits << 16);
      else {
        const size =
          (bits >> 10) & 31 ? (1 + (bits & 1023) / 1024) * 2 ** (((bits >> 10) & 31) - 15) : ((bits & 1023) / 1024) * 2 ** -14;
        view.setFloat32(0, bits & 0x8000 ? -size : size);
      }
      return view.getFloat32(0);
    });
}

function productRow(e: Eater, d: number): Decode {
  if (e.long() !== d) throw new Error("dimensions");
  const [m, bits] = [e.long(), e.long()];
  const centroids = e.vector(() => e.float());
  const part = d / m;
  return (e) => {
    const codes = e.many(Math.ceil((m * bits) / 8), () => e.byte());
    const number = (j: number): number => (bits === 8 ? codes[j] : (codes[j >> 1] >> (4 * (j & 1))) & 15);
    return Float32Array.from({ length: d }, (_, i) => {
      const j = Math.floor(i / part);
      return centroids[(j * 2 ** bits + number(j)) * part + (i % part)];
    });
  };
}

/** All codes of a vector of bytes. */
function rowsIn(e: Eater, n: number, decode: Decode, unit: number): Row[] {
  const end = e.long() * unit + e.at;
  const rows = e.many(n, () => decode(e));
  if (e.at !== end) throw new Error("codes of another length");
  return rows;
}

function listsIn(e: Eater, nlist: number, decode: Decode): { sizes: number[]; ids: number[]; rows: Row[] } {
  if (e.text() !== "ilar" || e.long() !== nlist) throw new Error("lists");
  const codeBytes = e.long();
  const full = e.text() === "full";
  const given = e.vector(() => e.long());
  const sizes = full ? given : Array.from({ length: nlist }, () => 0);
  if (!full) for (let i = 0; i < given.length; i += 2) sizes[given[i]] = given[i + 1];
  if (full !== sizes.filter((size) => size > 0).length > nlist >> 1) throw new Error("sizes kept as Faiss would not");
  const [ids, rows]: [number[], Row[]] = [[], []];
  for (const size of sizes) {
    const end = e.at + size * codeBytes;
    rows.push(...e.many(size, () => decode(e)));
    if (e.at !== end) throw new Error("codes of another length");
    ids.push(...e.many(size, () => e.long()));
  }
  return { sizes, ids, rows };
}

type Reader = (e: Eater, d: number, n: number, letters: string) => Partial<Taken>;

const flat: Reader = (e, d, n) => ({ rows: rowsIn(e, n, floatRow(d), 4) });

const lists: Reader = (e, d, _, letters) => {
  const [nlist, nprobe] = [e.long(), e.long()];
  const { rows: centroids } = indexIn(e);
  if (e.byte() !== 0 || e.long() !== 0) throw new Error("a direct map");
  let residual = 0;
  if (letters === "IwPQ") {
    residual = e.byte();
    e.long();
  }
  const decode = letters === "IwFl" ? floatRow(d) : letters === "IwSq" ? scalarRow(e, d) : productRow(e, d);
  if (letters === "IwSq") {
    e.long();
    residual = e.byte();
  }
  const { sizes, ids, rows } = listsIn(e, nlist, decode);
  const own = sizes.flatMap((size, list) => Array.from({ length: size }, () => list));
  const whole = residual ? rows.map((row, i) => row.map((x, j) => x + (centroids as Row[])[own[i]][j])) : rows;
  return { nprobe, centroids, sizes, ids, rows: whole };
};

const graph: Reader = (e, _, n) => {
  const chances = e.vector(() => e.view.getFloat64((e.at += 8) - 8, true));
  const below = e.vector(() => e.int());
  if (below.length !== chances.length + 1) throw new Error("levels");
  const levels = e.vector(() => e.int());
  const starts = e.vector(() => e.long());
  const all = e.vector(() => e.int());
  const [entry, top] = [e.int(), e.int()];
  e.many(3, () => e.int());
  if (levels.length !== n || starts[n] !== all.length || (n > 0 && levels[entry] !== top + 1))
    throw new Error("a graph that contradicts itself");
  const links = levels.map((layers, i) =>
    Array.from({ length: layers }, (_, layer) => {
      const own = all.slice(starts[i] + below[layer], starts[i] + below[layer + 1]);
      const end = own.indexOf(-1);
      return end < 0 ? own : own.slice(0, end);
    }),
  );
  return { links, entry, inner: indexIn(e) };
};

const READERS: Readonly<Record<string, Reader>> = {
  ...{ IxFI: flat, IxF2: flat, IxFl: flat, IwFl: lists, IwSq: lists, IwPQ: lists, IHNf: graph, IHNs: graph, IHNp: graph },
  IxSQ: (e, d, n) => ({ rows: rowsIn(e, n, scalarRow(e, d), 1) }),
  IxPq: (e, d, n) => {
    const rows = rowsIn(e, n, productRow(e, d), 1);
    if (e.int() !== 0 || e.byte() !== 0) throw new Error("another search than by distances");
    e.int();
    return { rows };
  },
  IxM2: (e) => ({ inner: indexIn(e), ids: e.vector(() => e.long()) }),
  IxPT: (e, d) => {
    const steps: Partial<Taken>[] = e.many(e.int(), () => {
      const letters = e.text();
      if (letters === "VNrm") {
        if (e.float() !== 2) throw new Error("another norm");
      } else if (letters !== "LTra" || e.byte() !== 0) throw new Error("no linear transform");
      const matrix = letters === "LTra" ? e.many(e.long() / d, () => floatRow(d)(e)) : undefined;
      if (matrix && e.long() !== 0) throw new Error("a bias");
      if (e.int() !== d || e.int() !== d || e.byte() !== 1) throw new Error("other dimensions");
      return matrix ? { matrix } : { unit: true };
    });
    return { ...steps[0], ...steps[1], inner: indexIn(e) };
  },
};
