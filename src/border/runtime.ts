// Which build runs: the best variant that validates and computes right here, in four sizes: "core" has Flat and Hnsw over
// f32, "graph" also sq8, f16, bf16 and bits, fastScan, atOnce and prefilter, "full" every family and codec but not these three,
// "whole" all of it. The compiled module is cached.
import { badOption, show, VicinalError } from "../words/errors.js";
import { BUILDS, type Build, buildsFor, KIND_NAMES } from "../words/kinds.js";
import { WHOLE_MEMORY } from "../words/needs.js";
import { known, oneOf } from "../words/options.js";
import { part } from "../words/part.js";
import { readState } from "../words/state.js";
import { LACKS, LOADERS, type Loader } from "./builds.js";
import { Engine } from "./engine.js";
import { type Instance, start } from "./instance.js";
import { canRun } from "./probes.js";
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

/** The variant that the latest index runs on, or that `init` chose after it; undefined before the first of these. */
export let variant: Variant | undefined;

interface Loaded {
  readonly module: WebAssembly.Module;
  readonly variant: Variant;
  readonly build: Build;
}

const compiled = new Map<Loader, Promise<WebAssembly.Module>>();
/** What new indices run on, once it is chosen, and the variants that the next choice is between. */
let current: Partial<Record<Build, Promise<Loaded>>> & { candidates?: readonly Variant[] } = {};

function compile(loader: Loader): Promise<WebAssembly.Module> {
  let module = compiled.get(loader);
  if (!module) {
    module = part(loader()).then(({ default: text }) => WebAssembly.compile(decodeWasm(text) as BufferSource));
    compiled.set(loader, module);
    module.catch(() => compiled.delete(loader));
  }
  return module;
}

async function load(build: Build, name: Variant): Promise<Loaded | undefined> {
  const loader = LOADERS[build][name];
  if (!loader || !canRun(name)) return undefined;
  const module = await compile(loader);
  return selfTest(await start(module, name, WHOLE_MEMORY), build) ? { module, variant: name, build } : undefined;
}

/** VICINAL_VARIANT, where there is an environment and it may be read without asking the user. */
function fromEnvironment(): string | undefined {
  const variable = "VICINAL_VARIANT";
  try {
    const { Deno, process } = globalThis as {
      Deno?: { permissions?: { querySync?(wanted: { name: string; variable: string }): { state: string } } };
      process?: { env?: Record<string, string | undefined> };
    };
    const asked = Deno?.permissions?.querySync?.({ name: "env", variable });
    return asked && asked.state !== "granted" ? undefined : process?.env?.[variable] || undefined;
  } catch {
    return undefined; // edge runtimes have globals that only look like these
  }
}

function variantsFor(forced: string | undefined): readonly Variant[] {
  return forced === undefined ? ["relaxed", "simd", "scalar"] : [oneOf("variant", forced, VARIANTS)];
}

async function choose(build: Build): Promise<Loaded> {
  const choice = current;
  const names = choice.candidates ?? variantsFor(fromEnvironment());
  let why = "";
  for (const [i, name] of names.entries()) {
    try {
      const loaded = await load(build, name);
      if (!loaded) continue;
      // The other build is not to be of a variant that failed here.
      choice.candidates = names.slice(i);
      return loaded;
    } catch (error) {
      if (error instanceof VicinalError) throw error; // another variant would not fare better
      const module = build === "core" ? "a module" : `a ${build} module`;
      why = `: ${(error as Error).message}; where wasm may not be compiled from bytes, hand ${module} to init({ module })`;
    }
  }
  throw new VicinalError("BAD_VARIANT", `this runtime cannot run the ${names.join(" or ")} build${why || LACKS}`);
}

/** A module says itself which build and variant it is; only `threads` wants a shared memory. */
async function given(module: object): Promise<Loaded> {
  try {
    WebAssembly.Module.exports(module as WebAssembly.Module);
  } catch {
    throw badOption(`module is ${show(module)}; it must be a WebAssembly.Module`);
  }
  for (const memory of ["simd", "threads"] as const) {
    try {
      const instance = await start(module as WebAssembly.Module, memory, WHOLE_MEMORY);
      const build = BUILDS[instance.exports.build()];
      const loaded = { module: module as WebAssembly.Module, variant: VARIANTS[instance.exports.variant()], build } as const;
      if (selfTest(instance, build)) return loaded;
    } catch (error) {
      if (error instanceof VicinalError) throw error;
      // the other kind of memory, or not ours
    }
  }
  throw new VicinalError("BAD_VARIANT", "the given module is not a vicinal build, or computes wrongly here");
}

/** What an index runs on that these builds are good for: one that is there, or the first. A choice is kept, unless it fails. */
function ready(builds: readonly Build[]): Promise<Loaded> {
  const choice = current;
  const [build] = builds;
  for (const there of builds) if (choice[there]) return choice[there];
  choice[build] = choose(build);
  choice[build].catch(() => delete choice[build]);
  return choice[build];
}

/**
 * Chooses and compiles the wasm; `create` and `load` do it by themselves. Called again with options, it decides for the
 * indices made after it.
 */
export async function init(options: InitOptions = {}): Promise<Variant> {
  known("init", options, ["variant", "module"]);
  const { module } = options;
  const before = current;
  if (module !== undefined) {
    const loaded = await given(module);
    current = { candidates: [loaded.variant], [loaded.build]: Promise.resolve(loaded) };
  } else if (options.variant !== undefined) current = { candidates: variantsFor(options.variant) };
  try {
    variant = (await ready(BUILDS)).variant;
    return variant;
  } catch (error) {
    current = before;
    throw error;
  }
}

/** @internal A new memory that never grows past `maxBytes`, of one of these builds. */
export async function newInstance(builds: readonly Build[], maxBytes: number): Promise<Instance> {
  const loaded = await ready(builds);
  variant = loaded.variant;
  return start(loaded.module, variant, maxBytes);
}

/** @internal The same, shared by `threads` that will build an index there; `working`: so many of them from now on. */
export async function newHome(builds: readonly Build[], maxBytes: number, threads: number, working = threads): Promise<Instance> {
  if (threads === 1) return newInstance(builds, maxBytes);
  const { hire } = await part(import("./workers.js"));
  const make = async (): Promise<Instance | undefined> => {
    const loaded = await load(builds[0], "threads");
    return loaded && start(loaded.module, "threads", maxBytes);
  };
  const home = await hire(threads, working, make, (why) => new VicinalError("BAD_VARIANT", why));
  variant = "threads";
  return home;
}

/** @internal A new memory with an empty index in it, as `state` describes; shared with others where `threads` build it. */
export async function newEngine(state: Uint8Array, maxBytes = WHOLE_MEMORY, threads = 1): Promise<Engine> {
  const own = readState(state);
  const home = await newHome(buildsFor(own), maxBytes, threads, own.trained ? threads : 1);
  let engine: Engine;
  try {
    engine = new Engine(home, state);
  } catch (error) {
    home.endThreads?.();
    throw error;
  }
  if (KIND_NAMES[own.kind] === "hnsw" && engine.exports.practise) engine.timer = (await part(import("./clock.js"))).measureSteps;
  return engine;
}
