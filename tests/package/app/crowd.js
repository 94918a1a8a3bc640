// More indices in one page than there can be memories; each of these answers with what went wrong, nothing if all is well.
import { Flat, Ivf } from "vicinal";

const N = 500;
/** Every so many are looked at more than once. */
const SOME = 4;
const D = 8;
const L2 = { dimensions: D, metric: "l2" };
/** What index i holds: row j begins with i and j. */
const rowsOf = (i, n) => Array.from({ length: n }, (_, j) => [i, j, ...Array(D - 2).fill((i * 7 + j * 3) % 5)]);
const nearest = (index, i, n) => index.search(rowsOf(i, n)[n - 1], { k: 1, exact: true })[0];
const count = (n, of) => Array.from({ length: n }, (_, i) => of(i));
const wrong = (list) => list.flatMap((ok, i) => (ok ? [] : [i]));

export const crowd = {
  async "live ones answer, in any order, inside of each other's filters too"() {
    const all = [];
    for (let i = 0; i < N; i++) {
      all.push(await Flat.create(L2));
      all[i].add(rowsOf(i, 20));
    }
    const right = (i) => nearest(all[i], i, 20).id === 19 && all[i].size === 20 && all[i].has(7) && all[i].get(3)[0] === i;
    const round = wrong(count(N, (i) => right((i * 37) % N)));
    const asked = [];
    const hits = all[0].search(rowsOf(0, 20)[5], {
      k: 1,
      filter: (id) => {
        if (id === 5) asked.push(...wrong(count(N / SOME - 1, (i) => right(SOME * (i + 1)))));
        return id === 5;
      },
    });
    for (let i = 0; i < N; i += SOME) all[i].remove([19]);
    for (let i = 1; i < N; i += SOME) all[i].add([rowsOf(i, 21)[20]]);
    const removed = wrong(count(N / SOME, (i) => all[i * SOME].size === 19));
    const added = wrong(count(N / SOME, (i) => nearest(all[i * SOME + 1], i * SOME + 1, 21).id === 20));
    return [...round, ...asked, ...removed, ...added, ...(hits[0].id === 5 ? [] : ["filter"])];
  },

  async "untrained ones hold one memory each, and all can train at once"() {
    const all = [];
    for (let i = 0; i < 120; i++) all.push(await Ivf.create({ ...L2, nlist: 4, trainAt: 50 }));
    all.forEach((index, i) => void index.add(rowsOf(i, 60)));
    return wrong(all.map((index, i) => index.trained && nearest(index, i, 60).id === 59));
  },

  async "closed and dropped ones give back"() {
    for (let i = 0; i < 2 * N; i++) {
      const index = await Flat.create(L2);
      if (i % 2) index.close();
    }
    return [];
  },

  async "where all are too large to be parked, the next is refused and the others are unharmed"() {
    const all = [];
    const wide = { dimensions: 4096, metric: "l2" };
    const row = new Float32Array(4096);
    const error = await (async () => {
      for (let i = 0; i < N; i++) {
        const index = await Flat.create(wide);
        index.add(new Float32Array(4096 * 257).fill(i));
        all.push(index);
      }
    })().catch((error) => error);
    const unharmed = wrong(all.map((index, i) => index.search(row.fill(i), { k: 1 })[0].distance === 0));
    if (error?.code !== "OUT_OF_MEMORY" || !error.message.includes(`${all.length} are open`) || all.length < 50) {
      return [String(error), all.length, ...unharmed];
    }
    for (const index of all.slice(0, 10)) index.close();
    await Flat.create(wide);
    return unharmed;
  },
};
