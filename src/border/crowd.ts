// Where there is no memory for one more index. Engines reserve address space for each, so that accesses need no checks: V8 10 GiB,
// whatever a memory's size and maximum, and of 1 TiB in a page, which makes 125. So small indices that have not been used for
// longest leave theirs: their bytes go into an array, which reserves nothing, until they are used again.

import type { Tenant } from "./tenants.js";

/** Those that are larger stay where they are. */
const SMALL_BYTES = 4 << 20;
/** Copied at a time, so many that it is worth the garbage collection that then frees their memories: some 100 ms. */
const COPIED_BYTES = 256 << 20;
/** Those used last stay, a running call may go on with them. */
const STAY = 8;

/** What `make` makes, having failed for want of memory; `fail` makes an error of a sentence. */
export function withRoom<T>(make: () => T, tenants: Iterable<WeakRef<Tenant>>, fail: (why: string) => Error): T {
  const all = [...tenants].flatMap((tenant) => tenant.deref() ?? []).filter(({ bytes }) => bytes > 0);
  const idle = all.filter(({ idle }) => idle).sort((a, b) => a.used - b.used);
  const small = idle.slice(0, Math.max(idle.length - STAY, 0)).filter(({ bytes }) => bytes <= SMALL_BYTES);
  let copied = 0;
  for (const tenant of small.slice(0, Math.ceil(small.length / 2))) {
    copied += tenant.bytes;
    if (copied > COPIED_BYTES) break;
    tenant.park();
  }
  try {
    return make();
  } catch (error) {
    throw fail(sentence(all, (error as Error).message));
  }
}

/** The same, for those who can wait: who asks for a tenant keeps it until the end of the task, even where it is dropped. */
export async function withRoomSoon<T>(make: () => T, ...rest: [Iterable<WeakRef<Tenant>>, (why: string) => Error]): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  try {
    return make();
  } catch {
    return withRoom(make, ...rest);
  }
}

function sentence(all: readonly Tenant[], why: string): string {
  const bytes = all.reduce((sum, one) => sum + one.bytes, 0);
  return (
    `there is no memory for one more index (${why}): ${all.length} are open and hold ${bytes} bytes, and of each the engine may reserve ` +
    "10 GiB of address space. close() gives back both, as does the collector for what is dropped; Node reserves less with --disable-wasm-trap-handler"
  );
}
