// Modules of Node where there are some: asked for at run time, so that a bundler for pages finds nothing to resolve.
import { VicinalError } from "../words/errors.js";

interface Builtins {
  "node:fs": typeof import("node:fs");
  "node:fs/promises": typeof import("node:fs/promises");
  "node:url": typeof import("node:url");
  "node:zlib": typeof import("node:zlib");
}

/** A module of Node, Deno and Bun; undefined on a page, and in Node before 20.16. */
export function builtin<K extends keyof Builtins>(name: K): Builtins[K] | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  return process?.getBuiltinModule?.(name) as Builtins[K] | undefined;
}

/** The same where nothing goes without. */
export function needed<K extends keyof Builtins>(name: K): Builtins[K] {
  const module = builtin(name);
  if (module) return module;
  throw new VicinalError("BAD_RUNTIME", "there are no paths here (Node has them from 20.16 on): give bytes, a Blob or a URL");
}
