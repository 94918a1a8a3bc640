// What JavaScript has for JSON, and how to say where in it something is.

/** An object as literals and JSON.parse make it, of whatever realm. */
export function isPlain(value: unknown): value is Record<string, unknown> {
  if (Object.prototype.toString.call(value) !== "[object Object]") return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

export function isDate(value: unknown): value is Date {
  return Object.prototype.toString.call(value) === "[object Date]";
}

/** `where.a.b`, `where["odd name"]`: where in the expression something is. */
export function under(at: string, name: string): string {
  return /^[$\w]+$/.test(name) ? `${at}.${name}` : `${at}[${JSON.stringify(name)}]`;
}
