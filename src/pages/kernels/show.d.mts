import type { MeasuredKernel } from "./kernels.mjs";

export function numbers(table: { columns: readonly string[]; rows: readonly (readonly (string | number)[])[] }): HTMLElement;
export function bars(cells: readonly MeasuredKernel[], variants: readonly string[]): HTMLElement[];
