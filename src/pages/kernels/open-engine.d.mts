import type { Engine } from "../../border/engine.js";

/** An empty index of a build, below the public face. */
export type OpenEngine = (name: string, pages: number, state: Readonly<Record<string, string | number>>) => Promise<Engine>;

export function engineOpener(core: object, compile: (name: string) => Promise<WebAssembly.Module>): OpenEngine;
