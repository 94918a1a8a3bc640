// What the page asks its worker, and what the worker tells: plain data on both sides.
import type { Metric } from "../../words/kinds.js";
import type { Kernel } from "../kernels/kernels.mjs";

/** Vectors to measure on. */
export type DataAsked =
  | { readonly from: "made"; readonly shape: ShapeName; readonly n: number; readonly dimensions: number; readonly seed: number }
  | { readonly from: "file"; readonly file: File; readonly most: number };

export const SHAPES = {
  clustered: "clustered",
  uniform: "uniform",
  heavy: "heavy norms",
} as const;
export type ShapeName = keyof typeof SHAPES;

export interface MeasuringAsked {
  readonly data: DataAsked;
  readonly metric: Metric;
  readonly k: number;
  /** Ids of families.ts. */
  readonly families: readonly string[];
}

/** One effort of one index. */
export interface MeasuredPoint {
  /** ef, nprobe, ...; undefined of what has nothing to turn. */
  readonly effort: number | undefined;
  readonly recall: number;
  /** Standard error of the recall. */
  readonly error: number;
  /** Mean milliseconds of a search, one after the other on one thread. */
  readonly ms: number;
  /** Mean of a search: distances, and nodes, lists or leaves that it looked into. */
  readonly distances: number;
  readonly visited: number;
}

export type MeasuringTold =
  | { readonly told: "data"; readonly n: number; readonly dimensions: number; readonly name: string; readonly left: number }
  | { readonly told: "doing"; readonly what: string; readonly part: number }
  | {
      readonly told: "built";
      readonly family: string;
      readonly factory: string;
      readonly bytes: number;
      readonly buildSeconds: number;
    }
  | { readonly told: "point"; readonly family: string; readonly point: MeasuredPoint }
  | { readonly told: "skipped"; readonly family: string; readonly why: string };

/** A line or a crowd of points of a chart. */
export interface Series {
  readonly name: string;
  /** The place of its colour and mark. */
  readonly look: number;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** Computed by formulas, not measured. */
  readonly dashed?: boolean;
  /** Points alone. */
  readonly apart?: boolean;
  /** What a point says of itself beside its place. */
  readonly notes?: readonly string[];
}

export interface Axis {
  readonly label: string;
  readonly log?: boolean;
  /** A recall, by the logarithm of what is missed: what matters lies close to 1. */
  readonly nines?: boolean;
  readonly unit?: "bytes" | "ms" | "share" | "count" | "recall";
  /** Where it has ticks, if not at round numbers. */
  readonly ticks?: readonly number[];
}

export interface ChartData {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
  /** A place on the x axis worth a line, and what it is. */
  readonly mark?: { readonly x: number; readonly label: string };
}

/** What an experiment has found. */
export interface Finding {
  readonly charts: readonly ChartData[];
  /** In a sentence or two, from the numbers measured. */
  readonly sentence: string;
  readonly map?: WalkMap;
}

/** A walk through a graph over points of the plane. */
export interface WalkMap {
  /** x, y of each vector. */
  readonly points: Float32Array;
  /** Highest layer of each. */
  readonly levels: Uint8Array;
  readonly query: readonly [number, number];
  readonly steps: readonly WalkStep[];
  /** What the walk found, nearest first, and what is right. */
  readonly found: readonly number[];
  readonly exact: readonly number[];
}

export interface WalkStep {
  readonly layer: number;
  /** The node whose links are looked at. */
  readonly at: number;
  /** Of its links on this layer those that had not been met. */
  readonly met: readonly number[];
  /** The nearest met so far. */
  readonly nearest: number;
  readonly says: string;
}

export interface StoryTold {
  readonly what: string;
  readonly part: number;
}

/** A kernel, in so many rounds of so many milliseconds. */
export interface KernelAsked {
  readonly cell: Kernel;
  readonly rounds: number;
  readonly ms: number;
}
