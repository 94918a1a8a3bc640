export interface Table {
  columns: string[];
  rows: (string | number)[][];
}
export interface Result {
  name: string;
  tables: Record<string, Table>;
  gates: { what: string; reached: string; asked: string; ok: boolean }[];
}
export function compare(
  old: Result[],
  now: Result[],
): { tables: Record<string, Table>; gates: Table; missing: [what: string, side: string][] };
