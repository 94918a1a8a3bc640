// Files in a folder of OPFS, in whichever thread. What is appended to is one file, what is swapped two slots.
import type { Bytes } from "../words/arrays.js";
import { failed, nameOf } from "./browser-failures.js";
import { beyond, failure, missing, notSynced } from "./failures.js";
import { Kept } from "./kept.js";
import { type Access, hasSyncHandles, slowAccess, syncAccess } from "./opfs-access.js";
import { readSlot, SLOTS, type Slot, slotName, writeSlot } from "./opfs-slots.js";
import type { Medium, StoredFile } from "./storage.js";

/** All that a medium does but for the lock. */
export class OpfsFiles implements Omit<Medium, "lock"> {
  readonly place: string;
  readonly #name: string;
  /** By the names of OPFS, slots one by one. */
  readonly #open = new Kept<Access>(async (_, access) => access.close());
  /** While locked: the slot that counts. */
  readonly #slots = new Map<string, Slot | undefined>();
  readonly #unsure = new Map<string, unknown>();
  #folder: FileSystemDirectoryHandle | undefined;
  #locked = false;

  constructor(name: string, place: string) {
    this.#name = name;
    this.place = place;
  }

  /** Who has the lock opens files for itself alone, and makes the folder. */
  async setLocked(locked: boolean): Promise<void> {
    await this.close();
    this.#locked = locked;
    if (locked) await this.#try(`${this.place} could not be made`, () => this.#at());
  }

  async list(): Promise<StoredFile[]> {
    return this.#try(`${this.place} could not be read`, async () => {
      const folder = await this.#there();
      const names = new Set<string>();
      for await (const [name, { kind }] of folder?.entries() ?? []) if (kind === "file") names.add(name.replace(/~[01]$/, ""));
      const files = await Promise.all([...names].map(async (name) => ({ name, bytes: await this.#bytesOf(name) })));
      return files.flatMap(({ name, bytes }) => (bytes === undefined ? [] : [{ name, bytes }]));
    });
  }

  async read(name: string, from: number, to: number | undefined): Promise<Bytes> {
    return this.#do(name, "read", async () => {
      const slot = await this.#slotOf(name);
      const bytes = slot ? slot.length : await this.#bytesOf(name);
      if (bytes === undefined) throw missing(this.place, name);
      const end = to ?? bytes;
      if (from > end || end > bytes) throw beyond(this.place, name, from, end, bytes);
      return this.#use(slot ? slotName(name, slot.which) : name, false, (access) => access.read(from, end - from));
    });
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    if (this.#unsure.has(name)) throw notSynced(this.place, name, this.#unsure.get(name));
    await this.#do(name, "written", async () => {
      const slot = await this.#slotOf(name);
      if (slot) return this.#swap(name, joined(await this.read(name, 0, slot.length), bytes));
      await this.#use(name, true, async (access) => {
        const size = await access.size();
        try {
          await access.write(size, bytes);
        } catch (error) {
          await access.truncate(size);
          throw error;
        }
      });
    });
  }

  async sync(name: string): Promise<void> {
    if (this.#unsure.has(name)) throw notSynced(this.place, name, this.#unsure.get(name));
    await this.#do(name, "written", async () => {
      if (await this.#slotOf(name)) return;
      if ((await this.#bytesOf(name)) === undefined) throw missing(this.place, name);
      await this.#use(name, false, async (access) => {
        try {
          await access.flush();
        } catch (error) {
          this.#unsure.set(name, error);
          throw error;
        }
      });
      await this.#checkThere(name);
    });
  }

  async truncate(name: string, bytes: number): Promise<void> {
    await this.#do(name, "written", async () => {
      const size = await this.#bytesOf(name);
      if (size === undefined) throw missing(this.place, name);
      if (bytes > size) throw beyond(this.place, name, 0, bytes, size);
      if (await this.#slotOf(name)) return this.#swap(name, await this.read(name, 0, bytes));
      await this.#use(name, false, async (access) => {
        await access.truncate(bytes);
        await access.flush();
      });
      await this.#checkThere(name);
    });
  }

  async swap(name: string, bytes: Uint8Array): Promise<void> {
    await this.#do(name, "written", () => this.#swap(name, bytes));
  }

  async remove(name: string): Promise<void> {
    await this.#do(name, "removed", async () => {
      const slot = await this.#slotOf(name);
      // The older first: no crash may bring back what was replaced.
      for (const which of slot?.which ? SLOTS : [1, 0]) await this.#removeEntry(slotName(name, which));
      await this.#removeEntry(name);
      this.#slots.delete(name);
    });
  }

  async close(): Promise<void> {
    await this.#open.dropAll();
    this.#slots.clear();
    this.#unsure.clear();
    this.#folder = undefined;
  }

  async #swap(name: string, bytes: Uint8Array): Promise<void> {
    const old = await this.#slotOf(name);
    const next: Slot = { which: old?.which === 0 ? 1 : 0, turn: (old?.turn ?? 0) + 1, length: bytes.length };
    await this.#use(slotName(name, next.which), true, async (access) => {
      try {
        await writeSlot(access, next.turn, bytes);
      } catch (error) {
        await access.truncate(0);
        throw error;
      }
    });
    await this.#checkThere(slotName(name, next.which));
    this.#slots.set(name, next);
    this.#unsure.delete(name);
    if (old) await this.#use(slotName(name, old.which), false, (access) => access.truncate(0));
    else await this.#removeEntry(name);
  }

  /** The slot that counts, of a file that was swapped. */
  async #slotOf(name: string): Promise<Slot | undefined> {
    if (this.#locked && this.#slots.has(name)) return this.#slots.get(name);
    const found = await Promise.all(
      SLOTS.map((which) => unlessMissing(this.#use(slotName(name, which), false, (access) => readSlot(access, which)))),
    );
    const [a, b] = found;
    const slot = a && b ? (a.turn > b.turn ? a : b) : (a ?? b);
    if (this.#locked) this.#slots.set(name, slot);
    return slot;
  }

  async #bytesOf(name: string): Promise<number | undefined> {
    const slot = await this.#slotOf(name);
    return slot ? slot.length : unlessMissing(this.#use(name, false, (access) => access.size()));
  }

  /** Does something with a file of OPFS, which is made where `make` says so. Who has no lock keeps none open. */
  async #use<T>(name: string, make: boolean, work: (access: Access) => T | Promise<T>): Promise<T> {
    const open = async (): Promise<Access> => {
      const folder = await this.#there();
      if (!folder) throw new DOMException("there is no such folder", "NotFoundError");
      const file = await folder.getFileHandle(name, { create: make });
      return this.#locked && hasSyncHandles() ? syncAccess(file) : slowAccess(file);
    };
    return this.#locked ? this.#open.use(name, open, work) : work(await open());
  }

  async #removeEntry(name: string): Promise<void> {
    await this.#open.drop(name);
    await unlessMissing((await this.#at()).removeEntry(name));
  }

  /** A handle goes on writing what nobody will find again. */
  async #checkThere(name: string): Promise<void> {
    await (await this.#at()).getFileHandle(name);
  }

  /** The folder; made by who has the lock, undefined where nobody has made it yet. */
  async #there(): Promise<FileSystemDirectoryHandle | undefined> {
    return this.#folder ? this.#folder : unlessMissing(this.#at());
  }

  async #at(): Promise<FileSystemDirectoryHandle> {
    if (this.#folder) return this.#folder;
    const storage = globalThis.navigator?.storage;
    if (typeof storage?.getDirectory !== "function") {
      throw failure(
        "NO_STORAGE",
        `${this.place} cannot be opened: there is no OPFS here, which takes a secure page (https or localhost)`,
      );
    }
    const folder = await (await storage.getDirectory()).getDirectoryHandle(this.#name, { create: this.#locked });
    if (this.#locked) this.#folder = folder;
    return folder;
  }

  #do<T>(name: string, done: string, work: () => Promise<T>): Promise<T> {
    return this.#try(`${name} in ${this.place} could not be ${done}`, async () => {
      try {
        return await work();
      } catch (error) {
        if (nameOf(error) !== "QuotaExceededError") throw error;
        // Open handles have room set apart for them, also for what was cut.
        await this.#open.dropAll();
        return work();
      }
    });
  }

  async #try<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw await failed(what, error);
    }
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (nameOf(error) === "NotFoundError") return undefined;
    throw error;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
