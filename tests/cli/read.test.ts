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

type Put = (view: DataView, at: number, value: number, isLittleEndian: boolean) => void;

const WRITERS: Record<string, [bytes: number, put: Put]> = {
  float32: [4, (view, at, value, little) => view.setFloat32(at, value, little)],
  float64: [8, (view, at, value, little) => view.setFloat64(at, value, little)],
  int16: [2, (view, at, value, little) => view.setInt16(at, value, little)],
  int32: [4, (view, at, value, little) => view.setInt32(at, value, little)],
  int64: [8, (view, at, value, little) => view.setBigInt64(at, BigInt(value), little)],
  int8: [1, (view, at, value) => view.setInt8(at, value)],
  uint8: [1, (view, at, value) => view.setUint8(at, value)],
  // Small whole numbers only: sign, exponent, and the fraction's upper bits.
  float16: [2, (view, at, value, little) => view.setUint16(at, value === 0 ? 0 : half(value), little)],
};

function half(value: number): number {
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((Math.abs(value) / 2 ** exponent - 1) * 1024);
}

function encode(type: string, values: readonly number[], isLittleEndian = true): Uint8Array {
  const [bytes, put] = WRITERS[type] as (typeof WRITERS)[string];
  const view = new DataView(new ArrayBuffer(values.length * bytes));
  values.forEach((value, i) => {
    put(view, i * bytes, value, isLittleEndian);
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
  "tabs.tsv": CSV.replaceAll(",", "\t"),
  "array.csv": `title,id,vector\n${ROWS.map((row, i) => `"a, b",${i},"[${row.join(", ")}]"`).join("\n")}\n`,
};

const fvecs = FILES["a.fvecs"] as Uint8Array;
const f4 = encode("float32", FLAT);

describe("every format gives the rows that were written", () => {
  for (const [name, contents] of Object.entries(FILES)) {
    test(name, async () => expect(await plain(write(name, contents))).toEqual(ROWS));
    test(`${name}.gz`, async () => expect(await plain(write(`${name}.gz`, gzipSync(contents)))).toEqual(ROWS));
  }
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

/** ROWS as other programs write them, and the ids they give them. */
const IDS = [7, 8, 9];
const rowsBy = (cells: (row: readonly number[], i: number) => readonly unknown[], separator = ",", end = "\n") =>
  ROWS.map((row, i) => cells(row, i).join(separator) + end).join("");
const float = (value: number) => value.toFixed(1);
const comma = (value: number) => float(value).replace(".", ",");
const quoted = (value: unknown) => `"${value}"`;

const CSVS: Record<string, [contents: string, ids: readonly number[], options?: Partial<ReadOptions>]> = {
  "pandas: to_csv()": [`,0,1,2\n${rowsBy((row, i) => [IDS[i], ...row.map(float)])}`, IDS],
  "pandas: to_csv() of whole numbers": [`,0,1,2\n${rowsBy((row, i) => [IDS[i], ...row])}`, IDS],
  "pandas: to_csv(index=False)": [`0,1,2\n${rowsBy((row) => row.map(float))}`, [0, 1, 2]],
  "pandas: whole numbers, as the user says": [`0,1,2\n${CSV}`, [0, 1, 2], { header: true }],
  "pandas: an index of names": [`,0,1,2\n${rowsBy((row, i) => [`doc-${i}`, ...row.map(float)])}`, [0, 1, 2]],
  "pandas: an index of floats": [`,0,1,2\n${rowsBy((row, i) => [float(IDS[i]), ...row.map(float)])}`, IDS],
  "pandas: a named index": [`id,0,1,2\n${rowsBy((row, i) => [IDS[i], ...row.map(float)])}`, IDS],
  "pandas: reset_index()": [`index,0,1,2\n${rowsBy((row, i) => [IDS[i], ...row.map(float)])}`, IDS],
  "pandas: read and written again": [`,Unnamed: 0.1,Unnamed: 0,x,y,z\n${rowsBy((row, i) => [IDS[i], 5, 5, ...row])}`, IDS],
  "pandas: an id beside the index": [`,id,x,y,z\n${rowsBy((row, i) => [i, IDS[i], ...row])}`, IDS],
  "pandas: vectors beside the index": [`,vector\n${rowsBy((row, i) => [IDS[i], `"[${row.join(" ")}]"`])}`, IDS],
  "pandas: sep and decimal": [`;0;1;2\n${rowsBy((row, i) => [IDS[i], ...row.map(comma)], ";")}`, IDS],
  "pandas: tabs": [`\t0\t1\t2\n${rowsBy((row, i) => [IDS[i], ...row.map(float)], "\t")}`, IDS],
  "R: write.csv": [`"","V1","V2","V3"\n${rowsBy((row, i) => [quoted(IDS[i]), ...row])}`, IDS],
  "R: write.csv2": [`"";"V1";"V2";"V3"\n${rowsBy((row, i) => [quoted(IDS[i]), ...row.map(comma)], ";")}`, IDS],
  "R: write.table, whose header is one shorter": [`"V1","V2","V3"\n${rowsBy((row, i) => [quoted(IDS[i]), ...row])}`, IDS],
  "R: names of rows": [`"V1","V2","V3"\n${rowsBy((row) => [quoted("Mazda RX4"), ...row])}`, [0, 1, 2]],
  "R: columns named by numbers": [`"0","1","2"\n${rowsBy((row, i) => [quoted(IDS[i]), ...row])}`, IDS],
  "numpy: savetxt with a header": [`# x,y,z\n${rowsBy((row) => row.map((value) => value.toExponential(18)))}`, [0, 1, 2]],
  "Excel: semicolons, decimal commas, empty rows": [
    `\uFEFFID;x;y;z;\r\n${rowsBy((row, i) => [IDS[i], ...row.map(comma), ""], ";", "\r\n")};;;;\r\n;;;;\r\n`,
    IDS,
  ],
  "Excel: sep=": [`sep=;\r\nid;x;y;z\r\n${rowsBy((row, i) => [IDS[i], ...row.map(comma)], ";", "\r\n")}`, IDS],
  "Excel: empty columns behind": [`x,y,z,,\r\n${rowsBy((row) => [...row, "", ""], ",", "\r\n")}`, [0, 1, 2]],
  "separators behind the rows, none behind the header": [`x,y,z\n${rowsBy((row) => [...row, ""])}`, [0, 1, 2]],
  "separators behind every row": [rowsBy((row) => [...row, ""]), [0, 1, 2]],
  "semicolons and no header": [rowsBy((row) => row.map(comma), ";"), [0, 1, 2]],
  "quotes around everything": [rowsBy((row) => row.map(quoted)), [0, 1, 2]],
  "blanks around everything": [rowsBy((row) => row.map((value) => ` ${value} `)), [0, 1, 2]],
  "an id in other letters": [`ID,Vector\n${rowsBy((row, i) => [IDS[i], `"${JSON.stringify(row)}"`])}`, IDS],
  "both spellings": [`ID,id,vector\n${rowsBy((row, i) => [5, IDS[i], `"${JSON.stringify(row)}"`])}`, IDS],
  "numbers in a header, as the user says": [`5,7,abc\n${CSV}`, [0, 1, 2], { header: true }],
  "an id named by the user": [`doc,0,1,2\n${rowsBy((row, i) => [IDS[i], ...row])}`, IDS, { idField: "doc" }],
  "an id in a header of numbers": [`3,4,5,6\n${rowsBy((row, i) => [IDS[i], ...row])}`, IDS, { idField: "3" }],
};

const numbered = (row: readonly number[]) => Object.fromEntries(row.map((value, i) => [i, value]));
const JSONLS: Record<string, [contents: string, ids: readonly number[]]> = {
  "a typed array through JSON.stringify": [
    ROWS.map((row, i) => JSON.stringify({ id: IDS[i], vector: Float32Array.from(row) })).join("\n"),
    IDS,
  ],
  "more than ten values of one": [JSON.stringify({ vector: numbered(Array.from({ length: 12 }, (_, i) => i)) }), [0]],
  "fields in other letters": [ROWS.map((Vector, i) => JSON.stringify({ Vector, ID: IDS[i] })).join("\n"), IDS],
  "NaN and Infinity beside the vector": [
    ROWS.map((row, i) => `{"score": NaN, "max": -Infinity, "note": "NaN \\" NaN", "id": ${IDS[i]}.0, "vector": [${row}]}`).join(
      "\n",
    ),
    IDS,
  ],
  "a byte order mark": [`\uFEFF${JSONL}`, [0, 1, 2]],
};

describe("text as other programs write it", () => {
  for (const [extension, table] of [
    ["csv", CSVS],
    ["jsonl", JSONLS],
  ] as const) {
    for (const [name, [contents, ids, options]] of Object.entries<[string, readonly number[], Partial<ReadOptions>?]>(table)) {
      test(`${extension}: ${name}`, async () => {
        const found = await read(write(`dialect.${extension}`, contents), options);
        expect(found.ids).toEqual(ids);
        const expected = name.startsWith("more than ten") ? [Array.from({ length: 12 }, (_, i) => i)] : ROWS;
        expect(found.vectors.map((row) => Array.from(row))).toEqual(expected);
      });
    }
  }
  test("what looks like a header is a vector where the user says so", async () => {
    expect(await plain(write("counts.csv", "0,1,2\n3,4,5\n"), { header: false })).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });
});

const NPYS: readonly [descr: string, type: string, isBigEndian?: boolean][] = [
  ["<u1", "uint8"],
  [">u1", "uint8", true],
  ["=u1", "uint8"],
  ["u1", "uint8"],
  [">i1", "int8", true],
  ["=f4", "float32"],
  [">f2", "float16", true],
  [">f4", "float32", true],
  [">f8", "float64", true],
  ["<i2", "int16"],
  [">i2", "int16", true],
  ["<i4", "int32"],
  [">i4", "int32", true],
  ["<u4", "int32"],
  ["<i8", "int64"],
  [">i8", "int64", true],
  [">u8", "int64", true],
];

describe("every .npy dialect gives the rows that were written", () => {
  for (const [descr, type, isBigEndian] of NPYS) {
    test(descr, async () => {
      expect(await plain(write("dialect.npy", npy(descr, "3, 3", encode(type, FLAT, !isBigEndian))))).toEqual(ROWS);
    });
  }
  test("a shape of Python 2", async () => {
    expect(await plain(write("long-shape.npy", npy("<f4", "3L, 3L", f4)))).toEqual(ROWS);
  });
  test("signs", async () => {
    for (const [descr, type] of [
      [">i2", "int16"],
      [">i4", "int32"],
      [">i8", "int64"],
    ] as const) {
      expect(await plain(write("signs.npy", npy(descr, "1, 2", encode(type, [-2, 258], false))))).toEqual([[-2, 258]]);
    }
    const max = (descr: string, bytes: number) => plain(write("max.npy", npy(descr, "1, 1", new Uint8Array(bytes).fill(255))));
    expect(await max("<u2", 2)).toEqual([[65535]]);
    expect(await max("<u4", 4)).toEqual([[Math.fround(2 ** 32)]]);
    expect(await max("<u8", 8)).toEqual([[2 ** 64]]);
  });
  test("booleans are one value each, also where bytes would be packed bits", async () => {
    const path = write("bools.npy", npy("|b1", "2, 2", Uint8Array.of(1, 0, 0, 1)));
    for (const packed of [false, true]) {
      expect(await plain(path, { packed })).toEqual([
        [1, 0],
        [0, 1],
      ]);
    }
    expect(await plain(write("bytes.npy", npy(">u1", "1, 1", Uint8Array.of(3))), { packed: true })).toEqual([[3]]);
  });
});

describe("gzip as other programs write it", () => {
  const rows = Array.from({ length: 40_000 }, (_, i) => JSON.stringify({ vector: [i, (i * 7919) % 10007] })).join("\n");
  const members = [rows.slice(0, 300_000), rows.slice(300_000, 300_001), rows.slice(300_001)].map((part) => gzipSync(part));
  const padded = (zeros: number) => Buffer.concat(members.flatMap((member) => [member, Buffer.alloc(zeros)]));
  /** The end of a file of bgzip: an empty member with a field of its own. */
  const bgzipEnd = Buffer.from("1f8b08040000000000ff0600424302001b0003000000000000000000", "hex");
  const count = async (bytes: Uint8Array) => (await plain(write("members.jsonl.gz", bytes))).length;

  for (const zeros of [0, 1, 512, 700_000]) {
    test(`members with ${zeros} zeros behind each are one file`, async () => expect(await count(padded(zeros))).toBe(40_000));
  }
  test("bgzip", async () => expect(await count(Buffer.concat([padded(0), bgzipEnd]))).toBe(40_000));
  test("anything but zeros behind a member is refused, and so is a member cut short", async () => {
    for (const wrong of [
      Buffer.concat([padded(0), Buffer.from("garbage")]),
      Buffer.concat([padded(3), Buffer.from("garbage")]),
      padded(0).subarray(0, -1),
      padded(0).subarray(0, -9),
      Buffer.concat([padded(5), Buffer.of(0x1f, 0x8b)]),
    ]) {
      await expect(count(wrong)).rejects.toThrow("members.jsonl.gz: damaged or truncated gzip data");
    }
  });
  test("gzip is known by its first bytes, whatever the name", async () => {
    expect(await plain(write("zipped.csv", gzipSync(CSV)))).toEqual(ROWS);
  });
});

describe("a format that the name does not tell", () => {
  const NAMELESS: Record<string, string | Uint8Array> = {
    npy: FILES["f4.npy"] as Uint8Array,
    jsonl: `\uFEFF  ${JSONL}`,
    csv: CSV,
    "csv with a header": `\uFEFFid,x,y,z\n${rowsBy((row, i) => [i, ...row])}`,
  };
  for (const [name, contents] of Object.entries(NAMELESS)) {
    test(`${name}, by its first bytes`, async () => {
      expect(await plain(write("nameless", contents))).toEqual(ROWS);
      expect(await plain(write("nameless", gzipSync(contents)))).toEqual(ROWS);
    });
  }
  test("is the user's to say", async () => {
    expect(await plain(write("nameless", fvecs), { format: "fvecs" })).toEqual(ROWS);
    expect(await plain(write("wrong.npy", CSV), { format: "csv" })).toEqual(ROWS);
    expect(await plain(write("numbers.txt", CSV), { format: "csv" })).toEqual(ROWS);
  });
  test("ground truth has one format only", async () => {
    expect(await readGroundTruth(write("truth", vecs("int32", [[1, 2]])))).toEqual([new Uint32Array([1, 2])]);
  });
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

const jsonLine = (vector: unknown, id: unknown = 1) => JSON.stringify({ id, vector });

const REFUSED: [name: string, contents: string | Uint8Array, message: string, options?: Partial<ReadOptions>][] = [
  ["empty.fvecs", "", "holds no vectors"],
  ["empty.jsonl", "\n\n", "holds no vectors"],
  ["header-only.csv", "id,a,b\n", "holds no vectors"],
  ["none.npy", npy("<f4", "0, 3", new Uint8Array()), "holds no vectors"],
  ["what.xls", "x", 'unknown format ".xls", expected one of .npy'],
  ["what.parquet", "x", "not a .parquet file that can be read"],
  ["noextension", "x", "neither its name nor its first bytes tell the format: --format says it, one of npy"],
  ["binary", fvecs, "neither its name nor its first bytes tell the format"],

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
  ["half-header.npy", npy("<f4", "3, 3", f4).subarray(0, 30), "truncated in the .npy header"],
  ["half-length.npy", npy("<f4", "3, 3", f4, { version: 2 }).subarray(0, 11), "truncated in the .npy header"],
  ["huge-header.npy", Buffer.from("\x93NUMPY\x02\0\xff\xff\xff\xff", "latin1"), "a .npy header of 4294967295 bytes: damaged"],
  ["fields.npy", npy("<f4", "3, 3", f4).fill(120, 10, 20), "header is not one of a plain array"],
  ["version.npy", npy("<f4", "3, 3", f4, { version: 4 }), ".npy version 4 is not known"],
  ["complex.npy", npy("<c8", "3, 3", f4), "values of type '<c8'"],
  ["fortran.npy", npy("<f4", "3, 3", f4, { order: "True" }), "Fortran order"],
  ["flat.npy", npy("<f4", "9,", f4), "shape (9,): expected two dimensions"],
  ["cube.npy", npy("<f4", "1, 3, 3", f4), "shape (1, 3, 3): expected two dimensions"],
  ["thin.npy", npy("<f4", "3, 0", f4), "shape (3, 0): expected a whole number of values per row from 1 to 1048576"],
  ["wide.npy", npy("<f4", "3, 1048577", f4), "shape (3, 1048577): expected a whole number of values per row"],
  ["broken.npy", npy("<f4", "2.5, 3", f4), "shape (2.5, 3): expected a whole number of rows up to 4294967295"],
  ["negative.npy", npy("<f4", "-3, 3", f4), "shape (-3, 3): expected a whole number of rows"],
  ["signed.npy", npy("<f4", "3, -3", f4), "shape (3, -3): expected a whole number of values per row"],
  ["huge.npy", npy("<f4", "99999999999999999999, 3", f4), "expected a whole number of rows up to 4294967295"],
  ["many.npy", npy("<f4", "4294967295, 3", f4), "truncated after row 3: its header says 4294967295 rows"],
  ["long.npy", npy("<f16", "3, 3", f4), "values of type '<f16': expected one of f2 f4 f8"],
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
  ["null.jsonl", jsonLine([1, null]), "line 1, value 2 is null, not a number (JSON.stringify makes null of NaN and Infinity)"],
  ["nan.jsonl", `${jsonLine([1, 2])}\n{"vector": [1, NaN]}`, "line 2, value 2 is NaN: not a finite number"],
  ["infinity.jsonl", '{"vector": [-Infinity, 1]}', "line 1, value 1 is -Infinity: not a finite number"],
  ["nan-id.jsonl", '{"id": NaN, "vector": [1]}', 'line 1: the id "NaN" is not a whole number'],
  ["typed-nan.jsonl", '{"vector": {"0": 1, "1": null}}', "line 1, value 2 is null, not a number"],
  ["buffer.jsonl", jsonLine(Buffer.of(1, 2)), '"vector" is not an array but {"type":"Buffer","data":[1,2]}'],
  ["keys.jsonl", jsonLine({ 0: 1, x: 2 }), '"vector" is not an array but {"0":1,"x":2}'],
  ["nested.jsonl", jsonLine([[1, 2]]), "value 1 is [1,2], not a number: one vector per line, not an array of them"],
  ["text.jsonl", jsonLine("[1, 2]"), '"vector" is not an array but "[1, 2]"'],
  [
    "pretty.jsonl",
    '[\n  {"vector": [1]}\n]',
    'line 1 is not a JSON object: [: each line must be one (jq -c ".[]" writes an array so)',
  ],
  ["utf16.jsonl", Buffer.from(`\uFEFF${jsonLine([1])}`, "utf16le"), "this is UTF-16 text: save it as UTF-8"],
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
  [
    "short-array.csv",
    'id,vector\n0,"[0.1 ... 0.9]"\n',
    'line 2: numpy left out values of the array, "...": write vector.tolist()',
  ],
  ["utf16.csv", Buffer.from("\uFEFF1,2\n", "utf16le"), "this is UTF-16 text: save it as UTF-8"],
  ["spaces.csv", "0.5 1.5\n2.5 3.5\n", "line 1 has spaces between its values: write commas, semicolons or tabs"],
  ["first-gap.csv", "1,,3\n4,5,6\n", 'line 1, value 2 is "", not a number'],
  ["first-inf.csv", "1,inf,3\n4,5,6\n", "line 1, value 2 is Infinity: not a finite number"],
  ["first-nan.csv", "nan,2,3\n4,5,6\n", "line 1, value 1 is NaN: not a finite number"],
  ["first-na.csv", "NA,1,2\n4,5,6\n", 'line 1, value 1 is "NA", not a number'],
  ["first-word.csv", "1,abc,3\n4,5,6\n", 'line 1 has both "abc" and 1: --header says that it names the columns'],
  ["first-word.csv", "1,abc,3\n4,5,6\n", 'line 1, value 2 is "abc", not a number', { header: false }],
  ["words.csv", "king,0.1,0.2\n", 'line 1 has both "king" and 0.1: --header says that it names the columns, --no-header'],
  [
    "counts.csv",
    "0,1,2\n3,4,5\n",
    "line 1 counts from 0 to 2: --header says that it names the columns, --no-header that it is a vector",
  ],
  ["two.csv", "0,1\n0.5,0.25\n", "line 1 counts from 0 to 1: --header says"],
  ["from-one.csv", "1,2,3\n0.5,0.25,0.125\n", "line 1 counts from 1 to 3: --header says"],
  ["numbered.csv", "0,0.5,0.25\n1,0.5,0.75\n", "line 1 begins with 0, the next row with 1, as if they numbered the rows"],
  ["beside.csv", "label,v0,v1,v2\n1,2,3,4\n", 'line 1: column "label" is none of v0 to v2: name it by --id-field'],
  ["behind.csv", "id,0,1,2,class\n1,2,3,4,5\n", 'line 1: column "class" is none of 0 to 2: name it by --id-field'],
  ["labels.csv", ",x,y\n1,2,3\nb,4,5\n", 'line 3: the id "b" is not a whole number'],
  ["blank.csv", "1,2\n,\n3,4\n", "line 2 has no values, and rows follow it"],
  ["more.csv", "1,2,\n3,4,5\n", "line 2 has 3 values, the first row has 2"],
  ["marks.csv", "1;2.5\n3;4,5\n", 'line 2, value 2 is "4,5", not a number'],
  ["thousands.csv", "1,5;2\n1.234,5;2\n", 'line 2, value 1 is "1.234,5", not a number'],
  ["quoted-comma.csv", '1,2\n3,"4,5"\n', 'line 2, value 2 is "4,5", not a number'],
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
