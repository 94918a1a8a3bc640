export function pageFiles(how: {
  limit: number;
  lexical: boolean;
}): Promise<Record<string, { type: string; body: string | Uint8Array }>>;
