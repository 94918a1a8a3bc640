// Processes of the folder's tests: `node writer.mjs TASK FOLDER ...`, each line of standard output an answer in JSON.
import { openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { folder } from "../../dist/storage-node.js";

const [task, path, ...rest] = process.argv.slice(2);
const storage = folder(path);
/** Synchronous: what was said was so, whenever this is killed. */
const say = (answer) => writeSync(1, `${JSON.stringify(answer)}\n`);
const said = ({ code, message }) => say({ code, message });

/** Bytes that say how many they are, and which. */
function marked(n) {
  const bytes = new Uint8Array(8 + ((n * 7919) % 200_000)).fill(n & 255);
  new DataView(bytes.buffer).setUint32(0, n);
  new DataView(bytes.buffer).setUint32(4, bytes.length);
  return bytes;
}

const TASKS = {
  /** Locks, and holds until it is killed. */
  async hold() {
    await storage.lock();
    say("locked");
    setInterval(() => {}, 1000);
  },

  /** Locks or says why not. */
  async lock() {
    await storage.lock().then(() => say("locked"), said);
    await storage.close();
  },

  /** Swaps and appends for ever, and says what has resolved. */
  async write() {
    await storage.lock();
    const [from] = rest.map(Number);
    for (let n = from; ; n++) {
      const record = new Uint8Array(new Uint32Array([n]).buffer);
      await Promise.all([storage.swap("whole", marked(n)), storage.append("log", record), storage.sync("log")]);
      say(n);
    }
  },

  /** Takes the lock `rounds` times; while it has it, a file says so that nobody else may find. Dies every now and then with both. */
  async contend() {
    const [marker, rounds, seed] = rest;
    let random = Number(seed);
    for (let round = 0; round < Number(rounds); ) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      let release;
      try {
        release = await storage.lock();
      } catch (error) {
        if (error.code !== "LOCKED") throw error;
        await sleep(random % 7);
        continue;
      }
      try {
        writeSync(openSync(marker, "wx"), String(process.pid));
      } catch {
        const other = Number(readFileSync(marker, "utf8"));
        if (isAlive(other)) say({ two: [process.pid, other] });
        rmSync(marker, { force: true });
        writeSync(openSync(marker, "wx"), String(process.pid));
      }
      await sleep(random % 3);
      if (random % 11 === 0) process.kill(process.pid, "SIGKILL");
      if (readFileSync(marker, "utf8") !== String(process.pid)) say({ lost: process.pid });
      rmSync(marker);
      await release();
      say("held");
      round++;
    }
  },

  /** As another user, where this is root. */
  async foreign() {
    process.setuid?.(65534);
    await storage.lock().then(() => say("locked"), said);
    await storage.list().then(say, said);
    await storage.read("a").then((bytes) => say(bytes.length), said);
  },

  /** Fills what room there is, makes some, and goes on. */
  async fill() {
    await storage.lock();
    await storage.append("large", new Uint8Array(Number(rest[0])));
    await storage.sync("large");
    await storage.swap("whole", marked(1));
    const errors = [];
    let appended = 0;
    for (let i = 0; i < 3; i++) {
      const work = async () => {
        for (;;) {
          await storage.append("log", new Uint8Array(5000).fill(appended + 1));
          await storage.sync("log");
          appended++;
        }
      };
      await work().catch(({ code, message }) => errors.push({ code, message }));
    }
    await storage.swap("whole", new Uint8Array(Number(rest[0]))).catch(({ code, message }) => errors.push({ code, message }));
    const whole = (await storage.read("whole")).length;
    const before = await storage.list();
    await storage.remove("large");
    const record = new Uint8Array(5000).fill(appended + 1);
    await Promise.all([storage.append("log", record), storage.sync("log")]).catch(({ code, message }) =>
      errors.push({ code, message }),
    );
    await storage.close();
    const log = await storage.read("log");
    say({ errors, appended, whole, before, log: log.length, right: log.every((byte, i) => byte === ((i / 5000 + 1) & 255)) });
  },
};

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

await TASKS[task]();
