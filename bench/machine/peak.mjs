// The machine's peak of 128-bit fused multiply-adds as wasm sees it: eleven sums in registers that wait for nobody else.
import { compileSource } from "./compile-source.mjs";

const SUMS = 11; // with two factors as many registers as V8 hands out without spilling
const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);
const SOURCE = `
export function madds(times: u32, x: f32, y: f32): f32 {
  const a = f32x4.splat(x), b = f32x4.splat(y);
  let ${sums.map((s) => `${s} = f32x4.splat(0)`).join(", ")};
  for (let i: u32 = 0; i < times; i++) {
    ${sums.map((s) => `${s} = f32x4.relaxed_madd(${s}, a, b);`).join("\n    ")}
  }
  return f32x4.extract_lane(${sums.reduce((all, s) => `f32x4.add(${all}, ${s})`)}, 0);
}`;

/** A call must be short for the next one to run as optimised code. */
const TIMES = 20_000;
const CALLS = 100;

/** A function that runs so many floating-point operations, a product and a sum in each of four lanes, and how many they are. */
export async function multiplier() {
  const { madds } = await compileSource(SOURCE, ["simd", "relaxed-simd"]);
  const run = () => {
    for (let i = 0; i < CALLS; i++) madds(TIMES, 0.5, 1);
  };
  return { operations: CALLS * TIMES * SUMS * 8, run };
}
