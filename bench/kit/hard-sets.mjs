// Small sets on which graphs go astray: copies, zeros, tight clusters, curves. Every parameter is drawn from the seed, so a name
// and a seed are a set, the same on every machine.

const QUERIES_OF_A_KIND = 20;
const LEAST_ROWS = 535; // of which 515 are left, above the 512 from which fastScan links all at once
const MOST_ROWS = 4000;

/** What a set is drawn with: mulberry32 and what is made of it. */
class Draw {
  #state;

  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  uniform() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Both ends included. */
  integer(least, most) {
    return least + Math.floor(this.uniform() * (most - least + 1));
  }

  real(least, most) {
    return least + this.uniform() * (most - least);
  }

  /** An integer, even over the logarithms. */
  size(least, most) {
    return Math.round(least * (most / least) ** this.uniform());
  }

  /** Half of all sets are little more than what is built at once. */
  rows() {
    return this.uniform() < 0.5 ? this.integer(LEAST_ROWS, 640) : this.size(640, MOST_ROWS);
  }

  one(values) {
    return values[this.integer(0, values.length - 1)];
  }

  maybe() {
    return this.uniform() < 0.5;
  }

  /** Box and Muller. */
  gauss() {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform());
  }

  gaussian(d) {
    return Float32Array.from({ length: d }, () => this.gauss());
  }

  gaussians(n, d) {
    return many(n, () => this.gaussian(d));
  }

  around(centre, scale) {
    return centre.map((x) => x + scale * this.gauss());
  }

  shuffle(values) {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [values[i], values[j]] = [values[j], values[i]];
    }
    return values;
  }
}

const many = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const copies = (n, row) => many(n, () => row.slice());

/** A crowd of copies and others, each in one piece. */
function crowdAndOthers(draw) {
  const d = draw.one([2, 3, 8, 16, 48]);
  const crowd = draw.size(33, 800);
  const others = Math.max(draw.rows() - crowd, Math.ceil(crowd / 4));
  return [copies(crowd, draw.gaussian(d)), draw.gaussians(Math.max(others, LEAST_ROWS - crowd), d)];
}

/** Clusters one after the other; `sigma` where centres are 1 apart in each dimension. */
function clusters(draw, d, sigma) {
  const count = draw.size(5, 40);
  const rows = [];
  for (let c = 0; c < count || rows.length < LEAST_ROWS; c++) {
    const centre = draw.gaussian(d);
    const size = Math.min(draw.integer(50, 250), Math.ceil(MOST_ROWS / count));
    rows.push(...many(size, () => draw.around(centre, sigma)));
  }
  return rows;
}

/** A smooth map from `inner` numbers in [0, 1) to d. */
function smooth(draw, inner, d, mostWaves) {
  const waves = many(d, () =>
    many(3, () => ({
      along: many(inner, () => draw.real(-mostWaves, mostWaves)),
      phase: draw.uniform(),
      height: draw.uniform(),
    })),
  );
  const at = ({ along, phase, height }, point) =>
    height * Math.sin(2 * Math.PI * along.reduce((sum, w, i) => sum + w * point[i], phase));
  return (point) => Float32Array.from(waves, (own) => own.reduce((sum, wave) => sum + at(wave, point), 0));
}

function grid(draw, d) {
  const side = Math.ceil(draw.rows() ** (1 / d));
  return many(side ** d, (i) => Float32Array.from({ length: d }, (_, j) => Math.floor(i / side ** j) % side));
}

const GENERATORS = {
  "copies first": (draw) => crowdAndOthers(draw).flat(),
  "crowds of copies": (draw) => {
    const d = draw.integer(2, 48);
    const crowds = draw.integer(3, 40);
    const rows = many(crowds, () => copies(draw.integer(5, 80), draw.gaussian(d))).flat();
    return draw.shuffle([...rows, ...draw.gaussians(Math.max(draw.rows() - rows.length, 300), d)].slice(0, MOST_ROWS));
  },
  "copies last": (draw) => crowdAndOthers(draw).reverse().flat(),
  "every tenth zero": (draw) => {
    const d = draw.integer(32, 128);
    return many(draw.rows(), (i) => (i % 10 ? draw.gaussian(d) : new Float32Array(d)));
  },
  "near-copies": (draw) => {
    const d = draw.integer(8, 48);
    const n = draw.rows();
    const far = Math.ceil(n * draw.real(0.03, 0.4));
    const centre = draw.gaussian(d);
    const scale = draw.one([1e-4, 1e-6]);
    const rows = [...many(n - far, () => draw.around(centre, scale)), ...draw.gaussians(far, d)];
    return draw.maybe() ? draw.shuffle(rows) : rows;
  },
  clusters: (draw) => {
    const rows = clusters(draw, draw.integer(8, 64), draw.real(0.1, 0.3));
    return draw.maybe() ? draw.shuffle(rows) : rows;
  },
  "tight clusters": (draw) => clusters(draw, 40, 0.02),
  curve: (draw) => {
    const n = draw.rows();
    const at = smooth(draw, 1, 16, 5);
    return many(n, (i) => at([i / n]));
  },
  sheet: (draw) => {
    const at = smooth(draw, 2, 32, 1);
    return many(draw.rows(), () => at([draw.uniform(), draw.uniform()]));
  },
  "grids and low dimensions": (draw) => {
    const rows = draw.one([
      () => grid(draw, 2),
      () => grid(draw, 3),
      () => many(draw.rows(), () => Float32Array.of(draw.uniform())),
      () => many(draw.rows(), () => Float32Array.of(draw.uniform(), draw.uniform())),
    ])();
    return draw.maybe() ? draw.shuffle(rows) : rows;
  },
  "two scales": (draw) => {
    const d = draw.integer(4, 48);
    const point = draw.gaussian(d);
    const rows = many(draw.rows(), (i) => (i % 2 ? draw.gaussian(d) : draw.around(point, 1e-3)));
    return draw.maybe() ? draw.shuffle(rows) : rows;
  },
  "heavy-tailed norms": (draw) => {
    const d = draw.integer(8, 64);
    const spread = draw.real(0.5, 2);
    return many(draw.rows(), () => {
      const length = Math.exp(spread * draw.gauss());
      return draw.gaussian(d).map((x) => x * length);
    });
  },
};

export const HARD_SETS = Object.keys(GENERATORS);

/** Takes QUERIES_OF_A_KIND rows out of `rows`. */
function holdOut(draw, rows) {
  return many(QUERIES_OF_A_KIND, () => rows.splice(draw.integer(0, rows.length - 1), 1)[0]);
}

/** The standard deviation of all values. */
function spreadOf(rows) {
  const values = rows.flatMap((row) => [...row]);
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
}

/** The set of a name and a seed; of its queries a third are rows, a third lie beside rows, a third are held out. */
export function drawSet(name, seed) {
  const draw = new Draw(seed + Math.imul(HARD_SETS.indexOf(name), 0x9e3779b9));
  const rows = GENERATORS[name](draw);
  const heldOut = holdOut(draw, rows);
  const spread = spreadOf(rows);
  const same = many(QUERIES_OF_A_KIND, () => draw.one(rows).slice());
  const beside = many(QUERIES_OF_A_KIND, (i) => draw.around(draw.one(rows), (i % 2 ? 0.1 : 0.01) * spread));
  return { name, seed, dimensions: rows[0].length, rows, queries: [...same, ...beside, ...heldOut] };
}
