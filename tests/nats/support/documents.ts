// Documents with vectors and fields, and questions about them; the same for the same seed.
import type { Where } from "vicinal/collection";
import { randomOf } from "../../collection/support/random.js";

export const DIMENSIONS = 24;
export const FIELDS = { lang: "keyword", year: "number", tags: "keyword[]" } as const;

export interface Made {
  readonly id: string | number;
  readonly vector: Float32Array;
  readonly data: { readonly lang: string; readonly year: number; readonly tags: readonly string[]; readonly group: number };
}

type Random = ReturnType<typeof randomOf>;

const some = (random: Random, n: number): number => Math.floor(random() * n);

export const vectorOf = (random: Random): Float32Array => Float32Array.from({ length: DIMENSIONS }, () => random() - 0.5);

/** Every third id is a number. */
export function documentOf(random: Random, i: number): Made {
  return {
    id: i % 3 === 0 ? i : `document ${i}`,
    vector: vectorOf(random),
    data: {
      lang: ["en", "fr", "de", "it"][some(random, 4)],
      year: 1990 + some(random, 30),
      tags: Array.from({ length: some(random, 3) }, () => `t${some(random, 20)}`),
      group: some(random, 40),
    },
  };
}

export function documentsOf(n: number, seed = 1): Made[] {
  const random = randomOf(seed);
  return Array.from({ length: n }, (_, i) => documentOf(random, i));
}

export interface Query {
  readonly vector: Float32Array;
  readonly options: { k: number; where?: Where; groupBy?: string; radius?: number; select: readonly string[] };
}

/** One in four without conditions, one in eight grouped. */
export function queriesOf(n: number, seed = 2): Query[] {
  const random = randomOf(seed);
  const forms: (() => Where)[] = [
    () => ({ lang: "en", year: { $gte: 1995 + some(random, 20) } }),
    () => ({ tags: { $in: [`t${some(random, 20)}`, `t${some(random, 20)}`] } }),
    () => ({ $or: [{ lang: { $ne: "fr" } }, { year: { $lt: 2000 } }] as Where[], group: { $gte: some(random, 30) } }),
  ];
  return Array.from({ length: n }, (_, i) => {
    const where = i % 4 === 0 ? undefined : forms[i % 3]();
    const groupBy = i % 8 === 5 ? "group" : undefined;
    const select = i % 2 === 0 ? [] : ["year"];
    return {
      vector: vectorOf(random),
      options: { k: 1 + some(random, 20), select, ...(where && { where }), ...(groupBy && { groupBy }) },
    };
  });
}
