// Which build runs: the best variant that validates and computes right here, in three sizes: "core" has Flat and Hnsw over
// plain codecs, "graph" also Hnsw with fastScan and Flat with a prefilter, "full" every other family and codec. Each build's
// bytes sit in a chunk of their own behind a dynamic import, so that a page downloads what it needs; the compiled module is
// cached.
import { badOption, show, VicinalError } from "../words/errors.js";
import { BUILDS, type Build, buildFor } from "../words/kinds.js";
import { MAX_PAGES, PAGE_BYTES, WHOLE_MEMORY } from "../words/needs.js";
import { known, oneOf } from "../words/options.js";
import { readState } from "../words/state.js";
import { Engine, type Instance } from "./engine.js";
import type { Exports } from "./exports.js";
import { selfTest } from "./self-test.js";
import { VARIANTS, type Variant } from "./variants.js";
import { decodeWasm } from "./wasm-text.js";

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

const LOADERS: Readonly<Record<Build, Readonly<Record<Variant, () => Promise<{ default: string }>>>>> = {
  core: {
    scalar: () => import("vicinal-wasm:scalar-core"),
    simd: () => import("vicinal-wasm:simd-core"),
    relaxed: () => import("vicinal-wasm:relaxed-core"),
    threads: () => import("vicinal-wasm:threads-core"),
  },
  graph: {
    scalar: () => import("vicinal-wasm:scalar-graph"),
    simd: () => import("vicinal-wasm:simd-graph"),
    relaxed: () => import("vicinal-wasm:relaxed-graph"),
    threads: () => import("vicinal-wasm:threads-graph"),
  },
  full: {
    scalar: () => import("vicinal-wasm:scalar"),
    simd: () => import("vicinal-wasm:simd"),
    relaxed: () => import("vicinal-wasm:relaxed"),
    threads: () => import("vicinal-wasm:threads"),
  },
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
  readonly build: Build;
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();
/** What new indices run on, once it is chosen. */
let current: Partial<Record<Build, Promise<Loaded>>> = {};
/** Of the variants, those that the next choice is between. */
let candidates: readonly Variant[] | undefined;

function compile(build: Build, name: Variant): Promise<WebAssembly.Module> {
  const key = `${build} ${name}`;
  let module = compiled.get(key);
  if (!module) {
    module = LOADERS[build][name]().then(({ default: text }) => WebAssembly.compile(decodeWasm(text) as BufferSource));
    compiled.set(key, module);
    module.catch(() => compiled.delete(key));
  }
  return module;
}

function canRun(name: Variant): boolean {
  if (name === "threads" && typeof SharedArrayBuffer === "undefined") return false;
  return WebAssembly.validate(new Uint8Array(PROBES[name]));
}

async function works(loaded: Loaded): Promise<boolean> {
  return selfTest(async (state) => new Engine(await start(loaded, WHOLE_MEMORY), state), loaded.build);
}

async function load(build: Build, name: Variant): Promise<Loaded | undefined> {
  if (!canRun(name)) return undefined;
  const loaded = { module: await compile(build, name), variant: name, build };
  return (await works(loaded)) ? loaded : undefined;
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

function variantsFor(forced: string | undefined): readonly Variant[] {
  return forced === undefined ? ["relaxed", "simd", "scalar"] : [oneOf("variant", forced, VARIANTS)];
}

async function choose(build: Build): Promise<Loaded> {
  const names = candidates ?? variantsFor(fromEnvironment());
  let why = "";
  for (const [i, name] of names.entries()) {
    try {
      const loaded = await load(build, name);
      if (!loaded) continue;
      // The other build is not to be of a variant that failed here.
      candidates = names.slice(i);
      return loaded;
    } catch (error) {
      const module = build === "core" ? "a module" : `a ${build} module`;
      why = `: ${(error as Error).message}; where wasm may not be compiled from bytes, hand ${module} to init({ module })`;
    }
  }
  throw new VicinalError("BAD_VARIANT", `this runtime cannot run the ${names.join(" or ")} build${why}`);
}

/** A module says itself which build and variant it is; only `threads` wants a shared memory. */
async function given(module: unknown): Promise<Loaded> {
  if (!(module instanceof WebAssembly.Module)) {
    throw badOption(`module is ${show(module)}; it must be a WebAssembly.Module`);
  }
  for (const shared of [false, true]) {
    try {
      const exports = await instantiate(module, newMemory(shared, MAX_PAGES));
      const loaded: Loaded = { module, variant: VARIANTS[exports.variant()], build: BUILDS[exports.build()] };
      if (await works(loaded)) return loaded;
    } catch {
      // the other kind of memory, or not ours
    }
  }
  throw new VicinalError("BAD_VARIANT", "the given module is not a vicinal build, or computes wrongly here");
}

/** Keeps a choice, unless it fails. */
async function keep(build: Build, choice: Promise<Loaded>): Promise<Loaded> {
  current = { ...current, [build]: choice };
  try {
    const loaded = await choice;
    variant = loaded.variant;
    return loaded;
  } catch (error) {
    if (current[build] === choice) current = { ...current, [build]: undefined };
    throw error;
  }
}

/** What an index of this build runs on: all builds have the core. */
function ready(build: Build): Promise<Loaded> {
  const there = current[build] ?? (build === "core" ? (current.full ?? current.graph) : undefined);
  return there ?? keep(build, choose(build));
}

/**
 * Chooses and compiles the wasm; `create` and `load` do it by themselves. Called again with options, it decides for the
 * indices made after it.
 */
export async function init(options: InitOptions = {}): Promise<Variant> {
  known("init", options, ["variant", "module"]);
  const { module } = options;
  if (module !== undefined) {
    const loaded = await given(module);
    current = { [loaded.build]: Promise.resolve(loaded) };
    candidates = [loaded.variant];
    variant = loaded.variant;
  } else if (options.variant !== undefined) {
    const before = { current, candidates };
    current = {};
    candidates = variantsFor(options.variant);
    try {
      await ready("core");
    } catch (error) {
      ({ current, candidates } = before);
      throw error;
    }
  } else await ready("core");
  return variant as Variant;
}

function newMemory(shared: boolean, maximum: number): WebAssembly.Memory {
  return new WebAssembly.Memory(shared ? { initial: 1, maximum, shared } : { initial: 1, maximum });
}

async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<Exports> {
  // Without @assemblyscript/loader, whose wrappers are for managed objects: here there are none, and it weighs 2 KB gzip.
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as unknown as Exports;
}

async function start({ module, variant }: Loaded, maxBytes: number): Promise<Instance> {
  const memory = newMemory(variant === "threads", Math.max(Math.floor(maxBytes / PAGE_BYTES), 1));
  return { exports: await instantiate(module, memory), memory, variant, maxBytes };
}

/** @internal A new memory that never grows past `maxBytes`, of this build or one that has all of it. */
export async function newInstance(build: Build, maxBytes: number): Promise<Instance> {
  return start(await ready(build), maxBytes);
}

/** @internal A new memory with an empty index in it, as `state` describes; shared with others where `threads` build it. */
export async function newEngine(state: Uint8Array, maxBytes = WHOLE_MEMORY, threads = 1): Promise<Engine> {
  const build = buildFor(readState(state));
  if (threads === 1) return new Engine(await newInstance(build, maxBytes), state);
  const loaded = await threaded(load(build, "threads"));
  if (!loaded) throw noThreads("not here");
  const instance = await start(loaded, maxBytes);
  const engine = new Engine(instance, state);
  engine.endThreads = await threaded(import("./workers.js").then(({ hire }) => hire(loaded.module, instance, threads - 1)));
  return engine;
}

function threaded<T>(step: Promise<T>): Promise<T> {
  return step.catch((error: Error) => {
    throw noThreads(error.message);
  });
}

function noThreads(why: string): VicinalError {
  return new VicinalError(
    "BAD_VARIANT",
    `threads need relaxed SIMD and shared memory (on a page: cross-origin isolation): ${why}`,
  );
}
