// What an update makes of a document's data.

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => value !== null && typeof value === "object" && !Array.isArray(value);

/** A JSON merge patch (RFC 7396): members of objects are merged, null removes, all else replaces. */
export function patched(target: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const entries = new Map<string, unknown>(isFields(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) entries.delete(name);
    else entries.set(name, patched(entries.get(name), value));
  }
  return Object.fromEntries(entries);
}
