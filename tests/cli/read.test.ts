import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { openVectors, type ReadOptions, readGroundTruth, readRows } from "../../src/cli/read/vectors.js";

const folder = mkdtempSync(join(tmpdir(), "vicinal-read-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes a file into the test folder and returns its path. */
function write(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

const VALUES: readonly string[] = ["float32", "uint8", "int32", "float16", "float64", "int8"];
const WRITERS: Record<string, [bytes: number, put: (view: DataView, at: number, value: number) => void]> = {
  float32: [4, (view, at, value) => view.setFloat32(at, value, true)],
  float64: [8, (view, at, value) => view.setFloat64(at, value, true)],
  int32: [4, (view, at, value) => view.setInt32(at, value, true)],
  int8: [1, (view, at, value) => view.setInt8(at, value)],
  uint8: [1, (view, at, value) => view.setUint8(at, value)],
  // Small whole numbers only: sign, exponent, and the fraction's upper bits.
  float16: [2, (view, at, value) => view.setUint16(at, value === 0 ? 0 : half(value), true)],
};

function half(value: number): number {
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((Math.abs(value) / 2 ** exponent - 1) * 1024);
}

function encode(type: string, values: readonly number[]): Uint8Array {
  const [bytes, put] = WRITERS[type] as (typeof WRITERS)[string];
  const view = new DataView(new ArrayBuffer(values.length * bytes));
  values.forEach((value, i) => {
    put(view, i * bytes, value);
  });
  return new Uint8Array(view.buffer);
}

/** [dimension i32][values] per row */
function vecs(type: string, rows: readonly (readonly number[])[]): Uint8Array {
  return Buffer.concat(rows.flatMap((row) => [encode("int32", [row.length]), encode(type, row)]));
}

function npy(descr: string, shape: string, data: Uint8Array, { version = 1, order = "False" } = {}): Uint8Array {
  const header = Buffer.from(`{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape}), }\n`);
  const length = Buffer.alloc(version === 1 ? 2 : 4);
  length.writeUIntLE(header.length, 0, length.length);
  return Buffer.concat([Buffer.from("\x93NUMPY", "latin1"), Buffer.from([version, 0]), length, header, data]);
}

const ROWS = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 100],
];
const FLAT = ROWS.flat();

function read(path: string, options: Partial<ReadOptions> = {}) {
  return readRows(path, { packed: false, ...options });
}

/** The rows as plain arrays. */
async function plain(path: string, options: Partial<ReadOptions> = {}): Promise<number[][]> {
  return (await read(path, options)).vectors.map((row) => Array.from(row));
}

const JSONL = ROWS.map((vector, i) => JSON.stringify({ id: i, vector })).join("\n");
const CSV = ROWS.map((row) => row.join(",")).join("\n");

const FILES: Record<string, string | Uint8Array> = {
  "a.fvecs": vecs("float32", ROWS),
  "a.bvecs": vecs("uint8", ROWS),
  "f4.npy": npy("<f4", "3, 3", encode("float32", FLAT)),
  "f8.npy": npy("<f8", "3, 3", encode("float64", FLAT)),
  "f2.npy": npy("<f2", "3, 3", encode("float16", FLAT)),
  "i1.npy": npy("|i1", "3, 3", encode("int8", FLAT)),
  "u1.npy": npy("|u1", "3, 3", encode("uint8", FLAT)),
  "v2.npy": npy("<f4", "3, 3", encode("float32", FLAT), { version: 2 }),
  "v3.npy": npy("<f4", "3, 3", encode("float32", FLAT), { version: 3 }),
  "a.jsonl": JSONL,
  "a.ndjson": `\n${JSONL.replaceAll("vector", "embedding").replaceAll("\n", "\r\n")}\r\n\r\n`,
  "a.csv": CSV,
  "bom.csv": `\uFEFF${CSV}\r\n`,
  "columns.csv": `id,x,y,z\n${ROWS.map((row, i) => [i, ...row].join(",")).join("\n")}\n`,
  "array.csv": `title,id,vector\n${ROWS.map((row, i) => `"a, b",${i},"[${row.join(", ")}]"`).join("\n")}\n`,
};

describe("every format gives the rows that were written", () => {
  for (const [name, contents] of Object.entries(FILES)) {
    test(name, async () => expect(await plain(write(name, contents))).toEqual(ROWS));
    test(`${name}.gz`, async () => expect(await plain(write(`${name}.gz`, gzipSync(contents)))).toEqual(ROWS));
  }
  test("the writers cover every element", () => expect(Object.keys(WRITERS).sort()).toEqual([...VALUES].sort()));
});

describe("how many rows there will be is known before they are read", () => {
  const totals: Record<string, number | undefined> = {
    "a.fvecs": 3,
    "a.bvecs": 3,
    "f4.npy": 3,
    "f4.npy.gz": 3,
    "a.fvecs.gz": undefined,
  };
  for (const [name, total] of Object.entries(totals)) {
    test(name, async () => {
      const contents = FILES[name.replace(/\.gz$/, "")] as Uint8Array;
      const { chunks } = await openVectors(write(name, name.endsWith(".gz") ? gzipSync(contents) : contents), { packed: false });
      expect((await chunks.next()).value.total).toBe(total);
    });
  }
});

test("half precision: every bit pattern, against its definition", async () => {
  const finite = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => ((bits >> 10) & 31) !== 31);
  const data = new Uint8Array(Uint16Array.from(finite).buffer);
  const [row] = await plain(write("halves.npy", npy("<f2", `1, ${finite.length}`, data)));
  const expected = finite.map((bits) => {
    const exponent = (bits >> 10) & 31;
    const size = exponent === 0 ? (bits & 1023) * 2 ** -24 : (1024 + (bits & 1023)) * 2 ** (exponent - 25);
    return bits & 0x8000 ? -size : size;
  });
  expect(row).toEqual(expected);
});

test("bytes are packed bits where asked for", async () => {
  for (const path of [
    write("bits.bvecs", vecs("uint8", [[1, 255]])),
    write("bits.npy", npy("|u1", "1, 2", encode("uint8", [1, 255]))),
  ]) {
    const { dimensions, vectors } = await read(path, { packed: true });
    expect(dimensions).toBe(16);
    expect(vectors).toEqual([new Uint8Array([1, 255])]);
  }
});

test("many rows come in chunks, in order, with their ids", async () => {
  const rows = Array.from({ length: 2500 }, (_, i) => ({ id: i * 3, vector: [i, -i] }));
  const path = write("many.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
  const file = await openVectors(path, { packed: false });
  const sizes: number[] = [];
  for await (const chunk of file.chunks) sizes.push(chunk.rows);
  expect(sizes.length).toBeGreaterThan(1);
  const { ids, vectors } = await read(path);
  expect(ids).toEqual(rows.map(({ id }) => id));
  expect(vectors.map((row) => Array.from(row))).toEqual(rows.map(({ vector }) => vector.map((value) => value + 0)));
  expect(file.fileBytesRead).toBe(file.fileBytes);
});

test("rows longer than one read of the file are put together", async () => {
  const row = Array.from({ length: 150_000 }, (_, i) => i % 251);
  expect(await plain(write("long.fvecs", vecs("float32", [row, row])))).toEqual([row, row]);
  expect(await plain(write("long.bvecs.gz", gzipSync(vecs("uint8", [row, row]))))).toEqual([row, row]);
});

test("fields by other names", async () => {
  const fields = { idField: "key", vectorField: "v" };
  const jsonl = write("names.jsonl", '{"key": "7", "v": [1, 2], "vector": 0}\n{"key": 4294967294, "v": [3, 4]}');
  const csv = write("names.csv", 'v,key,id\n"[1, 2]",7,x\n"[3 4]",4294967294,y\n');
  for (const path of [jsonl, csv]) {
    const { ids, vectors } = await read(path, fields);
    expect(ids).toEqual([7, 4294967294]);
    expect(vectors).toEqual([new Float32Array([1, 2]), new Float32Array([3, 4])]);
  }
});

test("ground truth keeps ids above 2^24, and is never taken for vectors", async () => {
  const path = write(
    "truth.ivecs",
    vecs("int32", [
      [16777217, 3],
      [-2, 0],
    ]),
  );
  expect(await readGroundTruth(path)).toEqual([new Uint32Array([16777217, 3]), new Uint32Array([4294967294, 0])]);
  await expect(read(path)).rejects.toThrow("truth.ivecs: .ivecs holds ids, not vectors");
  await expect(readGroundTruth(write("truth.npy", ""))).rejects.toThrow("ground truth must be .ivecs");
});

const fvecs = FILES["a.fvecs"] as Uint8Array;
const f4 = encode("float32", FLAT);
const jsonLine = (vector: unknown, id: unknown = 1) => JSON.stringify({ id, vector });

const REFUSED: [name: string, contents: string | Uint8Array, message: string, options?: Partial<ReadOptions>][] = [
  ["empty.fvecs", "", "holds no vectors"],
  ["empty.jsonl", "\n\n", "holds no vectors"],
  ["header-only.csv", "id,a,b\n", "holds no vectors"],
  ["none.npy", npy("<f4", "0, 3", new Uint8Array()), "holds no vectors"],
  ["what.parquet", "x", 'unknown format ".parquet", expected one of .fvecs'],
  ["noextension", "x", 'unknown format ""'],

  ["cut.fvecs", fvecs.subarray(0, 40), "truncated in row 3: 8 of its 16 bytes are there"],
  ["cut-head.fvecs", fvecs.subarray(0, 34), "truncated in row 3: 2 of its 16 bytes are there"],
  ["two-bytes.fvecs", fvecs.subarray(0, 2), "row 1 starts with dimension 0"],
  [
    "uneven.fvecs",
    vecs("float32", [
      [1, 2],
      [3, 4, 5],
    ]),
    "row 2 has 3 values, the first row has 2",
  ],
  ["text.fvecs", "hello world", "row 1 starts with dimension 1819043176"],
  [
    "nan.fvecs",
    vecs("float32", [
      [1, 2],
      [3, Number.NaN],
    ]),
    "row 2, value 2 is NaN: not a finite number",
  ],
  ["cut.fvecs.gz", gzipSync(fvecs).subarray(0, 20), "damaged or truncated gzip data"],
  ["plain.fvecs.gz", fvecs, "damaged or truncated gzip data"],

  ["cut.npy", npy("<f4", "3, 3", f4.subarray(0, 30)), "truncated after row 2: its header says 3 rows of 3 values"],
  ["more.npy", npy("<f4", "2, 3", f4), "more bytes after the 2 rows of its header"],
  ["magic.npy", "this is no array", "not a .npy file"],
  ["short.npy", npy("<f4", "3, 3", f4).subarray(0, 9), "truncated in the .npy header"],
  ["half-header.npy", npy("<f4", "3, 3", f4).subarray(0, 30), "header is not one of a plain array"],
  ["version.npy", npy("<f4", "3, 3", f4, { version: 4 }), ".npy version 4 is not known"],
  ["big-endian.npy", npy(">f4", "3, 3", f4), "big-endian values ('>f4')"],
  ["complex.npy", npy("<c8", "3, 3", f4), "values of type '<c8'"],
  ["fortran.npy", npy("<f4", "3, 3", f4, { order: "True" }), "Fortran order"],
  ["flat.npy", npy("<f4", "9,", f4), "shape (9,): expected two dimensions"],
  ["cube.npy", npy("<f4", "1, 3, 3", f4), "shape (1, 3, 3): expected two dimensions"],
  ["thin.npy", npy("<f4", "3, 0", f4), "shape (3, 0): 0 values per row"],
  ["infinite.npy", npy("<f4", "1, 2", encode("float32", [1, -1 / 0])), "row 1, value 2 is -Infinity"],
  ["large.npy", npy("<f8", "1, 2", encode("float64", [1, 1e300])), "row 1, value 2 is 1e+300: too large for float32"],

  ["uneven.jsonl", `${jsonLine([1, 2])}\n\n${jsonLine([1])}`, "line 3 has 1 values, the first row has 2"],
  ["syntax.jsonl", `${jsonLine([1, 2])}\n{"id": 2, `, "line 2 is not a JSON object"],
  ["array.jsonl", "[1, 2]", "line 1 is not a JSON object: [1, 2]"],
  ["field.jsonl", '{"id": 1, "values": [1]}', 'line 1 has no field "vector" or "embedding" (its fields: id, values)'],
  ["named.jsonl", jsonLine([1]), 'line 1 has no field "v"', { vectorField: "v" }],
  ["no-id.jsonl", jsonLine([1]), 'line 1 has no field "key"', { idField: "key" }],
  ["scalar.jsonl", jsonLine(7), 'line 1: "vector" is not an array'],
  ["void.jsonl", jsonLine([]), "line 1 has no values"],
  ["null.jsonl", jsonLine([1, null]), "line 1, value 2 is null, not a number"],
  ["overflow.jsonl", '{"vector": [1e39]}', "line 1, value 1 is 1e+39: too large for float32"],
  ["name.jsonl", jsonLine([1], "doc-7"), 'line 1: the id "doc-7" is not a whole number from 0 to 4294967294'],
  ["negative.jsonl", jsonLine([1], -1), "line 1: the id -1 is not"],
  ["reserved.jsonl", jsonLine([1], 4294967295), "line 1: the id 4294967295 is not"],
  ["some-ids.jsonl", `${jsonLine([1])}\n{"vector": [2]}`, "line 2 has no id, the first row has one"],
  ["late-ids.jsonl", `{"vector": [2]}\n${jsonLine([1])}`, "line 2 has an id, the first row has none"],

  ["uneven.csv", "1,2\n3\n", "line 2 has 1 values, the first row has 2"],
  ["word.csv", "id,x\n0,1\n1,abc\n", 'line 3, column "x" is "abc", not a number'],
  ["columns.csv", "id,x,y\n0,1,2\n1,3\n", "line 3 has 2 columns, the header has 3"],
  ["gap.csv", "1,2\n3,\n", 'line 2, value 2 is "", not a number'],
  ["nan.csv", "1,2\n3,NaN\n", "line 2, value 2 is NaN: not a finite number"],
  ["quote.csv", '1,"2\n3,4\n', "quote.csv: Quote Not Closed"],
  ["name.csv", "id,x\ndoc,1\n", 'line 2: the id "doc" is not a whole number'],
  ["column.csv", "id,x\n0,1\n", 'no column "v" (the header has id, x)', { vectorField: "v" }],
  ["headless.csv", "0,1\n", 'no column is named "id"', { idField: "id" }],
  ["array.csv", "id,vector\n0,1\n", 'line 2: "1" is not an array'],
];

describe("what cannot be read is refused with its place", () => {
  for (const [name, contents, message, options] of REFUSED) {
    test(name, async () => {
      const path = write(`refused-${name}`, contents);
      await expect(read(path, options)).rejects.toThrow(message);
      await expect(read(path, options)).rejects.toThrow(path);
    });
  }
  test("a missing file", async () => {
    await expect(read(join(folder, "missing.fvecs"))).rejects.toThrow("ENOENT");
  });
});

test("every truncation of a binary file is noticed, or leaves whole rows", async () => {
  for (let length = 1; length < fvecs.length; length++) {
    const reading = plain(write("truncated.fvecs", fvecs.subarray(0, length)));
    if (length % 16 === 0) expect(await reading).toEqual(ROWS.slice(0, length / 16));
    else await expect(reading).rejects.toThrow(/truncated|dimension/);
  }
  const whole = npy("<f4", "3, 3", f4);
  for (let length = 0; length < whole.length; length++) {
    await expect(plain(write("truncated.npy", whole.subarray(0, length)))).rejects.toThrow("truncated.npy: ");
  }
});
