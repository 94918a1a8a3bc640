// What every storage promises, as cases that run in a test of Node and, bundled, on a page: they import no test runner.
import type { Storage } from "vicinal/storage";

/** A place for one case, empty before. */
export interface Ground {
  readonly storage: Storage;
  /** The place as somebody sees it who comes later: `storage` was closed before. */
  later(): Promise<Storage>;
  /** Another object on the same place meanwhile; undefined where there can be none. */
  beside?(): Storage;
}

export interface Case {
  readonly name: string;
  run(ground: Ground): Promise<void>;
}

/** Runs a case where `make` makes objects of one place, which is empty; all are closed afterwards. */
export async function runOn({ run }: Case, make: () => Storage, shares: boolean): Promise<void> {
  const made: Storage[] = [];
  const another = (): Storage => {
    if (shares || made.length === 0) made.push(make());
    return made[made.length - 1];
  };
  try {
    await run({ storage: another(), later: async () => another(), ...(shares && { beside: another }) });
  } finally {
    for (const storage of made) await storage.close();
  }
}

/** Bytes that no two places of a file share for long. */
export function pattern(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0, x = seed; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 24;
  }
  return bytes;
}

function same(what: string, got: unknown, wanted: unknown): void {
  const [a, b] = [got, wanted].map((value) =>
    value instanceof Uint8Array ? `${value.length} bytes, hash ${hash(value)}` : JSON.stringify(value),
  );
  if (a !== b) throw new Error(`${what}: ${a}, wanted ${b}`);
}

function hash(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => Math.imul(sum ^ byte, 16777619) >>> 0, 2166136261);
}

/** `work` must fail with this code and a sentence that says all of `words`. */
async function fails(work: () => Promise<unknown>, code: string, ...words: string[]): Promise<void> {
  let message: string | undefined;
  try {
    await work();
  } catch (error) {
    const thrown = error as { name?: string; code?: string; message: string };
    message = `${thrown.name} ${thrown.code}: ${thrown.message}`;
  }
  for (const word of [`VicinalError ${code}:`, ...words]) {
    if (!message?.includes(word)) throw new Error(`wanted ${word}, got ${message ?? "no error"}`);
  }
}

/** "name:bytes" of all files. */
const listed = async (storage: Storage): Promise<string[]> => (await storage.list()).map(({ name, bytes }) => `${name}:${bytes}`);

const joined = (...parts: Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const [A, B, C] = [pattern(1000, 1), pattern(70_000, 2), pattern(3, 3)];

export const CASES: readonly Case[] = [
  {
    name: "an empty place has no files, and reading makes none",
    async run({ storage, later }) {
      same("list", await storage.list(), []);
      await fails(() => storage.read("a.log"), "MISSING", "a.log", storage.place);
      await storage.close();
      same("list", await (await later()).list(), []);
    },
  },
  {
    name: "appends are there at once, in order, and for who comes later",
    async run({ storage, later }) {
      await storage.lock();
      const done = [storage.append("a.log", A), storage.append("a.log", B), storage.append("b.log", C), storage.sync("a.log")];
      same("list before they are done", await listed(storage), ["a.log:71000", "b.log:3"]);
      same("read", await storage.read("a.log"), joined(A, B));
      await Promise.all(done);
      await storage.append("a.log", new Uint8Array(0));
      await storage.sync("b.log");
      await storage.close();
      const again = await later();
      same("list", await listed(again), ["a.log:71000", "b.log:3"]);
      same("a", await again.read("a.log"), joined(A, B));
      same("b", await again.read("b.log"), C);
      await again.lock();
      await again.append("a.log", C);
      await again.sync("a.log");
      same("more", await again.read("a.log"), joined(A, B, C));
    },
  },
  {
    name: "an empty append makes a file",
    async run({ storage, later }) {
      await storage.lock();
      await storage.append("empty", new Uint8Array(0));
      await storage.sync("empty");
      await storage.close();
      const again = await later();
      same("list", await listed(again), ["empty:0"]);
      same("read", await again.read("empty"), new Uint8Array(0));
    },
  },
  {
    name: "any range, and no byte beyond",
    async run({ storage }) {
      await storage.lock();
      for (let at = 0; at < B.length; at += 777) await storage.append("a", B.subarray(at, at + 777));
      for (const [from, to] of [
        [0, 0],
        [0, 1],
        [776, 778],
        [777, 777 * 3],
        [69_999, 70_000],
        [70_000, 70_000],
        [1234, 65_432],
      ]) {
        same(`${from} to ${to}`, await storage.read("a", from, to), B.subarray(from, to));
      }
      same("from 69000", await storage.read("a", 69_000), B.subarray(69_000));
      await fails(() => storage.read("a", 69_999, 70_001), "MISSING", "bytes 69999 to 70001 of a in", "it has 70000");
      await fails(() => storage.read("a", 70_001), "MISSING", "it has 70000");
      await fails(() => storage.read("a", 0, 2 ** 50), "MISSING", "it has 70000");
    },
  },
  {
    name: "what is read is the reader's",
    async run({ storage }) {
      await storage.lock();
      await storage.append("a", A);
      const bytes = await storage.read("a");
      bytes.fill(0);
      same("whole buffer", bytes.buffer.byteLength, bytes.length);
      same("read", await storage.read("a"), A);
    },
  },
  {
    name: "truncate cuts, and appends go on from there",
    async run({ storage, later }) {
      await storage.lock();
      await Promise.all([storage.append("a", B), storage.truncate("a", 65_000), storage.append("a", C)]);
      same("read", await storage.read("a"), joined(B.subarray(0, 65_000), C));
      await storage.truncate("a", 65_003);
      await storage.truncate("a", 10);
      same("list", await listed(storage), ["a:10"]);
      await fails(() => storage.truncate("a", 11), "MISSING", "it has 10");
      await fails(() => storage.truncate("b", 0), "MISSING", "b is not in");
      await fails(() => storage.sync("b"), "MISSING", "b is not in");
      await storage.truncate("a", 0);
      await storage.append("a", C);
      await storage.sync("a");
      await storage.close();
      same("later", await (await later()).read("a"), C);
    },
  },
  {
    name: "swap makes and replaces, of any length, also what was appended",
    async run({ storage, later }) {
      await storage.lock();
      await storage.swap("m.json", A);
      same("made", await storage.read("m.json"), A);
      await storage.swap("m.json", B);
      await storage.swap("m.json", C);
      same("replaced", await storage.read("m.json"), C);
      same("range", await storage.read("m.json", 1, 2), C.subarray(1, 2));
      await fails(() => storage.read("m.json", 0, 4), "MISSING", "it has 3");
      await storage.append("a", A);
      await Promise.all([storage.swap("a", C), storage.append("a", A), storage.sync("a")]);
      same("appended to", await storage.read("a"), joined(C, A));
      await storage.swap("empty", new Uint8Array(0));
      await storage.truncate("m.json", 2);
      await storage.close();
      const again = await later();
      same("list", await listed(again), ["a:1003", "empty:0", "m.json:2"]);
      same("a", await again.read("a"), joined(C, A));
      same("m.json", await again.read("m.json"), C.subarray(0, 2));
      same("empty", await again.read("empty"), new Uint8Array(0));
    },
  },
  {
    name: "remove, and the name is free",
    async run({ storage, later }) {
      await storage.lock();
      await storage.append("a", B);
      await storage.swap("b", A);
      await storage.remove("a");
      await storage.remove("b");
      await storage.remove("never-there");
      same("list", await storage.list(), []);
      await fails(() => storage.read("a"), "MISSING", "a is not in");
      await storage.append("a", C);
      await storage.swap("b", C);
      await storage.close();
      const again = await later();
      same("a", await again.read("a"), C);
      same("b", await again.read("b"), C);
    },
  },
  {
    name: "many files at a time",
    async run({ storage, later }) {
      await storage.lock();
      const names = Array.from({ length: 60 }, (_, i) => `file-${String(i).padStart(2, "0")}`);
      for (let round = 0; round < 3; round++) {
        await Promise.all(names.map((name, i) => storage.append(name, pattern(100 + i, i + 100 * round))));
        await Promise.all(names.map((name) => storage.sync(name)));
      }
      const all = (i: number): Uint8Array => joined(...[0, 1, 2].map((round) => pattern(100 + i, i + 100 * round)));
      for (const [i, name] of names.entries()) same(name, await storage.read(name), all(i));
      await storage.close();
      const again = await later();
      same(
        "files",
        (await again.list()).map(({ name }) => name),
        names,
      );
      await Promise.all(names.map(async (name, i) => same(name, await again.read(name), all(i))));
    },
  },
  {
    name: "10 MB in one append, one swap and one read",
    async run({ storage, later }) {
      const large = pattern(10_000_001, 9);
      await storage.lock();
      await storage.append("large", C);
      await storage.append("large", large);
      await storage.sync("large");
      await storage.swap("whole", large);
      await storage.close();
      const again = await later();
      same("appended", await again.read("large", 3), large);
      same("swapped", await again.read("whole"), large);
      same("range", await again.read("whole", 4_999_999, 9_999_999), large.subarray(4_999_999, 9_999_999));
    },
  },
  {
    name: "who has no lock writes nothing",
    async run({ storage }) {
      const writes = [
        () => storage.append("a", A),
        () => storage.sync("a"),
        () => storage.truncate("a", 0),
        () => storage.swap("a", A),
        () => storage.remove("a"),
      ];
      for (const write of writes) await fails(write, "LOCKED", "a in", "lock() was not called");
      const release = await storage.lock();
      await storage.append("a", A);
      const last = storage.append("a", C);
      await release();
      await last;
      for (const write of writes) await fails(write, "LOCKED", "lock() was not called");
      same("list", await listed(storage), ["a:1003"]);
      await release();
    },
  },
  {
    name: "one writer at a time, and the next when it has released or closed",
    async run({ storage, beside }) {
      const release = await storage.lock();
      await fails(() => storage.lock(), "LOCKED", storage.place);
      const other = beside?.();
      if (other) await fails(() => other.lock(), "LOCKED", storage.place);
      if (other) await fails(() => other.append("a", A), "LOCKED");
      await storage.append("a", A);
      await release();
      const next = other ?? storage;
      await next.lock();
      await release();
      if (other) await fails(() => storage.lock(), "LOCKED", storage.place);
      await next.append("a", C);
      same("both", await next.read("a"), joined(A, C));
      await next.close();
      await storage.lock();
      await storage.append("a", C);
      same("all", await storage.read("a"), joined(A, C, C));
    },
  },
  {
    name: "a closed place opens again by itself",
    async run({ storage }) {
      await storage.close();
      await storage.lock();
      await storage.append("a", A);
      await storage.close();
      same("read", await storage.read("a"), A);
      await fails(() => storage.append("a", A), "LOCKED", "lock() was not called");
      await storage.close();
      await storage.close();
    },
  },
  {
    name: "names, ranges and bytes that are none are refused, and nothing is changed",
    async run({ storage }) {
      await storage.lock();
      await storage.append("a", A);
      const names = [
        "",
        ".",
        "..",
        ".lock-1",
        "-a",
        "A",
        "a/b",
        "a\\b",
        "../a",
        "ä",
        "a b",
        "a\0",
        "a".repeat(81),
        7,
        null,
        undefined,
      ];
      for (const name of names as string[]) {
        await fails(() => storage.append(name, A), "BAD_OPTION", "no name of a file");
        await fails(() => storage.swap(name, A), "BAD_OPTION", "no name of a file");
        await fails(() => storage.read(name), "BAD_OPTION", "no name of a file");
        await fails(() => storage.remove(name), "BAD_OPTION", "no name of a file");
        await fails(() => storage.truncate(name, 0), "BAD_OPTION", "no name of a file");
        await fails(() => storage.sync(name), "BAD_OPTION", "no name of a file");
      }
      await storage.append("a".repeat(80), C);
      for (const bytes of [
        undefined,
        null,
        "text",
        [1, 2],
        new ArrayBuffer(4),
        new Float32Array(1),
        5,
      ] as unknown as Uint8Array[]) {
        await fails(() => storage.append("a", bytes), "BAD_OPTION", "must be a Uint8Array");
        await fails(() => storage.swap("a", bytes), "BAD_OPTION", "must be a Uint8Array");
      }
      for (const n of [-1, 0.5, Number.NaN, 2 ** 53, "1", null] as number[]) {
        await fails(() => storage.read("a", n), "BAD_OPTION", "no range");
        await fails(() => storage.read("a", 0, n), "BAD_OPTION", "no range");
        await fails(() => storage.truncate("a", n), "BAD_OPTION", "cannot be cut");
      }
      await fails(() => storage.read("a", 5, 4), "BAD_OPTION", "no range");
      same("list", await listed(storage), ["a:1000", `${"a".repeat(80)}:3`]);
    },
  },
];
