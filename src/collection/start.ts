// What a worker that is made of a text is told first, and what it asks for.
import type { Variant } from "../border/variants.js";
import type { Elsewhere, Storage } from "../storage/storage.js";
import type { Build } from "../words/kinds.js";
import type { CollectionOptions } from "./options.js";

/** How to open the collection. */
export interface Start {
  readonly kind: "start";
  /** Without what cannot be sent. */
  readonly options: Omit<CollectionOptions, "storage" | "embed" | "worker">;
  /** A storage that is opened there, or words for the one that is asked for here. */
  readonly storage: { readonly elsewhere: Elsewhere } | { readonly place: string };
  readonly embeds: boolean;
  /** What runs here, if anything does. */
  readonly variant: Variant | undefined;
}

/** Calls of a storage; "lock" and "release" are lock() and what that returns. */
export type Verb = Exclude<keyof Storage, "place" | "elsewhere"> | "release";

export type Wanted =
  | { readonly call: "wasm"; readonly build: Build; readonly variant: Variant }
  | { readonly call: "embed"; readonly texts: string[] }
  | { readonly call: "storage"; readonly verb: Verb; readonly args: readonly unknown[] };
