// Folders on disk: kill -9 at any instant, locks that outlive who held them, disks that are full or read-only, folders that vanish.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import files, { open } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { folder } from "vicinal/storage/node";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { expectError, thrownBy } from "../support/errors.js";
import { thorough } from "../support/thorough.js";
import { pattern } from "./contract.js";

const root = mkdtempSync(join(tmpdir(), "vicinal-folder-"));
// So that another user gets as far as the folders in it.
chmodSync(root, 0o755);
afterAll(() => rmSync(root, { recursive: true }));

const isRoot = process.getuid?.() === 0;
const WRITER = fileURLToPath(new URL("writer.mjs", import.meta.url));

/** A folder of its own for each test. */
let path: string;
beforeEach(() => {
  const made = mkdtempSync(join(root, "case-"));
  chmodSync(made, 0o755);
  path = join(made, "docs");
});

interface Started {
  readonly child: ChildProcess;
  readonly answers: unknown[];
  /** The next answer, or all of them when the process has ended. */
  next(): Promise<unknown>;
  ended: Promise<unknown[]>;
}

function start(task: string, ...rest: (string | number)[]): Started {
  const child = spawn(process.execPath, [WRITER, task, path, ...rest.map(String)], { stdio: ["ignore", "pipe", "inherit"] });
  const answers: unknown[] = [];
  let text = "";
  let wake = (): void => {};
  let asked = 0;
  child.stdout!.on("data", (chunk) => {
    const lines = (text += chunk).split("\n");
    text = lines.pop()!;
    for (const line of lines) answers.push(JSON.parse(line));
    wake();
  });
  const ended = once(child, "close").then(() => {
    wake();
    return answers;
  });
  return {
    child,
    answers,
    ended,
    async next() {
      while (answers.length <= asked && child.exitCode === null && child.signalCode === null) {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return answers[asked++];
    },
  };
}

async function kill(started: Started): Promise<unknown[]> {
  started.child.kill("SIGKILL");
  return started.ended;
}

const own = (): Promise<unknown> => start("lock").ended.then(([answer]) => answer);

describe("kill -9", () => {
  it("at any instant leaves whole files, all that has resolved, and a place that opens", async () => {
    let n = 0;
    for (let kills = 0; kills < thorough(12, 100); kills++) {
      const writer = start("write", n);
      await writer.next();
      await new Promise((resolve) => setTimeout(resolve, (kills * 37) % 50));
      const resolved = (await kill(writer)).at(-1) as number;
      const storage = folder(path);
      await storage.lock();
      const whole = await storage.read("whole");
      const view = new DataView(whole.buffer);
      const swapped = view.getUint32(0);
      expect([resolved, resolved + 1]).toContain(swapped);
      expect(view.getUint32(4)).toBe(whole.length);
      expect(whole.length).toBe(8 + ((swapped * 7919) % 200_000));
      expect(whole.subarray(8).every((byte) => byte === (swapped & 255))).toBe(true);
      const log = await storage.read("log");
      const records = new Uint32Array(log.buffer, 0, log.length >> 2);
      expect([...records.subarray(n)].slice(0, resolved + 1 - n)).toEqual(
        Array.from({ length: resolved + 1 - n }, (_, i) => n + i),
      );
      expect(records.length).toBeLessThanOrEqual(resolved + 2);
      n = resolved + 1;
      await storage.truncate("log", 4 * n);
      await storage.close();
      expect(readdirSync(path).sort()).toEqual([expect.stringMatching(/^\.lock-\d+$/), "log", "whole"]);
    }
  });
});

describe("the lock", () => {
  it("keeps another process out, says who holds it since when, and ends with its process", async () => {
    const holder = start("hold");
    expect(await holder.next()).toBe("locked");
    const storage = folder(path);
    const since = String.raw`since \d{4}-\d\d-\d\dT[\d:.]+Z`;
    const sentence = new RegExp(`docs is being written by process ${holder.child.pid}, ${since}`);
    await expectError(() => storage.lock(), "LOCKED", sentence);
    await expectError(() => storage.append("a", new Uint8Array(1)), "LOCKED", "lock() was not called");
    await kill(holder);
    await storage.lock();
    expect(await own()).toEqual({ code: "LOCKED", message: expect.stringContaining(`by process ${process.pid}, since`) });
    await expectError(() => folder(path).lock(), "LOCKED", "by this very process");
    await storage.close();
    expect(await own()).toBe("locked");
  });

  it("is never held by two, whoever dies with it", async () => {
    const marker = join(path, "../marker");
    const contenders = Array.from({ length: 6 }, (_, i) => start("contend", marker, thorough(25, 200), i + 1));
    const answers = (await Promise.all(contenders.map(({ ended }) => ended))).flat();
    expect(answers.filter((answer) => answer !== "held")).toEqual([]);
    expect(answers.length).toBeGreaterThan(20);
    expect(contenders.some(({ child }) => child.signalCode === "SIGKILL")).toBe(true);
    expect(await own()).toBe("locked");
    expect(readdirSync(path)).toHaveLength(1);
  });

  const told = (read: () => string): string => (existsSync("/proc/self/ns/pid") ? read() : "");
  const boot = told(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const space = told(() => execFileSync("readlink", [`/proc/${process.pid}/ns/pid`], { encoding: "utf8" }).trim());
  const here = { pid: process.ppid, started: "1", boot, space, host: hostname(), since: "2026-01-01T00:00:00.000Z" };

  /** Locks as a writer may have left them, silent for some seconds, and whether they hold. */
  const LEFT: [what: string, holder: unknown, silent: number, holds: false | RegExp][] = [
    ["of a process that is alive, and whose start cannot be told", { ...here, started: "" }, 5, /by process \d+, since 2026/],
    ["of the like, silent for long", { ...here, started: "" }, 50, false],
    [
      "of another machine",
      { ...here, host: "far", boot: "x" },
      5,
      /by process \d+ on far, since 2026-01-01T00:00:00.000Z.* \(the last: 5 s ago\)/,
    ],
    ["of another machine, silent for long", { ...here, host: "far", boot: "x" }, 50, false],
    ["of another container, which cannot be seen from here", { ...here, space: "pid:[1]", pid: 1 }, 5, /ends after 40 s without/],
    ["of this machine before it was started anew", { ...here, boot: "another" }, 5, false],
    ["of a process that is gone", { ...here, pid: 2 ** 22 + 1, started: "" }, 5, false],
    ["of which a power cut left an empty file", undefined, 5, false],
  ];
  // Only /proc tells when a process began.
  if (boot) LEFT.push(["of a process that is gone, whose pid is another's now", here, 5, false]);

  it.each(LEFT)("%s", async (_, holder, silent, holds) => {
    mkdirSync(join(path, ".lock-3"), { recursive: true });
    writeFileSync(join(path, ".lock-3/holder.json"), holder ? JSON.stringify(holder) : "");
    const beat = new Date(Date.now() - silent * 1000);
    utimesSync(join(path, ".lock-3"), beat, beat);
    const storage = folder(path);
    if (holds) {
      await expectError(() => storage.lock(), "LOCKED", holds);
    } else {
      await storage.lock();
      await storage.append("a", new Uint8Array(1));
    }
    expect(readdirSync(path).filter((name) => name.startsWith("."))).toEqual([holds ? ".lock-3" : ".lock-4"]);
    await storage.close();
  });

  it("is not had by who looked long ago, when its number was free", async () => {
    const [late, other] = [folder(path), folder(path)];
    const { mkdir } = files;
    const slow = async (name: string, options?: object): Promise<unknown> => {
      if (!name.includes(".lock-new-")) return mkdir(name, options);
      files.mkdir = mkdir;
      syncBuiltinESMExports();
      // Others come and go between the look and the lock, and tidy up behind them.
      for (let i = 0; i < 3; i++) await (await other.lock())();
      await other.lock();
      return mkdir(name, options);
    };
    files.mkdir = slow as unknown as typeof mkdir;
    syncBuiltinESMExports();
    await expectError(() => late.lock(), "LOCKED", "by this very process");
    expect(readdirSync(path)).toEqual([".lock-4"]);
    await other.append("a", pattern(1));
    await other.close();
    await late.lock();
    await late.close();
  });

  it("taken over meanwhile: the one who had it writes nothing more", async () => {
    const storage = folder(path);
    await storage.lock();
    await storage.append("a", pattern(10));
    // What another does whom this one seemed dead.
    renameSync(join(path, ".lock-1"), join(path, ".lock-2"));
    const sentence = /docs has another writer now: its lock was removed or, after 40 s of silence, taken over/;
    for (const write of [
      () => storage.append("a", pattern(10)),
      () => storage.sync("a"),
      () => storage.truncate("a", 0),
      () => storage.swap("a", pattern(10)),
      () => storage.remove("a"),
    ]) {
      await expectError(write, "LOCKED", sentence);
    }
    expect(await storage.list()).toEqual([{ name: "a", bytes: 10 }]);
    await storage.close();
  });
});

describe("a folder", () => {
  it("is text or a file: URL, and nothing else", async () => {
    const storage = folder(pathToFileURL(path));
    await storage.lock();
    await storage.swap("a", pattern(10));
    await storage.close();
    const again = folder(path);
    expect(await again.read("a")).toEqual(pattern(10));
    await again.close();
    for (const bad of ["", "a\0b", 7, undefined, null, {}, new URL("https://example.org/docs")]) {
      await expectError(() => folder(bad as string), "BAD_OPTION", /is no path of a folder/);
    }
  });

  it("where a file is, or is in the way", async () => {
    writeFileSync(path, "");
    for (const place of [path, join(path, "below")]) {
      await expectError(() => folder(place).lock(), "NO_STORAGE", "a file is in the way");
      await expectError(() => folder(place).list(), "NO_STORAGE", "is a file; give the path of a folder");
    }
  });

  it("that is removed while it is open", async () => {
    const storage = folder(path);
    await storage.lock();
    await storage.append("a", pattern(10));
    rmSync(path, { recursive: true });
    for (const write of [() => storage.append("a", pattern(1)), () => storage.sync("a"), () => storage.swap("b", pattern(1))]) {
      await expectError(write, "STORAGE_LOST", /folder .*docs was removed while it was open/);
    }
    expect(existsSync(path)).toBe(false);
    await storage.close();
    await storage.lock();
    expect(await storage.list()).toEqual([]);
    await storage.close();
  });

  it("of which one file is removed while it is open", async () => {
    const storage = folder(path);
    await storage.lock();
    await storage.append("a", pattern(10));
    rmSync(join(path, "a"));
    await expectError(() => storage.sync("a"), "STORAGE_LOST", /a in folder .*docs was removed by somebody else/);
    await storage.close();
  });

  it("has what else is in it: other files, folders, temporary ones of who died", async () => {
    mkdirSync(join(path, "sub"), { recursive: true });
    for (const name of [".swap-a", "README.md", "a"]) writeFileSync(join(path, name), "text");
    const storage = folder(path);
    await storage.lock();
    expect(await storage.list()).toEqual([{ name: "a", bytes: 4 }]);
    expect(readdirSync(path).sort()).toEqual([".lock-1", "README.md", "a", "sub"]);
    await expectError(
      () => storage.swap("sub", pattern(1)),
      "IO_ERROR",
      /sub in folder .*docs could not be written: the system says/,
    );
    await expectError(
      () => storage.append("sub", pattern(1)),
      "IO_ERROR",
      /sub in folder .*docs could not be written: the system says/,
    );
    expect(readdirSync(path).sort()).toEqual([".lock-1", "README.md", "a", "sub"]);
    await storage.close();
  });
});

describe("where nothing can be written", () => {
  it("is read all the same, and lock() says so", async () => {
    mkdirSync(path);
    writeFileSync(join(path, "a"), pattern(10));
    chmodSync(path, 0o555);
    const answers = await start("foreign").ended;
    const locked = { code: "READ_ONLY", message: expect.stringMatching(/docs could not be locked: this user may not \(EACCES/) };
    expect(answers).toEqual([locked, [{ name: "a", bytes: 10 }], 10]);
    chmodSync(path, 0);
    const unread = { code: "NO_STORAGE", message: expect.stringMatching(/docs could not be read: this user may not \(EACCES/) };
    expect((await start("foreign").ended).slice(1)).toEqual([unread, unread]);
    chmodSync(path, 0o755);
  });

  it("a single file", async () => {
    if (isRoot) return; // who may write all
    const storage = folder(path);
    await storage.lock();
    await storage.swap("a", pattern(10));
    chmodSync(join(path, "a"), 0o444);
    expect(await storage.read("a")).toEqual(pattern(10));
    await expectError(() => storage.append("a", pattern(1)), "READ_ONLY", "a in folder");
    await storage.close();
  });
});

describe("a full disk", () => {
  const expectFull = (answer: unknown, message: RegExp): void => {
    const full = { code: "NO_SPACE", message: expect.stringMatching(message) };
    const { appended, log, errors, whole, before, right } = answer as Record<string, never>;
    expect(errors).toEqual([full, full, full, full]);
    expect({ whole, right, log }).toEqual({ whole: 8 + 7919, right: true, log: 5000 * (appended + 1) });
    expect(before).toContainEqual({ name: "log", bytes: 5000 * appended });
    expect(appended).toBeGreaterThan(3);
  };

  it("leaves what was there, says which file, and goes on when there is room", async ({ skip }) => {
    mkdirSync(path);
    const mounted =
      isRoot && !thrownSync(() => execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", path], { stdio: "ignore" }));
    if (!mounted) return skip("mounting takes root");
    try {
      const [answer] = await start("fill", 500_000).ended;
      expectFull(answer, /(log|whole) in folder .*docs could not be written: the disk is full; make room and try again \(ENOSPC/);
    } finally {
      execFileSync("umount", [path]);
    }
  });

  it("or a file that may not grow", async () => {
    const limited = spawn("sh", ["-c", `ulimit -f 16 && exec "$0" "$@"`, process.execPath, WRITER, "fill", path, "7000"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const chunks = await limited.stdout.toArray();
    const { errors, appended, right, log } = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, never>;
    const full = {
      code: "NO_SPACE",
      message: expect.stringMatching(/^log in folder .*docs could not be written: no file may be as large/),
    };
    expect(errors).toEqual([full, full, full, full]);
    expect([appended > 0, right, log]).toEqual([true, true, 5000 * appended]);
  });
});

function thrownSync(work: () => unknown): boolean {
  try {
    work();
    return false;
  } catch {
    return true;
  }
}

describe("a medium that fails", () => {
  /** Makes a method of all open files fail while `work` runs. */
  async function failing(method: "datasync" | "write" | "sync", code: string, work: () => Promise<void>): Promise<void> {
    const file = await open(WRITER);
    const methods = Object.getPrototypeOf(file);
    await file.close();
    const real = methods[method];
    methods[method] = async () => {
      throw Object.assign(new Error(`${code}: i/o error, ${method}`), { code, syscall: method });
    };
    try {
      await work();
    } finally {
      methods[method] = real;
    }
  }

  it("a file whose sync has failed takes nothing more until the place was closed", async () => {
    const storage = folder(path);
    await storage.lock();
    await storage.append("a", pattern(10));
    await failing("datasync", "EIO", async () => {
      await expectError(() => storage.sync("a"), "IO_ERROR", /a in folder .*docs could not be written: the system says \(EIO/);
    });
    const sentence = /a in folder .*docs takes nothing more since it could not be synced \(EIO.*Close and open it again/;
    await expectError(() => storage.sync("a"), "STORAGE_LOST", sentence);
    await expectError(() => storage.append("a", pattern(10)), "STORAGE_LOST", sentence);
    await storage.append("b", pattern(10));
    await storage.sync("b");
    await storage.swap("a", pattern(5));
    await storage.append("a", pattern(10));
    await storage.close();
    await storage.lock();
    expect(await storage.list()).toEqual([
      { name: "a", bytes: 15 },
      { name: "b", bytes: 10 },
    ]);
    await storage.close();
  });

  it("also where it failed as the file was closed to make room for others", async () => {
    const storage = folder(path);
    await storage.lock();
    await storage.append("a", pattern(10));
    await failing("datasync", "EIO", async () => {
      for (let i = 0; i < 20; i++) await storage.append(`f${i}`, pattern(1));
    });
    await expectError(() => storage.append("a", pattern(10)), "STORAGE_LOST", "a in folder");
    await expectError(() => storage.sync("f0"), "STORAGE_LOST", "f0 in folder");
    await storage.sync("f19");
    await storage.close();
  });

  it("a swap that fails leaves the old file, and no other", async () => {
    const storage = folder(path);
    await storage.lock();
    await storage.swap("a", pattern(10));
    for (const method of ["write", "sync"] as const) {
      await failing(method, "EIO", () => expectError(() => storage.swap("a", pattern(20)), "IO_ERROR", "a in folder"));
    }
    expect(await storage.read("a")).toEqual(pattern(10));
    expect(readdirSync(path).sort()).toEqual([".lock-1", "a"]);
    await storage.close();
  });
});

it("keeps no more files open than it needs", async ({ skip }) => {
  if (!existsSync("/proc/self/fd")) return skip("only /proc tells");
  const openFiles = (): number => readdirSync("/proc/self/fd").length;
  const before = openFiles();
  const storage = folder(path);
  await storage.lock();
  for (let i = 0; i < 100; i++) await storage.append(`f${i}`, pattern(10, i));
  await Promise.all(Array.from({ length: 100 }, (_, i) => storage.read(`f${i}`)));
  expect(openFiles() - before).toBeLessThanOrEqual(17);
  await storage.close();
  expect(openFiles()).toBeLessThanOrEqual(before);
  expect(await thrownBy(() => storage.read("f99"))).toBeUndefined();
  await storage.close();
});
