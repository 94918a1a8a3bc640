// In a pool's worker, in place of border/probes.ts (src/build/bundle.mjs): its variant "threads" is whichever build of shared memory runs
// here (builds.ts).
import { canRun as canRunElsewhere } from "../border/probes.js";
import type { Variant } from "../border/variants.js";

export const canRun = (name: Variant): boolean => name === "threads" || canRunElsewhere(name);
