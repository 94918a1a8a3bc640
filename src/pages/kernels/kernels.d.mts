import type { Codec, Metric } from "../../words/kinds.js";

export interface Kernel {
  readonly name: string;
  readonly metric: Metric;
  readonly codec: Codec;
  readonly d: number;
  readonly bits?: number;
  readonly within?: number;
}

/** Million distances per second, by the form of JS and by the variant. */
export type Speeds = Readonly<Record<string, number>>;

export interface MeasuredKernel extends Kernel {
  readonly form: string;
  readonly js: number;
  readonly wasm: readonly number[];
}

export const VARIANTS: readonly string[];
export function howOf(quick: boolean): { rounds: number; ms: number };
export function cellsOf(quick: boolean): Kernel[];
export function measured(cell: Kernel, speeds: Speeds): MeasuredKernel;
export function tableOf(cells: readonly MeasuredKernel[]): { columns: string[]; rows: (string | number)[][] };
