// The worker that has the files of an OPFS storage, since pages have no sync access handles. The build makes a text of it (opfs.ts).
import type { Call, Reply } from "./opfs.js";
import { OpfsFiles } from "./opfs-files.js";

/** A worker's own scope, which TypeScript knows as a window. */
const scope = globalThis as unknown as {
  onmessage: (event: { data: Call }) => void;
  postMessage(reply: Reply, transfer?: ArrayBuffer[]): void;
};

let files: OpfsFiles;

scope.onmessage = async ({ data: { id, verb, args } }) => {
  try {
    if (verb === "open") files = new OpfsFiles(...(args as [string, string]));
    const value = verb === "open" ? undefined : await (files[verb] as (...args: unknown[]) => Promise<unknown>)(...args);
    scope.postMessage({ id, value }, value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : []);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    scope.postMessage({ id, error: { code, message } });
  }
};
