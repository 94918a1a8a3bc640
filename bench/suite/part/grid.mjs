// Times over a grid, and the steps between its neighbouring points.

export class Grid {
  /** Each as its place on every axis, and what `time` said of it. */
  points = [];
  /** From a point to its neighbour: { axis, from, to, over: the growth of time over that of work }, the way it grows faster. */
  steps = [];
  #axes;
  #grows;
  #doubtful;
  #time;
  #byPlace = new Map();

  /** `grows`: axes along which work is as the value. A step over `doubtful` is timed again. `time`: place to { us, ... }. */
  constructor(axes, grows, doubtful, time) {
    this.#axes = axes;
    this.#grows = grows;
    this.#doubtful = doubtful;
    this.#time = time;
  }

  /** All points at one value of the axis `outer`; the values come in their order, each when it is time for it. */
  measure(outer, value) {
    const inner = Object.entries(this.#axes).filter(([axis]) => axis !== outer);
    const places = inner.reduce(
      (all, [axis, values]) => values.flatMap((one) => all.map((place) => ({ ...place, [axis]: one }))),
      [{ [outer]: value }],
    );
    const now = places.map((place) => ({ ...place, ...this.#time(place) }));
    for (const point of now) this.#byPlace.set(this.#key(point), point);
    this.points.push(...now);
    for (const to of now) {
      for (const axis of Object.keys(this.#axes)) {
        const from = this.#before(to, axis);
        if (!from) continue;
        let over = this.#over(axis, from, to);
        if (over > this.#doubtful) {
          for (const point of axis === outer ? [to] : [from, to]) this.#again(point);
          over = this.#over(axis, from, to);
        }
        this.steps.push({ axis, from, to, over });
      }
    }
  }

  #key(point) {
    return Object.keys(this.#axes)
      .map((axis) => point[axis])
      .join();
  }

  #before(point, axis) {
    const values = this.#axes[axis];
    return this.#byPlace.get(this.#key({ ...point, [axis]: values[values.indexOf(point[axis]) - 1] }));
  }

  /** Keeps the shorter time: what is added by others is added now and then. */
  #again(point) {
    const again = this.#time(point);
    if (again.us < point.us) Object.assign(point, again);
  }

  #over(axis, from, to) {
    const work = this.#grows.includes(axis) ? to[axis] / from[axis] : 1;
    const growth = to.us / from.us;
    return Math.max(growth / Math.max(1, work), 1 / growth / Math.max(1, 1 / work));
  }
}
