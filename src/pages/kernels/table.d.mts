export function fixed(digits: number): (value: number) => string;
export function times(value: number): string;
export function whole(value: number): string;
export function markdown(table: {
  columns: readonly string[];
  rows: readonly (readonly (string | number)[])[];
  notes?: readonly string[];
}): string;
