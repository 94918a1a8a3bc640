// Instances of the wasm, each with a memory of its own in which one index lives.
import { VicinalError } from "../words/errors.js";
import { PAGE_BYTES } from "../words/needs.js";
import { part } from "../words/part.js";
import type * as Crowd from "./crowd.js";
import type { Exports } from "./exports.js";
import { tenants } from "./tenants.js";
import type { Variant } from "./variants.js";

/** An instance of the module with a memory of its own, in which no index is yet. */
export interface Instance {
  /** WebAssembly.Module, which the types of a user's project may not know. */
  readonly module: object;
  readonly exports: Exports;
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly variant: Variant;
  readonly maxBytes: number;
  /** Threads that build here, this one included, where the memory is shared, and what ends the others. */
  readonly threads?: number;
  readonly endThreads?: () => void;
}

let crowd: typeof Crowd | undefined;

/** @internal Gets what makes room where there is no memory left. */
export async function expectCrowd(): Promise<typeof Crowd> {
  crowd ??= await part(import("./crowd.js"));
  return crowd;
}

const outOfMemory = (why: string): VicinalError => new VicinalError("OUT_OF_MEMORY", why);

/** Throws what the engine throws where there is none. */
function newMemory(variant: Variant, maxBytes: number, bytes: number): WebAssembly.Memory {
  return new WebAssembly.Memory({
    initial: Math.ceil(bytes / PAGE_BYTES),
    maximum: Math.max(Math.floor(maxBytes / PAGE_BYTES), 1),
    shared: variant === "threads",
  });
}

/** @internal A new instance, of a memory that never grows past `maxBytes`. */
export async function start(module: WebAssembly.Module, variant: Variant, maxBytes: number): Promise<Instance> {
  const make = () => newMemory(variant, maxBytes, PAGE_BYTES);
  let memory: WebAssembly.Memory;
  try {
    memory = make();
  } catch (error) {
    if (error instanceof TypeError) throw error;
    memory = await (await expectCrowd()).withRoomSoon(make, tenants, outOfMemory);
  }
  // Without @assemblyscript/loader, whose wrappers are for managed objects: here there are none, and it weighs 2 KB gzip.
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return { module, exports: exports as unknown as Exports, memory, variant, maxBytes };
}

/** @internal The same at once, of the module that another runs on; expectCrowd() comes before. */
export function another(
  { module, variant }: Pick<Instance, "module" | "variant">,
  maxBytes: number,
  bytes = PAGE_BYTES,
): Instance {
  const make = (): Instance => {
    const memory = newMemory(variant, maxBytes, bytes);
    const { exports } = new WebAssembly.Instance(module as WebAssembly.Module, { env: { memory } });
    return { module, exports: exports as unknown as Exports, memory, variant, maxBytes };
  };
  try {
    return make();
  } catch {
    return (crowd as typeof Crowd).withRoom(make, tenants, outOfMemory);
  }
}
