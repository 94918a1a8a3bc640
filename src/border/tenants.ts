// Indices in their memories, as far as these may have to be given up for others (crowd.ts).

/** What lives in a memory, and can live outside of it while it is not used. */
export interface Tenant {
  /** Grows with each use, over all tenants. */
  readonly used: number;
  readonly bytes: number;
  /** Whether it has a memory, and nothing is going on in there. */
  readonly idle: boolean;
  /** Leaves the memory; the next use takes another one. */
  park(): void;
}

/** @internal */
export const tenants = new Set<WeakRef<Tenant>>();
let sweepAt = 64;

/** Where there are no weak references (Cloudflare before 2025-05-05), nobody is asked to leave. */
export function enlist(tenant: Tenant): void {
  if (!globalThis.WeakRef) return;
  if (tenants.size >= sweepAt) {
    for (const one of tenants) if (!one.deref()) tenants.delete(one);
    sweepAt = 2 * tenants.size + 64;
  }
  tenants.add(new WeakRef(tenant));
}
