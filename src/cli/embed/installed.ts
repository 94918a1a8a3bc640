import nodeModule from "node:module";
import { join } from "node:path";
import { InputError } from "../errors.js";

/** A package that may be installed: beside the user's own first, then beside this one. Undefined where it is not. */
export function installed<T>(name: string): T | undefined {
  for (const from of [join(process.cwd(), "package.json"), import.meta.url]) {
    try {
      return nodeModule.createRequire(from)(name) as T;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== "MODULE_NOT_FOUND") throw new InputError(`${name} is installed but does not load: ${message}`);
    }
  }
  return undefined;
}
