// One index on every SIMD variant.
import { init, load } from "vicinal";

export const VARIANTS = ["simd", "relaxed"];

/** `index` by the name of each variant; it is itself closed. */
export async function onVariants(index) {
  const bytes = index.toBytes();
  index.close();
  const all = {};
  for (const variant of VARIANTS) {
    await init({ variant });
    all[variant] = await load(bytes);
  }
  return all;
}

/** From { name: { variant: index } } to what `interleave` takes, each contender the sample that `sample` makes of it. */
export function contendersOf(indices, sample) {
  return Object.fromEntries(
    Object.entries(indices).flatMap(([name, all]) =>
      Object.entries(all).map(([variant, index]) => [`${name} ${variant}`, () => sample(index, name)]),
    ),
  );
}
