import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Flat, type VectorIndex } from "vicinal";
import { openFile, saveFile } from "vicinal/node";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectSameBytes } from "../support/answers.js";
import { expectError } from "../support/errors.js";

const root = mkdtempSync(join(tmpdir(), "vicinal-disk-"));
afterAll(() => rmSync(root, { recursive: true }));
// So that another user gets as far as the folders in it.
chmodSync(root, 0o755);

const isRoot = process.getuid?.() === 0;
/** Devices only root may make, and not everywhere. */
const canMakeDevices = isRoot && spawnSync("mknod", [join(root, "probe"), "c", "1", "3"]).status === 0;

let index: VectorIndex;
let bytes: Uint8Array;
/** Empty before each test. */
let folder: string;
const inFolder = (name: string): string => join(folder, name);

beforeAll(async () => {
  index = await Flat.create({ dimensions: 4, metric: "l2" });
  // More than a pipe holds.
  index.add(new Float32Array(40_000));
  bytes = index.toBytes();
});
beforeEach(() => {
  folder = mkdtempSync(join(root, "test-"));
});

const expectSaved = (path: string): void => expectSameBytes(readFileSync(path), bytes);

/** A shell command in the test's folder, and its end. */
function shell(command: string): Promise<unknown> {
  return once(spawn("sh", ["-c", command], { cwd: folder, stdio: "ignore" }), "close");
}

describe("a path is text, a file: URL or bytes, for saveFile and openFile alike", () => {
  const PATHS: Record<string, (name: string) => string | URL | Uint8Array> = {
    text: (name) => name,
    "a URL": (name) => pathToFileURL(name),
    "a Buffer": (name) => Buffer.from(name),
    "a Uint8Array": (name) => new Uint8Array(Buffer.from(name)),
    "bytes that are no UTF-8": (name) => Buffer.concat([Buffer.from(name), Buffer.of(0xff, 0xfe)]),
  };
  for (const [what, make] of Object.entries(PATHS)) {
    it(what, async () => {
      const path = make(inFolder("größe 100%.vic"));
      for (let round = 0; round < 2; round++) {
        await saveFile(index, path);
        expectSameBytes((await openFile(path)).toBytes(), bytes);
        expect(readdirSync(folder).length).toBe(1);
      }
    });
  }

  const NO_PATHS: readonly [path: unknown, sentence: string][] = [
    [undefined, "path is undefined; it must be text, a file: URL or a Buffer"],
    [null, "path is null; it must be text"],
    [7, "path is 7; it must be text"],
    [{}, "path is {}; it must be text"],
    ["", "path is empty"],
    [Buffer.of(), "path is empty"],
    ["a\0b", "no file's name has a zero byte in it"],
    [Buffer.from("a\0b"), "no file's name has a zero byte in it"],
    [new URL("https://example.org/a.vic"), "path is 'https://example.org/a.vic'; it must be text, a file: URL"],
  ];
  it.each(NO_PATHS)("%s is none", async (path, sentence) => {
    await expectError(() => saveFile(index, path as string), "BAD_OPTION", sentence);
    await expectError(() => openFile(path as string), "BAD_OPTION", sentence);
  });

  it("the index comes first", async () => {
    await expectError(
      () => saveFile("a.vic" as never, index as never),
      "BAD_OPTION",
      "index is 'a.vic'; saveFile takes an index",
    );
    await expectError(() => saveFile(undefined as never, "a.vic"), "BAD_OPTION", "index is undefined");
  });
});

describe("saving over what is there", () => {
  it("follows links, of files and of folders, and leaves them links", async () => {
    mkdirSync(inFolder("far"));
    mkdirSync(inFolder("near"));
    writeFileSync(inFolder("far/real.vic"), "old");
    symlinkSync("../far/real.vic", inFolder("near/second.vic"));
    symlinkSync("near/second.vic", inFolder("first.vic"));
    await saveFile(index, inFolder("first.vic"));
    expectSaved(inFolder("far/real.vic"));
    expect(readlinkSync(inFolder("first.vic"))).toBe("near/second.vic");
    expect(readlinkSync(inFolder("near/second.vic"))).toBe("../far/real.vic");

    mkdirSync(inFolder("far/deep"));
    symlinkSync("../far/deep", inFolder("near/folder"));
    await saveFile(index, `${inFolder("near/folder")}/../new.vic`);
    expectSaved(inFolder("far/new.vic"));
    expect(readdirSync(inFolder("far")).sort()).toEqual(["deep", "new.vic", "real.vic"]);
    expect(readdirSync(inFolder("near")).sort()).toEqual(["folder", "second.vic"]);
  });

  it.each([0o600, 0o640, 0o664, 0o400, 0o2750])("keeps the mode %o", async (mode) => {
    writeFileSync(inFolder("a.vic"), "old");
    chmodSync(inFolder("a.vic"), mode);
    await saveFile(index, inFolder("a.vic"));
    expectSaved(inFolder("a.vic"));
    expect(statSync(inFolder("a.vic")).mode & 0o7777).toBe(mode);
  });

  it("a new file has the mode that any new file has", async () => {
    writeFileSync(inFolder("other"), "");
    await saveFile(index, inFolder("a.vic"));
    expect(statSync(inFolder("a.vic")).mode).toBe(statSync(inFolder("other")).mode);
  });

  it.runIf(isRoot)("keeps the owner", async () => {
    writeFileSync(inFolder("a.vic"), "old");
    chownSync(inFolder("a.vic"), 1234, 4321);
    chmodSync(inFolder("a.vic"), 0o4640);
    await saveFile(index, inFolder("a.vic"));
    expectSaved(inFolder("a.vic"));
    const { uid, gid, mode } = statSync(inFolder("a.vic"));
    expect([uid, gid, mode & 0o7777]).toEqual([1234, 4321, 0o4640]);
  });

  it("other names of the old file keep the old bytes", async () => {
    writeFileSync(inFolder("a.vic"), "old");
    linkSync(inFolder("a.vic"), inFolder("b.vic"));
    await saveFile(index, inFolder("a.vic"));
    expectSaved(inFolder("a.vic"));
    expect(readFileSync(inFolder("b.vic"), "utf8")).toBe("old");
  });

  it("takes any name of 255 bytes", async () => {
    const name = `${"ö".repeat(125)}x.vic`;
    expect(Buffer.byteLength(name)).toBe(255);
    await saveFile(index, inFolder(name));
    await saveFile(index, inFolder(name));
    expectSaved(inFolder(name));
    await expect(saveFile(index, inFolder(`${name}x`))).rejects.toMatchObject({ code: "ENAMETOOLONG" });
  });

  it("saves the index as it is at the call", async () => {
    const growing = await Flat.create({ dimensions: 1 });
    const saving = saveFile(growing, inFolder("a.vic"));
    growing.add([1]);
    await saving;
    expect((await openFile(inFolder("a.vic"))).size).toBe(0);
  });
});

describe("pipes and devices are written into", () => {
  it("a pipe", async () => {
    const path = inFolder("pipe");
    spawnSync("mkfifo", [path]);
    const read = shell("cat pipe > read.vic");
    await saveFile(index, path);
    await read;
    expectSaved(inFolder("read.vic"));

    symlinkSync("pipe", inFolder("link"));
    const written = shell("cat read.vic > pipe");
    expectSameBytes((await openFile(inFolder("link"))).toBytes(), bytes);
    await written;
    expect(lstatSync(path).isFIFO()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["link", "pipe", "read.vic"]);
  });

  it("a pipe whose reader leaves", async () => {
    const path = inFolder("pipe");
    spawnSync("mkfifo", [path]);
    const read = shell("head -c 1 pipe");
    await expect(saveFile(index, path)).rejects.toMatchObject({ code: "EPIPE", path, message: expect.stringContaining(path) });
    await read;
    expect(lstatSync(path).isFIFO()).toBe(true);
  });

  it.runIf(canMakeDevices)("character devices", async () => {
    const [none, full] = [inFolder("null"), inFolder("full")];
    spawnSync("mknod", [none, "c", "1", "3"]);
    spawnSync("mknod", [full, "c", "1", "7"]);
    symlinkSync("null", inFolder("link"));
    await saveFile(index, none);
    await saveFile(index, inFolder("link"));
    await expect(saveFile(index, full)).rejects.toMatchObject({ code: "ENOSPC", path: full });
    for (const path of [none, full]) expect(lstatSync(path).isCharacterDevice()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(["full", "link", "null"]);
    await expectError(() => openFile(none), "BAD_FILE", "it is empty");
  });
});

describe("what cannot be saved is said, and nothing else changes", () => {
  const old = "the old file";
  const expectUntouched = (...names: string[]): void => {
    expect(readdirSync(folder).sort()).toEqual(names.sort());
    if (names.includes("a.vic")) expect(readFileSync(inFolder("a.vic"), "utf8")).toBe(old);
  };

  it("folders", async () => {
    mkdirSync(inFolder("there"));
    for (const name of ["there", "there/", "new/"]) {
      await expectError(
        () => saveFile(index, inFolder(name) + (name.endsWith("/") ? "/" : "")),
        "BAD_OPTION",
        "is a folder; give the path of a file in it",
      );
    }
    await expect(openFile(inFolder("there"))).rejects.toMatchObject({ code: "EISDIR", path: inFolder("there") });
    await expect(saveFile(index, inFolder("missing/a.vic"))).rejects.toMatchObject({ code: "ENOENT", path: inFolder("missing") });
    writeFileSync(inFolder("a.vic"), old);
    await expect(saveFile(index, inFolder("a.vic/b.vic"))).rejects.toMatchObject({ code: "ENOTDIR" });
    expectUntouched("there", "a.vic");
  });

  it("links that lead nowhere or round in a circle", async () => {
    symlinkSync("none.vic", inFolder("dangling.vic"));
    symlinkSync("two.vic", inFolder("one.vic"));
    symlinkSync("one.vic", inFolder("two.vic"));
    await expectError(
      () => saveFile(index, inFolder("dangling.vic")),
      "BAD_OPTION",
      "dangling.vic is a link to a file that is not there",
    );
    await expect(saveFile(index, inFolder("one.vic"))).rejects.toMatchObject({ code: "ELOOP" });
    expectUntouched("dangling.vic", "one.vic", "two.vic");
    expect(readlinkSync(inFolder("dangling.vic"))).toBe("none.vic");
  });

  it("sockets", async () => {
    const server = createServer().listen(inFolder("socket"));
    await once(server, "listening");
    await expectError(() => saveFile(index, inFolder("socket")), "BAD_OPTION", "is a block device or a socket");
    expect(lstatSync(inFolder("socket")).isSocket()).toBe(true);
    server.close();
  });

  it.runIf(canMakeDevices)("block devices", async () => {
    spawnSync("mknod", [inFolder("disk"), "b", "7", "250"]);
    await expectError(() => saveFile(index, inFolder("disk")), "BAD_OPTION", "is a block device or a socket");
    expect(lstatSync(inFolder("disk")).isBlockDevice()).toBe(true);
  });

  it("a folder in which one may not write", async () => {
    writeFileSync(inFolder("a.vic"), old);
    chmodSync(folder, 0o555);
    // Root may write anywhere; nobody may not.
    if (isRoot) process.seteuid?.(65534);
    try {
      for (const name of ["a.vic", "new.vic"]) {
        await expect(saveFile(index, inFolder(name))).rejects.toMatchObject({ code: "EACCES" });
        expect(existsSync(inFolder("a.vic"))).toBe(true);
      }
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(folder, 0o755);
    }
    expectUntouched("a.vic");
  });

  it("a file that may not become so large", () => {
    writeFileSync(inFolder("a.vic"), old);
    const entry = (name: string) => JSON.stringify(fileURLToPath(new URL(`../../dist/${name}.js`, import.meta.url)));
    const script = `
      const { Flat } = await import(${entry("index")});
      const { saveFile } = await import(${entry("node")});
      const index = await Flat.create({ dimensions: 4, metric: "l2" });
      index.add(new Float32Array(40_000));
      await saveFile(index, "a.vic").catch(({ code, path, message }) => console.log(JSON.stringify({ code, path, message })));
    `;
    const node = `exec "${process.execPath}" --input-type=module -e '${script.replaceAll("'", "")}'`;
    const { stdout } = spawnSync("sh", ["-c", `ulimit -f 8; ${node}`], { cwd: folder, encoding: "utf8" });
    expect(JSON.parse(stdout)).toEqual({
      code: "EFBIG",
      path: "a.vic",
      message: "a.vic was not saved: EFBIG: file too large, write",
    });
    expectUntouched("a.vic");
  });
});
