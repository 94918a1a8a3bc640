// src/build.mjs gives each variant's bytes as base64.
declare module "vicinal-wasm:*" {
  const base64: string;
  export default base64;
}
