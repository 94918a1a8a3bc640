// One writer among tabs and workers of a site, by Web Locks: whoever has one loses it when its tab is closed, crashes or is discarded.
import { failed } from "./browser-failures.js";
import { failure } from "./failures.js";
import type { Hold } from "./storage.js";

/** The part of LockManager used here. */
interface Locks {
  request(
    name: string,
    options: { ifAvailable?: boolean; signal?: AbortSignal },
    work: (lock: unknown) => Promise<void>,
  ): Promise<void>;
  query(): Promise<{ held?: { name?: string }[] }>;
}

function locksOf(place: string): Locks {
  const { locks } = (globalThis.navigator ?? {}) as { locks?: Locks };
  if (locks) return locks;
  throw failure(
    "NO_STORAGE",
    `${place} cannot be locked: there are no Web Locks here, which take a secure page (https or localhost)`,
  );
}

/** Waits for the lock, and returns what gives it back; undefined where it is not free and only `ifAvailable` is wanted. */
function held(
  locks: Locks,
  name: string,
  options: { ifAvailable?: boolean; signal?: AbortSignal },
): Promise<(() => Promise<void>) | undefined> {
  return new Promise((resolve, reject) => {
    const ended = locks.request(name, options, (lock) => {
      if (!lock) {
        resolve(undefined);
        return Promise.resolve();
      }
      return new Promise((end) => {
        resolve(async () => {
          end();
          await ended;
        });
      });
    });
    ended.catch(reject);
  });
}

/** Makes this the one writer of `place`, or says since when another is. `name` is that of the lock. */
export async function lockStore(name: string, place: string): Promise<Hold> {
  const locks = locksOf(place);
  const end = await held(locks, name, { ifAvailable: true }).catch(async (error) => {
    throw await failed(`${place} could not be locked`, error);
  });
  const prefix = `${name} since `;
  if (!end) {
    const since = (await locks.query()).held?.find((lock) => lock.name?.startsWith(prefix))?.name?.slice(prefix.length);
    throw failure(
      "LOCKED",
      `${place} is being written by another tab or worker of this site${since ? `, since ${since}` : ""}; one writes a store at a time`,
    );
  }
  // A lock beside it, for its name alone: it tells the others since when.
  const endTold = await held(locks, prefix + new Date().toISOString(), {});
  return {
    async release() {
      await endTold?.();
      await end();
    },
  };
}

/** Waits for the lock; what it returns gives it back. */
export async function waitForLock(name: string, place: string, signal: AbortSignal): Promise<() => Promise<void>> {
  const end = await held(locksOf(place), name, { signal });
  return end as () => Promise<void>;
}
