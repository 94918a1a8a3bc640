// Node 20 has relaxed SIMD behind a flag; it must be set before the first compile.
import v8 from "node:v8";

export function enableRelaxed() {
  if (Number.parseInt(process.versions.node, 10) < 22) v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
}
