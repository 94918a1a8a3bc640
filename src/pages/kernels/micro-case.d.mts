import type { Kernel, Speeds } from "./kernels.mjs";
import type { OpenEngine } from "./open-engine.mjs";

export function measure(
  cell: Kernel,
  how: { readonly rounds: number; readonly ms: number; readonly variants: readonly string[] },
  openEngine: OpenEngine,
): Promise<Speeds>;
