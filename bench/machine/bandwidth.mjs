// The machine's read bandwidth as wasm sees it: a plain SIMD sum over a memory of the given size.
import { compileSource } from "./compile-source.mjs";

// Eight sums, so that the additions do not wait for each other and only memory does.
const SOURCE = `
export function sum(bytes: usize): f32 {
  let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (let p: usize = 0; p < bytes; p += 128) {
    a = f32x4.add(a, v128.load(p));
    b = f32x4.add(b, v128.load(p, 16));
    c = f32x4.add(c, v128.load(p, 32));
    d = f32x4.add(d, v128.load(p, 48));
    e = f32x4.add(e, v128.load(p, 64));
    f = f32x4.add(f, v128.load(p, 80));
    g = f32x4.add(g, v128.load(p, 96));
    h = f32x4.add(h, v128.load(p, 112));
  }
  const s = f32x4.add(
    f32x4.add(f32x4.add(a, b), f32x4.add(c, d)),
    f32x4.add(f32x4.add(e, f), f32x4.add(g, h)),
  );
  return f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1) + f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3);
}`;

const PAGE_BYTES = 65536;

/** A function that reads `bytes` bytes, all of them touched before. */
export async function reader(bytes) {
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / PAGE_BYTES) });
  new Float32Array(memory.buffer).fill(1);
  const { sum } = await compileSource(SOURCE, ["simd"], memory);
  const whole = bytes - (bytes % 128);
  return () => sum(whole);
}
