export function pageFiles(how: {
  quick: boolean;
  rounds: number;
  ms: number;
}): Promise<Record<string, { type: string; body: string | Uint8Array }>>;
