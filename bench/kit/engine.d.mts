import type { OpenEngine } from "../../src/pages/kernels/open-engine.mjs";

export const openEngine: OpenEngine;
