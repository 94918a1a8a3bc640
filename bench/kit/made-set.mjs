// A set of any size, the same for a seed on every machine: clusters of many sizes, each a Gaussian of few dimensions somewhere in the space, with
// a little noise in all of them, as embeddings have it. A query is a vector drawn as the others are, and not among them.

/** splitmix32 of a counter: any row can be drawn without those before it. */
export class Draw {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  uniform() {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad);
    t = Math.imul(t ^ (t >>> 15), 0x735a2d97);
    return ((t ^ (t >>> 15)) >>> 0) / 2 ** 32;
  }

  /** Box and Muller. */
  gauss() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }
}

/**
 * `clusters` centres in a space of `latent` dimensions, each with `own` directions along which its vectors lie, all turned into `d`
 * dimensions; the noise has a length of about `noise`, that of the centres is about 1. Returns a function that writes row i to an array.
 */
export function madeSet({ d = 128, clusters = 500, latent = 40, own = 20, spread = 0.9, noise = 0.1, seed = 7 } = {}) {
  const draw = new Draw(seed);
  const many = (n, scale) => Float32Array.from({ length: n }, () => draw.gauss() * scale);
  const turned = many(latent * d, 1 / Math.sqrt(d));
  const inSpace = (values) => {
    const row = new Float32Array(d);
    values.forEach((value, i) => {
      for (let j = 0; j < d; j++) row[j] += value * turned[i * d + j];
    });
    return row;
  };
  const centres = Array.from({ length: clusters }, () => inSpace(many(latent, 1 / Math.sqrt(latent))));
  const axes = centres.map(() => Array.from({ length: own }, () => inSpace(many(latent, 1 / Math.sqrt(latent)))));
  // Of sizes like 1, 1/2, 1/3 ... from the square root on.
  const shares = Float64Array.from(centres, (_, i) => 1 / Math.sqrt(i + 1));
  for (let i = 1; i < clusters; i++) shares[i] += shares[i - 1];
  const clusterOf = (share) => {
    let [low, high] = [0, clusters - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (shares[middle] < share * shares[clusters - 1]) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  return (i, to, at) => {
    const own = new Draw(Math.imul(i + 1, 0x85ebca6b) ^ seed);
    const cluster = clusterOf(own.uniform());
    for (let j = 0; j < d; j++) to[at + j] = centres[cluster][j] + (own.gauss() * noise) / Math.sqrt(d);
    for (const axis of axes[cluster]) {
      const along = (own.gauss() * spread) / Math.sqrt(axes[cluster].length);
      for (let j = 0; j < d; j++) to[at + j] += along * axis[j];
    }
  };
}

export const MADE = "made-128";

/** The set of `n` vectors of 128 dimensions and `nq` queries, as loadSet() has one, without truth. */
export function made(n, nq) {
  const d = 128;
  const row = madeSet({ d });
  const base = new Float32Array(n * d);
  for (let i = 0; i < n; i++) row(i, base, i * d);
  const queries = new Float32Array(nq * d);
  for (let i = 0; i < nq; i++) row(n + i, queries, i * d);
  return { name: MADE, metric: "l2", n, d, base, nq, queries };
}
