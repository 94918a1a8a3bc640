// Which build runs: the best variant that validates and computes right here. Each variant's bytes sit in a chunk of
// their own behind a dynamic import, so that a page downloads one; the compiled module is cached.
import { instantiate as instantiateWithLoader } from "@assemblyscript/loader";
import { show, VicinalError } from "./errors.js";
import { Engine, type Exports } from "./memory.js";
import { known, oneOf } from "./options.js";
import { selfTest } from "./self-test.js";
import { decodeWasm } from "./wasm-text.js";

/** In the order of assembly/simd.ts. */
const VARIANTS = ["scalar", "simd", "relaxed", "threads"] as const;
/** scalar runs anywhere; simd needs wasm SIMD; relaxed also relaxed SIMD; threads is relaxed on a shared memory. */
export type Variant = (typeof VARIANTS)[number];

export interface InitOptions {
  /** Takes this variant and no other. Default: environment variable VICINAL_VARIANT, else the best that works. */
  variant?: Variant;
  /** A compiled `vicinal/wasm/*.wasm`, for runtimes that forbid compiling from bytes. */
  module?: WasmModule;
}

/** WebAssembly.Module where the types of the project know it. */
export type WasmModule = typeof globalThis extends { WebAssembly: { Module: { prototype: infer M } } } ? M : object;

/** The variant new indices run on; undefined before the first `init` or `create`. */
export let variant: Variant | undefined;

const LOADERS: Readonly<Record<Variant, () => Promise<{ default: string }>>> = {
  scalar: () => import("vicinal-wasm:scalar"),
  simd: () => import("vicinal-wasm:simd"),
  relaxed: () => import("vicinal-wasm:relaxed"),
  threads: () => import("vicinal-wasm:threads"),
};

/** Modules of one function that only validate where the feature exists: i8x16.popcnt, i8x16.relaxed_swizzle. */
const PROBES: Readonly<Record<Variant, readonly number[]>> = (() => {
  const head = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10];
  const simd = [...head, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  const relaxed = [...head, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11];
  return { scalar: head.slice(0, 8), simd, relaxed, threads: relaxed };
})();

interface Loaded {
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
}

const compiled = new Map<Variant, Promise<WebAssembly.Module>>();
let current: Promise<Loaded> | undefined;

function compile(name: Variant): Promise<WebAssembly.Module> {
  let module = compiled.get(name);
  if (!module) {
    module = LOADERS[name]().then(({ default: text }) => WebAssembly.compile(decodeWasm(text) as BufferSource));
    compiled.set(name, module);
    module.catch(() => compiled.delete(name));
  }
  return module;
}

function canRun(name: Variant): boolean {
  if (name === "threads" && typeof SharedArrayBuffer === "undefined") return false;
  return WebAssembly.validate(new Uint8Array(PROBES[name]));
}

async function load(name: Variant): Promise<Loaded | undefined> {
  if (!canRun(name)) return undefined;
  const loaded = { module: await compile(name), variant: name };
  return (await selfTest((state) => start(loaded, state))) ? loaded : undefined;
}

/** VICINAL_VARIANT, where there is an environment and it may be read without asking the user. */
function fromEnvironment(): string | undefined {
  const { Deno, process } = globalThis as {
    Deno?: { permissions: { querySync(wanted: { name: string; variable: string }): { state: string } } };
    process?: { env?: Record<string, string | undefined> };
  };
  const variable = "VICINAL_VARIANT";
  if (Deno && Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  return process?.env?.[variable] || undefined;
}

async function choose(options: InitOptions): Promise<Loaded> {
  if (options.module !== undefined) return given(options.module);
  const forced = options.variant ?? fromEnvironment();
  const names = forced === undefined ? (["relaxed", "simd", "scalar"] as const) : [oneOf("variant", forced, VARIANTS)];
  let why = "";
  for (const name of names) {
    try {
      const loaded = await load(name);
      if (loaded) return loaded;
    } catch (error) {
      why = `: ${(error as Error).message}; where wasm may not be compiled from bytes, hand a module to init({ module })`;
    }
  }
  throw new VicinalError("BAD_VARIANT", `this runtime cannot run the ${names.join(" or ")} build${why}`);
}

/** A module says itself which variant it is; only `threads` wants a shared memory. */
async function given(module: unknown): Promise<Loaded> {
  if (!(module instanceof WebAssembly.Module)) {
    throw new VicinalError("BAD_OPTION", `module is ${show(module)}; it must be a WebAssembly.Module`);
  }
  for (const shared of [false, true]) {
    try {
      const exports = await instantiate(module, newMemory(shared, MAX_PAGES));
      const loaded = { module, variant: VARIANTS[exports.variant()] };
      if (await selfTest((state) => start(loaded, state))) return loaded;
    } catch {
      // the other kind of memory, or not ours
    }
  }
  throw new VicinalError("BAD_VARIANT", "the given module is not a vicinal build, or computes wrongly here");
}

/**
 * Chooses and compiles the wasm; `create` and `load` do it by themselves. Called again with options, it decides for the
 * indices made after it.
 */
export async function init(options: InitOptions = {}): Promise<Variant> {
  known("init", options, ["variant", "module"]);
  if (!current || options.variant !== undefined || options.module !== undefined) {
    const before = current;
    const chosen = choose(options);
    current = chosen;
    chosen.catch(() => {
      if (current === chosen) current = before;
    });
  }
  const loaded = await current;
  variant = loaded.variant;
  return variant;
}

const PAGE_BYTES = 65536;
const MAX_PAGES = 65536;

function newMemory(shared: boolean, maximum: number): WebAssembly.Memory {
  return new WebAssembly.Memory(shared ? { initial: 1, maximum, shared } : { initial: 1, maximum });
}

async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Exports> {
  const { instance } = await instantiateWithLoader(module, { env: { memory } });
  return instance.exports as unknown as Exports; // without the loader's wrappers: nothing here is managed
}

async function start(loaded: Loaded, state: Uint8Array, maxBytes = MAX_PAGES * PAGE_BYTES): Promise<Engine> {
  const memory = newMemory(loaded.variant === "threads", Math.max(Math.floor(maxBytes / PAGE_BYTES), 1));
  return new Engine(await instantiate(loaded.module, memory), memory, loaded.variant, maxBytes, state);
}

/** @internal A new memory with an empty index in it, as `state` describes; it never grows past `maxBytes`. */
export async function newEngine(state: Uint8Array, maxBytes?: number): Promise<Engine> {
  await init();
  return start(await (current as Promise<Loaded>), state, maxBytes);
}
