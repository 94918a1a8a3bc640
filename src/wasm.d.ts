// src/build/bundle.mjs gives each variant's bytes as text (wasm-text.ts).
declare module "vicinal-wasm:*" {
  const text: string;
  export default text;
}

/** The text of a worker: a file of src, bundled. */
declare module "vicinal-worker:*" {
  const text: string;
  export default text;
}
