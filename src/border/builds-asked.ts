// The wasm where no chunk can be imported, in a worker that is made of a text: another thread is asked for it.
import type { Build } from "../words/kinds.js";
import type { LOADERS as Chunks } from "./builds.js";
import { VARIANTS, type Variant } from "./variants.js";

type Ask = (build: Build, variant: Variant) => Promise<string>;

let ask: Ask;

/** Says who is asked, before anything is. */
export function askFor(by: Ask): void {
  ask = by;
}

const loadersOf = (build: Build): (typeof Chunks)[Build] =>
  Object.fromEntries(VARIANTS.map((variant) => [variant, async () => ({ default: await ask(build, variant) })]));

export const LOADERS: typeof Chunks = {
  core: loadersOf("core"),
  graph: loadersOf("graph"),
  full: loadersOf("full"),
  whole: loadersOf("whole"),
};

export const LACKS = "";
