// Random numbers by index: number i of a seed is the same in every variant and however many were asked for before.

/** splitmix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195). */
export function random64(seed: u64, index: u64): u64 {
  let u = seed + (index + 1) * 0x9E3779B97F4A7C15;
  u = (u ^ u >> 30) * 0xBF58476D1CE4E5B9;
  u = (u ^ u >> 27) * 0x94D049BB133111EB;
  return u ^ u >> 31;
}

/** Uniform in 0 ... n - 1; n of 2^32 or less leaves a bias below 2^-32. */
@inline export function randomBelow(seed: u64, index: u64, n: u32): u32 {
  return <u32>((random64(seed, index) >> 32) * <u64>n >> 32);
}

/** Uniform in [0, 1), 53 bits. */
@inline export function uniform(seed: u64, index: u64): f64 {
  return <f64>(random64(seed, index) >> 11) * (1.0 / 9007199254740992.0);
}

/** Normal with mean 0 and variance 1, by Marsaglia's polar method: square root and the software logarithm alone. */
export function gaussian(seed: u64, index: u64): f64 {
  const own = random64(seed, index);
  let x: f64, square: f64;
  let i: u64 = 0;
  do {
    const bits = random64(own, i++);
    const y = <f64><i32>bits * (1.0 / 2147483648.0);
    x = <f64><i32>(bits >> 32) * (1.0 / 2147483648.0);
    square = x * x + y * y;
  } while (!(square > 0 && square < 1));
  return x * sqrt(-2 * NativeMath.log(square) / square);
}
