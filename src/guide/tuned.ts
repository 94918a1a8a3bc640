// What tuning has found: curves, and searches that are asked for a recall in place of an effort.
import type { Vector } from "../input/vectors.js";
import { DEFAULT_K } from "../search/plan.js";
import { badOption, show } from "../words/errors.js";
import { type Effort, KIND_NAMES, KINDS, type Kind } from "../words/kinds.js";
import { integer, oneOf, real } from "../words/options.js";
import { type Choice, effortAt, promised } from "./curve.js";
import type { Point } from "./measuring.js";
import { subjectOf, type Tunable } from "./subject.js";

/** Recall by effort, for one k and one filter. */
export interface Curve {
  k: number;
  /** Of the vectors that pass the filter, 0 to 1; 1 is no filter. */
  share: number;
  /** By effort. */
  points: Point[];
  choice: Choice;
}

/** What was measured on, and what that took. */
export interface TuneCost {
  queries: number;
  /** "given", or "own": vectors of the index, whose own hits do not count. Those are often easier to find than what users ask. */
  from: "given" | "own";
  /** What recall is measured against: the vectors, or what a lossy codec without rerank has kept of them. */
  truth: "vectors" | "codes" | "given";
  /** Of the whole; of that, exact search. */
  seconds: number;
  truthSeconds: number;
}

/** As JSON. */
export interface TunedData {
  kind: Kind;
  size: number;
  dimensions: number;
  recall: number;
  curves: Curve[];
  cost: TuneCost;
}

type OptionsOf<T extends Tunable> = NonNullable<Parameters<T["search"]>[1]>;

/** As a search of what was tuned; `recall`, 0 to 1, in place of the effort: by default what was tuned for. */
export type TunedSearchOptions<T extends Tunable> = Omit<OptionsOf<T>, Effort> & { recall?: number };

export class Tuned<T extends Tunable = Tunable> {
  readonly #target: T;
  readonly #data: TunedData;

  /** @internal */
  constructor(target: T, data: TunedData) {
    this.#target = target;
    this.#data = data;
  }

  /** The first k and filter that were asked for first. */
  get curves(): readonly Curve[] {
    return this.#data.curves;
  }

  /** Of the first curve: what is the index's default now. */
  get choice(): Choice {
    return this.#data.curves[0].choice;
  }

  get cost(): TuneCost {
    return this.#data.cost;
  }

  /**
   * The effort for a recall, as an option of a search: `{ ef: 83 }`. By the curve of the least k that was tuned for and is not below the one
   * asked; `share`: how many pass the filter, by the nearest share tuned for; where it is not known ("unknown"), by the dearest.
   * Errors: BAD_OPTION where k or the recall are beyond what was measured.
   */
  effort({ k = DEFAULT_K, recall = this.#data.recall, share = 1 }: EffortOptions = {}): Partial<Record<Effort, number>> {
    const { curves, kind } = this.#data;
    const name = KINDS[kind].effort;
    const wanted = real("recall", recall, 0, 1);
    const wide = Math.min(...curves.map((curve) => curve.k).filter((one) => one >= k));
    if (!Number.isFinite(wide)) {
      const most = Math.max(...curves.map((curve) => curve.k));
      throw badOption(`k is ${k}, and k up to ${most} was tuned for: give tune() k: [${most}, ${k}]`);
    }
    const near = nearest(
      curves.filter((curve) => curve.k === wide),
      share,
    );
    const efforts = near.map((curve) => [effortAt(curve.points, wanted), curve] as const);
    const short = efforts.find(
      ([effort, { points }]) => effort === undefined && !points.some((one) => promised(one, wanted) >= wanted),
    );
    if (short) {
      const most = Math.max(...short[1].points.map((one) => promised(one, wanted)));
      throw badOption(`recall ${wanted} is beyond what was measured: ${most.toFixed(3)} at most, for k ${wide}`);
    }
    return name && efforts[0][0] !== undefined ? { [name]: Math.max(...efforts.map(([effort]) => effort as number)) } : {};
  }

  /** A search of what was tuned that finds so much. Errors: as its search, and as effort(). */
  search(query: Vector, options: TunedSearchOptions<T> = {} as TunedSearchOptions<T>): ReturnType<T["search"]> {
    const { recall, ...rest } = options as { recall?: number; k?: number; filter?: unknown; where?: unknown };
    const k = integer("k", rest.k ?? DEFAULT_K, 1, 2 ** 32 - 1);
    const effort = this.effort({ k, recall, share: this.#shareOf(rest.filter ?? rest.where) });
    const search = this.#target.search.bind(this.#target) as (query: Vector, options: object) => unknown;
    return search(query, { ...rest, ...effort }) as ReturnType<T["search"]>;
  }

  /** Of a filter, where it says how many pass. */
  #shareOf(filter: unknown): number | "unknown" {
    if (filter === undefined) return 1;
    const { size } = filter as { size?: unknown };
    const length = filter instanceof Uint32Array || Array.isArray(filter) ? filter.length : size;
    return typeof length === "number" ? Math.min(length / Math.max(this.#target.size, 1), 1) : "unknown";
  }

  /** Plain data, for tuned(). */
  toJSON(): TunedData {
    return structuredClone(this.#data);
  }
}

export interface EffortOptions {
  /** Default 10. */
  k?: number;
  /** 0 to 1. Default: what was tuned for. */
  recall?: number;
  /** Of the vectors those that pass the filter, 0 to 1. Default 1. */
  share?: number | "unknown";
}

/** The curve of the nearest share, by ratio; all of them where the share is not known. */
function nearest(curves: readonly Curve[], share: number | "unknown"): readonly Curve[] {
  if (share === "unknown") return curves;
  const far = (one: Curve): number => Math.abs(Math.log(Math.max(one.share, 1e-9) / Math.max(share, 1e-9)));
  return [curves.reduce((a, b) => (far(b) < far(a) ? b : a))];
}

/**
 * What tune() has found, taken up again: `tuned(index, JSON.parse(text))` of a JSON.stringify. Errors: BAD_OPTION where it is of another
 * family or other dimensions.
 */
export async function tuned<T extends Tunable>(target: T, data: TunedData): Promise<Tuned<T>> {
  const { stats } = await subjectOf(target);
  if (data === null || typeof data !== "object" || !Array.isArray(data.curves) || data.curves.length === 0) {
    throw badOption(`what was tuned is ${show(data)}; give what JSON.stringify has made of it, parsed`);
  }
  const kind = oneOf("kind", data.kind, KIND_NAMES);
  if (kind !== stats.kind || data.dimensions !== stats.dimensions) {
    throw badOption(
      `this was tuned for ${kind} of ${data.dimensions} dimensions; the index is ${stats.kind} of ${stats.dimensions}`,
    );
  }
  return new Tuned(target, structuredClone(data));
}
