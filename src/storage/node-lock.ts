// One writer a folder, without flock, which Node has not: numbered folders, each with who holds it.
//
//   .lock-7/holder.json   {"pid":4711,"started":"812334","boot":"6f1c...","space":"pid:[4026531836]","host":"anna","since":"2026-..."}
//   .lock-7/free          where it was released
//
// A lock is made by renaming a folder that has its holder.json to the next number: atomic on every file system, and refused where that
// number is taken, since no folder can be renamed over one that is not empty. The highest number counts and is never removed by others than who makes
// a higher one, so numbers only rise: whoever comes late with a number that was free when it looked finds a higher one when it
// looks again, and gives up. Nobody ever removes a lock that might have changed hands since it was judged.
import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { failure } from "./failures.js";
import { codeOf, failed, unless } from "./node-failures.js";
import type { Hold } from "./storage.js";

/** So often a holder gives a sign of life, and so old it may be: for those of whom nothing else can be known from here. */
const BEAT_MS = 10_000;
const SILENT_MS = 40_000;
const TRIES = 20;

/** Files and folders that begin so are a lock's, or what one who died left of it. */
const LOCK = ".lock-";
const HOLDER = "holder.json";
const FREE = "free";

interface Holder {
  readonly pid: number;
  /** When the process began, in the system's own unit: a pid that is used again differs in it. Empty where it cannot be known. */
  readonly started: string;
  /** The system's run, and the space in which the pid means something; both empty where there is no /proc. */
  readonly boot: string;
  readonly space: string;
  readonly host: string;
  readonly since: string;
}

/** Locks the folder, which is there, for this process. `place` is for messages. */
export async function lockFolder(folder: string, place: string): Promise<Hold> {
  const me = thisProcess();
  for (let tries = 0; tries < TRIES; tries++) {
    const last = await highest(folder);
    if (last > 0) {
      const holder = await holderOf(lockPath(folder, last));
      if (holder) {
        if (await isHeld(holder, me)) throw failure("LOCKED", sentenceOf(holder, me, place));
      } else if ((await highest(folder)) !== last || tries < TRIES / 2) {
        await sleep(5); // it is being replaced; where nobody does, what is left of it after a power cut is no lock
        continue;
      }
    }
    if (await take(folder, place, last + 1, me)) return hold(folder, place, last + 1);
  }
  throw failure("LOCKED", `${place} is being locked by many at once; try again`);
}

const lockPath = (folder: string, number: number): string => join(folder, LOCK + number);

/** Makes the lock of this number; false where another was quicker. */
async function take(folder: string, place: string, number: number, me: Holder): Promise<boolean> {
  const made = join(folder, `${LOCK}new-${randomUUID()}`);
  try {
    await mkdir(made);
    await writeFile(join(made, HOLDER), JSON.stringify(me));
    await rename(made, lockPath(folder, number));
  } catch (error) {
    await rm(made, { recursive: true, force: true }).catch(() => {});
    const code = codeOf(error) ?? "";
    // Windows says EPERM for a number that is taken; ENOENT says that a new holder has tidied up.
    const taken = ["ENOTEMPTY", "EEXIST", "ENOENT"].includes(code) || (code === "EPERM" && (await highest(folder)) >= number);
    if (taken) return false;
    throw failed(`${place} could not be locked`, error);
  }
  if ((await highest(folder)) > number) {
    await rm(lockPath(folder, number), { recursive: true, force: true });
    return false;
  }
  for (const name of await readdir(folder)) {
    if (name.startsWith(LOCK) && name !== LOCK + number) await rm(join(folder, name), { recursive: true, force: true });
  }
  return true;
}

function hold(folder: string, place: string, number: number): Hold {
  const path = lockPath(folder, number);
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // verify tells
  }, BEAT_MS);
  beat.unref();
  return {
    // Synchronous: some 3 us, a tenth of what the way through a thread costs.
    verify() {
      if (statSync(path, { throwIfNoEntry: false })) return;
      if (!statSync(folder, { throwIfNoEntry: false })) throw failure("STORAGE_LOST", `${place} was removed while it was open`);
      throw failure(
        "LOCKED",
        `${place} has another writer now: its lock was removed or, after ${SILENT_MS / 1000} s of silence, taken over`,
      );
    },
    async release() {
      clearInterval(beat);
      await unless(["ENOENT"], writeFile(join(path, FREE), ""), undefined).catch((error) => {
        throw failed(`the lock of ${place} could not be given back`, error);
      });
    },
  };
}

async function highest(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((name) => /^\.lock-(\d{1,15})$/.exec(name)?.[1]);
  return Math.max(0, ...numbers.map(Number).filter((n) => n > 0));
}

/** Who has this lock; `"free"` where it was released, undefined where it cannot be read. */
async function holderOf(path: string): Promise<(Holder & { beat: number }) | "free" | undefined> {
  const text = await unless(["ENOENT", "ENOTDIR"], readFile(join(path, HOLDER), "utf8"), undefined);
  const folder = await unless(["ENOENT"], stat(path), undefined);
  if (!text || !folder) return undefined;
  if (await unless(["ENOENT"], stat(join(path, FREE)), undefined)) return "free";
  try {
    return { ...(JSON.parse(text) as Holder), beat: folder.mtimeMs };
  } catch {
    return undefined;
  }
}

async function isHeld(holder: (Holder & { beat: number }) | "free", me: Holder): Promise<boolean> {
  if (holder === "free") return false;
  if (holder.host === me.host && holder.boot !== me.boot) return false; // the machine was started anew
  if (holder.boot === me.boot && holder.host === me.host && holder.space === me.space) {
    if (!isAlive(holder.pid)) return false;
    const started = startOf(holder.pid);
    if (started !== "" && holder.started !== "") return started === holder.started;
  }
  return Date.now() - holder.beat < SILENT_MS;
}

function sentenceOf(holder: (Holder & { beat: number }) | "free", me: Holder, place: string): string {
  if (holder === "free") return place;
  const { pid, host, since, beat } = holder;
  if (pid === me.pid && host === me.host && holder.started === me.started) {
    return `${place} is being written by this very process, since ${since}: close what has it open`;
  }
  const where = host === me.host && holder.space === me.space ? "" : ` on ${host}`;
  const silent = Math.max(0, Math.round((Date.now() - beat) / 1000));
  const remedy = where
    ? `; should it have died, its lock ends after ${SILENT_MS / 1000} s without a sign of life (the last: ${silent} s ago)`
    : "";
  return `${place} is being written by process ${pid}${where}, since ${since}; one process writes a folder at a time${remedy}`;
}

function thisProcess(): Holder {
  return {
    pid: process.pid,
    started: startOf(process.pid),
    boot: told(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
    space: told(() => readlinkSync("/proc/self/ns/pid")),
    host: hostname(),
    since: new Date().toISOString(),
  };
}

/** Field 22 of /proc/pid/stat; the second, a name in brackets, may have blanks and brackets in it. */
function startOf(pid: number): string {
  return told(() => {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH"; // EPERM: alive, of another user
  }
}

function told(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
